//! A transaction that is open, as executors see it.

use std::any::Any;
use std::fmt;

/// What a database is, as far as a statement depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SqlKind {
    /// SQLite.
    Sqlite,
    /// Postgres.
    Postgres,
}

impl fmt::Display for SqlKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        })
    }
}

/// A database's transaction that is about to be committed, for executors that write into it: see
/// [`Executor::write`](crate::Executor::write). An executor made of others passes it on.
pub struct OpenTransaction<'c> {
    kind: SqlKind,
    /// A connection of the client crate, which this room doesn't know.
    connection: &'c mut (dyn Any + Send),
    /// The client crate's error, if a write met one.
    fault: Option<Box<dyn Any + Send + Sync>>,
}

impl<'c> OpenTransaction<'c> {
    pub(crate) fn new(kind: SqlKind, connection: &'c mut (dyn Any + Send)) -> Self {
        Self { kind, connection, fault: None }
    }

    /// Whose transaction it is.
    #[must_use]
    pub fn kind(&self) -> SqlKind {
        self.kind
    }

    /// The connection, if it is one of this type.
    pub(crate) fn connection<C: 'static>(&mut self) -> Option<&mut C> {
        self.connection.downcast_mut()
    }

    /// Keeps the first error of the client crate, for the end of the commit.
    pub(crate) fn failed_with<E: Send + Sync + 'static>(&mut self, fault: E) {
        self.fault.get_or_insert_with(|| Box::new(fault));
    }

    /// That error.
    pub(crate) fn take_fault<E: 'static>(&mut self) -> Option<E> {
        self.fault.take()?.downcast().ok().map(|fault| *fault)
    }
}

impl fmt::Debug for OpenTransaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTransaction").field("kind", &self.kind).finish_non_exhaustive()
    }
}
