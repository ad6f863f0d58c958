//! What goes wrong with the table, apart from flushes.

use crate::dispatch::{DispatchError, DispatchErrorKind};

/// The database of an outbox could not do what it was asked: no connection, no table, a schema of another version.
///
/// It quotes no value of the table, and no password.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.0.reason())]
pub struct OutboxError(DispatchError);

impl OutboxError {
    pub(crate) fn rejected(reason: impl Into<String>) -> Self {
        Self(DispatchError::rejected(reason.into()))
    }

    /// Whether trying again may help: the database was not reached, or was busy.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.0.kind() != DispatchErrorKind::Rejected
    }
}

impl From<DispatchError> for OutboxError {
    fn from(error: DispatchError) -> Self {
        Self(error)
    }
}
