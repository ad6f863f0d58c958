//! A connection that is not ours, with a transaction that is the caller's.

use super::rows::Rows;
use super::transaction;
use crate::brokers::connection::Job;
use crate::brokers::transport::Transport;

/// A connection of the crate `sqlx` 0.9, as [`insert`](crate::DjangoTasksExecutor::insert) writes to: that of an open
/// transaction.
///
/// It is implemented for `sqlx::SqliteConnection` and `sqlx::PgConnection`, as far as the features `sqlite` and
/// `postgres` are on; a `sqlx::Transaction` gives its own as `&mut *transaction`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection that airlock can write to",
    note = "give `&mut *transaction`, a `sqlx::SqliteConnection` or a `sqlx::PgConnection` of sqlx 0.9, with airlock's \
            feature `sqlite` or `postgres`"
)]
pub trait SqlConnection: Send {
    #[doc(hidden)]
    fn as_any(&mut self) -> AnyConnection<'_>;
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
}

#[cfg(feature = "postgres")]
impl SqlConnection for sqlx::PgConnection {
    fn as_any(&mut self) -> AnyConnection<'_> {
        AnyConnection::Postgres(self)
    }
}

/// Rows on their way, and who waits for them to be written.
pub(crate) type SqlJob = Job<Rows>;

impl AnyConnection<'_> {
    pub(crate) fn transport(&self) -> Transport {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Transport::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Transport::Postgres,
        }
    }

    /// Writes the rows within the open transaction, all or none of them.
    pub(crate) async fn write(self, job: SqlJob) {
        let SqlJob { mut messages, timeouts, mut reply, .. } = job;
        let Some(mut rows) = messages.pop() else { return };
        reply.may_have_left(true);
        let outcome = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => transaction::within(connection, &mut rows, timeouts).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => transaction::within(connection, &mut rows, timeouts).await,
        };
        reply.send_all(&outcome);
    }
}
