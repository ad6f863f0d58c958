//! What may be shown of a foreign error.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::OnceLock;

use crate::text::redact::redact_text;

/// An error as it was given, and what is shown of it.
pub(super) struct SourceError {
    error: Box<dyn StdError + Send + Sync>,
    /// Made when somebody asks; `None` if the error may speak for itself.
    redacted: OnceLock<Option<Redacted>>,
}

impl SourceError {
    pub(super) fn new(error: Box<dyn StdError + Send + Sync>) -> Self {
        Self { error, redacted: OnceLock::new() }
    }

    pub(super) fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.error
    }

    /// The error, or, if it or one behind it would print a password, a text in its place.
    pub(super) fn shown(&self) -> &(dyn StdError + 'static) {
        match self.redacted.get_or_init(|| Redacted::of(&*self.error)) {
            Some(redacted) => redacted,
            None => &*self.error,
        }
    }
}

/// The text of an error without passwords, before that of its source.
struct Redacted {
    text: String,
    source: Option<Box<Self>>,
}

impl Redacted {
    /// `None` if there is nothing to hide.
    fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let all: Vec<_> = std::iter::successors(Some(error), |&error| error.source()).collect();
        let hides = |text: &str| matches!(redact_text(text), Cow::Owned(_));
        if !all.iter().any(|error| hides(&error.to_string()) || hides(&format!("{error:?}"))) {
            return None;
        }
        all.into_iter().rev().fold(None, |source, error| {
            let text = redact_text(&error.to_string()).into_owned();
            Some(Self { text, source: source.map(Box::new) })
        })
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl StdError for Redacted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&**self.source.as_ref()?)
    }
}
