//! A connection that is not ours, with a transaction that is the caller's.

use std::fmt;

use super::dialect::Dialect;
use super::rows::Rows;
use super::transaction::{self, TransactionFault};
use crate::brokers::connection::{Job, JobOutcome, JobTimeouts};
use crate::dispatch::{DispatchError, OpenTransaction, SqlKind};
use crate::runtime::BoxFuture;

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

/// What comes of writing into a transaction of the caller.
type Added<'a> = BoxFuture<'a, Result<(), TransactionFault>>;

/// A connection of one of the databases.
#[doc(hidden)]
pub struct AnyConnection<'a>(pub(crate) &'a mut dyn DatabaseConnection);

impl fmt::Debug for AnyConnection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyConnection").field(&self.0.kind()).finish()
    }
}

/// What is done with it, whichever database it is of.
pub(crate) trait DatabaseConnection: Send {
    /// Which database it is.
    fn kind(&self) -> SqlKind;

    /// Shows that the transaction on it is open and takes statements.
    fn check(&mut self, timeouts: JobTimeouts) -> Added<'_>;

    /// Writes the rows within the open transaction, all or none of them.
    fn write<'a>(&'a mut self, rows: &'a mut Rows, timeouts: JobTimeouts) -> BoxFuture<'a, JobOutcome>;

    /// Writes the rows within a transaction that is rolled back unless this goes well.
    fn add(&mut self, rows: Rows, timeouts: JobTimeouts) -> Added<'_>;

    /// As executors see it.
    fn as_transaction(&mut self) -> OpenTransaction<'_>;
}

impl<C: Dialect> DatabaseConnection for C {
    fn kind(&self) -> SqlKind {
        C::KIND
    }

    fn check(&mut self, timeouts: JobTimeouts) -> Added<'_> {
        Box::pin(transaction::check(self, timeouts))
    }

    fn write<'a>(&'a mut self, rows: &'a mut Rows, timeouts: JobTimeouts) -> BoxFuture<'a, JobOutcome> {
        Box::pin(transaction::within(self, rows, timeouts))
    }

    fn add(&mut self, rows: Rows, timeouts: JobTimeouts) -> Added<'_> {
        Box::pin(transaction::add(self, rows, timeouts))
    }

    fn as_transaction(&mut self) -> OpenTransaction<'_> {
        OpenTransaction::new(C::KIND, self)
    }
}

/// Rows on their way, and who waits for them to be written.
pub(crate) type SqlJob = Job<Rows>;

/// Writes the rows of a job within the open transaction, all or none of them.
pub(crate) async fn write_rows(AnyConnection(connection): AnyConnection<'_>, job: SqlJob) {
    let SqlJob { mut messages, timeouts, mut reply, .. } = job;
    let Some(mut rows) = messages.pop() else { return };
    reply.may_have_left(true);
    let outcome = connection.write(&mut rows, timeouts).await;
    reply.send_all(&outcome);
}

/// Adds the rows to the transaction, which is rolled back unless this goes well.
pub(crate) async fn add_rows(
    transaction: &mut OpenTransaction<'_>,
    rows: Rows,
    timeouts: JobTimeouts,
) -> Result<(), DispatchError> {
    let Some(connection) = connection_of(transaction) else {
        return Err(DispatchError::rejected("the transaction is on another kind of connection"));
    };
    connection.add(rows, timeouts).await.map_err(|(error, client)| {
        if let Some(client) = client {
            transaction.failed_with(client);
        }
        error
    })
}

fn connection_of<'t>(transaction: &'t mut OpenTransaction<'_>) -> Option<&'t mut dyn DatabaseConnection> {
    match transaction.kind() {
        #[cfg(feature = "sqlite")]
        SqlKind::Sqlite => Some(transaction.connection::<sqlx::SqliteConnection>()?),
        #[cfg(feature = "postgres")]
        SqlKind::Postgres => Some(transaction.connection::<sqlx::PgConnection>()?),
        #[allow(unreachable_patterns, reason = "with both databases there is no other")]
        _ => None,
    }
}
