//! How the hand-over of one intent failed.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::redacted::SourceError;
use crate::text::redact::redact_text;

/// What is known about an intent whose hand-over failed. They are kept apart because only some may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DispatchErrorKind {
    /// Not accepted, and trying again won't help.
    Rejected,
    /// Not accepted; trying again may help.
    Unavailable,
    /// It may have been accepted: trying again may run it twice.
    Unconfirmed,
    /// The task itself ran, and returned an error or panicked.
    TaskFailed,
}

/// How the hand-over of one intent failed: a kind, and the error behind it as `source`.
///
/// ```
/// use airlock::{DispatchError, DispatchErrorKind};
///
/// let error = DispatchError::unavailable("connection refused");
/// assert_eq!(error.kind(), DispatchErrorKind::Unavailable);
/// ```
///
/// Wherever airlock tells it, URLs in the text of that error are printed without user and password. As
/// [`source`](std::error::Error::source), which reporters print, stands the error that was given, or its text if one of
/// its words has to be hidden; [`get_ref`](Self::get_ref) always is the error itself.
#[derive(Clone)]
pub struct DispatchError {
    kind: DispatchErrorKind,
    // Shared by the report and the error of a flush.
    given: Arc<SourceError>,
    /// Whether no connection was given, which says nothing of the intent.
    is_of_connection: bool,
}

impl DispatchError {
    fn new(kind: DispatchErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, given: Arc::new(SourceError::new(source.into())), is_of_connection: false }
    }

    /// Not accepted; don't retry.
    pub fn rejected(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(DispatchErrorKind::Rejected, source)
    }

    /// Not accepted; retry. The rest of the batch stays unattempted.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(DispatchErrorKind::Unavailable, source)
    }

    /// May have been accepted.
    pub fn unconfirmed(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(DispatchErrorKind::Unconfirmed, source)
    }

    /// The task ran and failed.
    pub fn task_failed(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(DispatchErrorKind::TaskFailed, source)
    }

    pub(crate) fn panicked(message: String) -> Self {
        Self::task_failed(Panicked(message))
    }

    /// The same, of a connection that was refused.
    pub(crate) fn of_connection(self) -> Self {
        Self { is_of_connection: true, ..self }
    }

    pub(crate) fn is_of_connection(&self) -> bool {
        self.is_of_connection
    }

    /// What is known.
    #[must_use]
    pub fn kind(&self) -> DispatchErrorKind {
        self.kind
    }

    /// The error that was given, with all that its own words say: to look into, not to print.
    ///
    /// ```
    /// use std::io;
    /// use airlock::DispatchError;
    ///
    /// let error = DispatchError::unavailable(io::Error::from(io::ErrorKind::ConnectionRefused));
    /// let given = error.get_ref().downcast_ref::<io::Error>().map(io::Error::kind);
    /// assert_eq!(given, Some(io::ErrorKind::ConnectionRefused));
    /// ```
    #[must_use]
    pub fn get_ref(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.given.error()
    }

    /// The error behind it with its own sources, on one line and without passwords of URLs.
    pub(crate) fn reason(&self) -> String {
        let mut reason = self.given.error().to_string();
        let mut next = self.given.error().source();
        while let Some(error) = next {
            reason = format!("{reason}: {error}");
            next = error.source();
        }
        redact_text(&reason.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
    }
}

impl fmt::Display for DispatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            DispatchErrorKind::Rejected => "rejected",
            DispatchErrorKind::Unavailable => "unavailable",
            DispatchErrorKind::Unconfirmed => "unconfirmed",
            DispatchErrorKind::TaskFailed => "the task failed",
        })
    }
}

impl fmt::Debug for DispatchError {
    /// The error behind it as a text: its own `Debug` might show a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatchError").field("kind", &self.kind).field("reason", &self.reason()).finish()
    }
}

impl StdError for DispatchError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.given.shown())
    }
}

/// A task that panicked.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
struct Panicked(String);
