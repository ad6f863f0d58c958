//! How a commit failed.

use std::error::Error as StdError;
use std::fmt;

use crate::dispatch::DispatchError;
use crate::flush::{FlushError, FlushReport, GivenBack};
use crate::intent::Intent;

/// A scope and its transaction did not end as they were to. The variant says what is known of the data.
///
/// ```
/// # #[cfg(feature = "sqlite")] mod shown {
/// use airlock::{CommitError, OpenScope};
/// use sqlx::{Sqlite, Transaction};
///
/// async fn finish(scope: OpenScope, tx: Transaction<'static, Sqlite>) -> &'static str {
///     match scope.commit(tx).await {
///         Ok(_) => "placed",
///         Err(CommitError::NotCommitted(_)) => "nothing has happened; try again",
///         Err(CommitError::NotHandedOver(_)) => "placed, and the mail is late",
///         Err(_) => "look whether it is there",
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CommitError {
    /// The transaction is rolled back, or had ended before the commit; nothing was written with it or handed over.
    NotCommitted(NotCommitted),
    /// COMMIT was sent and its answer didn't come: the data is there with all that was written with it, or none of it is.
    /// What was to follow the commit was not handed over.
    Unknown(UnknownCommit),
    /// The transaction is committed, with what was written into it. Something that was to follow did not go out, or may
    /// not have.
    NotHandedOver(FlushError),
}

impl CommitError {
    /// What the database's client said, if it was the database. Its texts may quote values.
    #[must_use]
    pub fn database(&self) -> Option<&sqlx::Error> {
        match self {
            Self::NotCommitted(error) => error.database(),
            Self::Unknown(error) => Some(error.database()),
            Self::NotHandedOver(_) => None,
        }
    }

    /// What became of each intent.
    #[must_use]
    pub fn report(&self) -> &FlushReport {
        match self {
            Self::NotCommitted(error) => error.report(),
            Self::Unknown(error) => error.report(),
            Self::NotHandedOver(error) => error.report(),
        }
    }

    /// Every intent that is still held.
    #[must_use]
    pub fn into_intents(self) -> Vec<Intent> {
        match self {
            Self::NotCommitted(error) => error.into_intents(),
            Self::Unknown(error) => error.into_flush_error().into_intents(),
            Self::NotHandedOver(error) => error.into_intents(),
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCommitted(error) => error.fmt(f),
            Self::Unknown(error) => error.fmt(f),
            // The rest is in the source.
            Self::NotHandedOver(error) => write!(
                f,
                "the transaction of {} was committed, and not all that was to follow went out; {}",
                error.report().scope(),
                error.report().counts()
            ),
        }
    }
}

impl StdError for CommitError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NotHandedOver(error) => Some(error),
            // What the database's client says may quote values: `database` has it.
            Self::NotCommitted(_) | Self::Unknown(_) => None,
        }
    }
}

/// A transaction that was not committed, with the intents of its scope.
///
/// The data isn't there, unless a statement of the caller's own had committed it: the text says if the transaction had ended
/// before.
///
/// They are never given to [`on_lost`](crate::Settings::on_lost): sent by it, they would be effects of data that is not
/// there. Dropping this drops them.
pub struct NotCommitted {
    inner: Box<NotCommittedState>,
}

struct NotCommittedState {
    report: FlushReport,
    intents: Vec<Intent>,
    cause: String,
    database: Option<sqlx::Error>,
}

impl NotCommitted {
    pub(super) fn new(given_back: GivenBack, cause: String, database: Option<sqlx::Error>) -> Self {
        let GivenBack { report, intents } = given_back;
        Self { inner: Box::new(NotCommittedState { report, intents, cause, database }) }
    }

    /// What became of each intent.
    #[must_use]
    pub fn report(&self) -> &FlushReport {
        &self.inner.report
    }

    /// What the database's client said, if it was the database: whether to try again depends on its code. Its texts may quote
    /// values.
    #[must_use]
    pub fn database(&self) -> Option<&sqlx::Error> {
        self.inner.database.as_ref()
    }

    /// What was to escape, in order, to be pushed into another scope. A scope in which something had failed gives
    /// nothing back.
    #[must_use]
    pub fn intents(&self) -> &[Intent] {
        &self.inner.intents
    }

    /// The intents by value.
    #[must_use]
    pub fn into_intents(self) -> Vec<Intent> {
        self.inner.intents
    }
}

impl fmt::Display for NotCommitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotCommittedState { report, cause, .. } = &*self.inner;
        write!(f, "the transaction of {} was not committed: {cause}; {}", report.scope(), report.counts())
    }
}

impl fmt::Debug for NotCommitted {
    /// What `unwrap` shows: why, and no intent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotCommitted")
            .field("scope", &format_args!("{}", self.inner.report.scope()))
            .field("cause", &format_args!("{}", self.inner.cause))
            .field("counts", &format_args!("{}", self.inner.report.counts()))
            .finish()
    }
}

/// A commit without an answer, with the intents of its scope.
///
/// Dropped with intents in it, it gives them to [`on_lost`](crate::Settings::on_lost), marked as what they are.
pub struct UnknownCommit {
    flush: FlushError,
    inner: Box<UnknownCommitState>,
}

struct UnknownCommitState {
    written: Vec<Intent>,
    following: Vec<Intent>,
    cause: DispatchError,
    database: sqlx::Error,
}

impl UnknownCommit {
    /// Of so many intents that were written into the transaction, and the others.
    pub(super) fn new((flush, written): (FlushError, usize), cause: DispatchError, database: sqlx::Error) -> Self {
        let mut all: Vec<_> = flush.unconfirmed().iter().filter_map(|failure| failure.intent.clone()).collect();
        let following = all.split_off(written.min(all.len()));
        Self { flush, inner: Box::new(UnknownCommitState { written: all, following, cause, database }) }
    }

    /// What became of each intent: unconfirmed, all of them.
    #[must_use]
    pub fn report(&self) -> &FlushReport {
        self.flush.report()
    }

    /// What the database's client said. Its texts may quote values.
    #[must_use]
    pub fn database(&self) -> &sqlx::Error {
        &self.inner.database
    }

    /// What was written into the transaction, in order: if the data is there, so is that, and to send it again would double
    /// it.
    #[must_use]
    pub fn written(&self) -> &[Intent] {
        &self.inner.written
    }

    /// What was to be handed over after the commit, in order, and wasn't.
    #[must_use]
    pub fn following(&self) -> &[Intent] {
        &self.inner.following
    }

    /// The data is there: what was to follow it, to be pushed into another scope. Nothing of it is told to
    /// [`on_lost`](crate::Settings::on_lost) any more.
    #[must_use]
    pub fn into_following(self) -> Vec<Intent> {
        let Self { flush, inner } = self;
        drop(flush.into_intents());
        inner.following
    }

    /// All of the intents, unconfirmed, in an error that tells [`on_lost`](crate::Settings::on_lost) if it is dropped.
    /// [`including_unconfirmed`](FlushError::including_unconfirmed) and a dispatch would send what was written as well.
    #[must_use]
    pub fn into_flush_error(self) -> FlushError {
        self.flush
    }
}

impl fmt::Display for UnknownCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.flush.report();
        write!(
            f,
            "whether the transaction of {} was committed is not known: {}; look whether its data is there before anything \
             of it is sent; {}",
            report.scope(),
            self.inner.cause.reason(),
            report.counts()
        )
    }
}

impl fmt::Debug for UnknownCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnknownCommit").field(&self.flush).finish()
    }
}
