//! What differs between databases.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Sql;
use super::broker::Heard;
use super::refusal::Refusal;
use crate::brokers::row::{SqlMessage, SqlRow, SqlValue};
use crate::brokers::url::BrokerUrl;
use crate::dispatch::{DispatchError, SqlKind};
use crate::runtime::BoxFuture;

pub(super) type Done<'a> = BoxFuture<'a, Result<(), sqlx::Error>>;

/// The rows of an answer.
pub(super) type Fetched<'a> = BoxFuture<'a, Result<Vec<SqlRow>, sqlx::Error>>;

/// How many rows have changed.
pub(super) type RowsChanged<'a> = BoxFuture<'a, Result<u64, sqlx::Error>>;

/// The savepoint around what is written into a transaction of the caller.
pub(super) const SAVEPOINT: &str = "airlock";

/// A future that is forgotten in place of being dropped before its end: what it has asked of the connection is carried out
/// as a whole all the same. It costs a few hundred bytes of memory then.
pub(super) struct ForgetOnDrop<'a>(Option<Done<'a>>);

impl<'a> ForgetOnDrop<'a> {
    pub(super) fn boxed(future: impl Future<Output = Result<(), sqlx::Error>> + Send + 'a) -> Done<'a> {
        Box::pin(Self(Some(Box::pin(future))))
    }
}

impl Future for ForgetOnDrop<'_> {
    type Output = Result<(), sqlx::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.0 else { unreachable!("polled after it was ready") };
        let polled = future.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl Drop for ForgetOnDrop<'_> {
    fn drop(&mut self) {
        std::mem::forget(self.0.take());
    }
}

/// What was done when the database refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqlPhase {
    /// A connection was made.
    Connecting,
    /// Rows were written.
    Writing,
    /// They, and what was written beside them, were committed.
    Committing,
}

/// A connection of the client crate.
pub(crate) trait Dialect: Send + Sized + 'static {
    /// Those of a pool of the client crate.
    type Options: Clone + Send + Sync + 'static;

    /// Which database it is.
    const KIND: SqlKind;

    /// Whether a statement that only reads needs no transaction, whatever is between here and the database.
    const READS_ALONE: bool;

    /// Whether a statement outside of a transaction is one by itself that waits for others.
    fn commits_each_statement(&self) -> bool;

    /// Makes one: by the options, if there are some, and by the URL otherwise.
    fn connect<'a>(url: &'a BrokerUrl, options: Option<&'a Self::Options>) -> BoxFuture<'a, Result<Self, sqlx::Error>>;

    /// Makes it one of a session: how long it waits for locks, and how long its client waits for an answer.
    fn prepare_session(&mut self, lock_timeout: Duration, answer_timeout: Duration) -> Done<'_> {
        let _ = (lock_timeout, answer_timeout);
        Box::pin(async { Ok(()) })
    }

    /// Has it read by index alone, and join row by row.
    fn read_by_index(&mut self) -> Done<'_> {
        Box::pin(async { Ok(()) })
    }

    /// What a connection holds on to although something else may have taken its place since.
    fn file_id(url: &BrokerUrl) -> Option<(u64, u64)> {
        let _ = url;
        None
    }

    /// Begins a transaction that may write, and waits that long for others that do.
    fn begin(&mut self, lock_timeout: Duration) -> Done<'_>;

    /// Commits it, and waits that long for others that read.
    fn commit(&mut self, lock_timeout: Duration) -> Done<'_>;

    /// Runs a statement without values.
    fn run(&mut self, statement: impl Into<Cow<'static, str>>) -> Done<'_>;

    /// How many transactions and savepoints the client has open on it, as far as it has begun them itself.
    fn depth(&self) -> usize;

    /// Shows that the server has a transaction open that takes statements, and sets the savepoint [`SAVEPOINT`] in it.
    fn check_open(&mut self) -> Done<'_>;

    /// Has the open transaction wait no longer than that for what others hold: a server doesn't notice that its client has
    /// given up.
    fn limit_lock_waits(&mut self, lock_timeout: Duration) -> Done<'_> {
        let _ = lock_timeout;
        Box::pin(async { Ok(()) })
    }

    /// Sets the client's own next savepoint. Dropped before its end, it leaves the transaction as it was.
    fn begin_savepoint(&mut self) -> Done<'_>;

    /// Has the client roll back to its last savepoint before it does anything else on this connection.
    fn rollback_savepoint(&mut self);

    /// Inserts rows of one table.
    fn insert(&mut self, rows: Vec<SqlMessage>) -> Done<'_>;

    /// Runs a statement with values, and gives the rows of its answer, whose columns are whole numbers and texts.
    fn fetch<'a>(&'a mut self, statement: &Arc<str>, values: Vec<SqlValue>) -> Fetched<'a>;

    /// Runs a statement with values that gives no answer; gives how many rows it has changed.
    fn change<'a>(&'a mut self, statement: &Arc<str>, values: Vec<SqlValue>) -> RowsChanged<'a>;

    /// Wakes who listens, once the transaction is committed.
    fn notify<'a>(&'a mut self, channel: &'a str) -> Done<'a>;

    /// Calls the function at each notification of the channel.
    fn listen<'a>(sql: &'a Sql<Self>, channel: &'a str, heard: &'a Heard) -> BoxFuture<'a, Result<(), DispatchError>> {
        let _ = (channel, heard);
        let place = sql.url.place();
        let none = DispatchError::rejected(format!("{place} has no notifications; leave `listen()` out"));
        Box::pin(async { Err(none) })
    }

    /// What an answer of the database means; `None` if it gave none.
    fn refusal(error: &sqlx::Error, phase: SqlPhase) -> Option<Refusal>;

    /// Where a table without a schema is looked for, to say so; `None` if there is nothing to say.
    fn schemas(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }
}
