//! The kinds of brokers.

use crate::dispatch::SqlKind;

/// Which kind of broker a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Redis,
    Amqp,
    Sqlite,
    Postgres,
}

impl From<SqlKind> for Transport {
    fn from(kind: SqlKind) -> Self {
        match kind {
            SqlKind::Sqlite => Self::Sqlite,
            SqlKind::Postgres => Self::Postgres,
        }
    }
}
