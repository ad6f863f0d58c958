//! A connection that is not ours, with a transaction that is the caller's.

use super::rows::Rows;
use super::transaction::{self, TransactionFault};
use crate::brokers::connection::{Job, JobTimeouts};
use crate::brokers::transport::Transport;
use crate::dispatch::{DispatchError, OpenTransaction, SqlKind};

/// A connection of the crate `sqlx` 0.9, as [`insert`](crate::DjangoTasksExecutor::insert) writes to: that of an open
/// transaction.
///
/// It is implemented for `sqlx::SqliteConnection` and `sqlx::PgConnection`, as far as the features `sqlite` and
/// `postgres` are on; a `sqlx::Transaction` gives its own as `&mut *transaction`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection that airlock can write to",
    note = "use sqlx 0.9 on SQLite or Postgres, with airlock's feature `sqlite` or `postgres`: a transaction of a pool for \
            `commit`, `&mut *transaction` for `insert`"
)]
pub trait SqlConnection: Send {
    #[doc(hidden)]
    fn as_any(&mut self) -> AnyConnection<'_>;

    /// What is known of a transaction whose COMMIT failed: it is unconfirmed, or was not committed.
    #[doc(hidden)]
    fn commit_failed(error: &sqlx::Error) -> DispatchError
    where
        Self: Sized;
}

/// One of the databases.
#[doc(hidden)]
#[derive(Debug)]
pub enum AnyConnection<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'a mut sqlx::SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(&'a mut sqlx::PgConnection),
}

#[cfg(feature = "sqlite")]
impl SqlConnection for sqlx::SqliteConnection {
    fn as_any(&mut self) -> AnyConnection<'_> {
        AnyConnection::Sqlite(self)
    }

    fn commit_failed(error: &sqlx::Error) -> DispatchError {
        transaction::commit_failed::<Self>(error)
    }
}

#[cfg(feature = "postgres")]
impl SqlConnection for sqlx::PgConnection {
    fn as_any(&mut self) -> AnyConnection<'_> {
        AnyConnection::Postgres(self)
    }

    fn commit_failed(error: &sqlx::Error) -> DispatchError {
        transaction::commit_failed::<Self>(error)
    }
}

/// Rows on their way, and who waits for them to be written.
pub(crate) type SqlJob = Job<Rows>;

/// One of the databases' connections, for which the expression is evaluated.
macro_rules! with_connection {
    ($any:expr, $connection:ident => $value:expr) => {
        match $any {
            #[cfg(feature = "sqlite")]
            AnyConnection::Sqlite($connection) => $value,
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres($connection) => $value,
        }
    };
}

impl<'a> AnyConnection<'a> {
    pub(crate) fn transport(&self) -> Transport {
        self.kind().into()
    }

    /// Writes the rows within the open transaction, all or none of them.
    pub(crate) async fn write(self, job: SqlJob) {
        let SqlJob { mut messages, timeouts, mut reply, .. } = job;
        let Some(mut rows) = messages.pop() else { return };
        reply.may_have_left(true);
        let outcome = with_connection!(self, connection => transaction::within(connection, &mut rows, timeouts).await);
        reply.send_all(&outcome);
    }

    /// Which database it is.
    pub(crate) fn kind(&self) -> SqlKind {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => SqlKind::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => SqlKind::Postgres,
        }
    }

    /// Shows that the transaction on it is open and takes statements.
    pub(crate) async fn check(self, timeouts: JobTimeouts) -> Result<(), TransactionFault> {
        with_connection!(self, connection => transaction::check(connection, timeouts).await)
    }

    /// As executors see it.
    pub(crate) fn into_transaction(self) -> OpenTransaction<'a> {
        let kind = self.kind();
        with_connection!(self, connection => OpenTransaction::new(kind, connection))
    }

    fn of<'t>(transaction: &'t mut OpenTransaction<'_>) -> Option<AnyConnection<'t>> {
        let kind = transaction.kind();
        #[cfg(feature = "sqlite")]
        if kind == SqlKind::Sqlite {
            return transaction.connection().map(AnyConnection::Sqlite);
        }
        #[cfg(feature = "postgres")]
        if kind == SqlKind::Postgres {
            return transaction.connection().map(AnyConnection::Postgres);
        }
        let _ = kind;
        None
    }
}

/// Adds the rows to the transaction, which is rolled back unless this goes well.
pub(crate) async fn add_rows(
    transaction: &mut OpenTransaction<'_>,
    rows: Rows,
    timeouts: JobTimeouts,
) -> Result<(), DispatchError> {
    let Some(connection) = AnyConnection::of(transaction) else {
        return Err(DispatchError::rejected("the transaction is on another kind of connection"));
    };
    let added = with_connection!(connection, connection => transaction::add(connection, rows, timeouts).await);
    added.map_err(|(error, client)| {
        if let Some(client) = client {
            transaction.failed_with(client);
        }
        error
    })
}
