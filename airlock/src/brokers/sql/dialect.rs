//! What differs between databases.

use std::borrow::Cow;
use std::time::Duration;

use super::refusal::Refusal;
use crate::brokers::row::SqlMessage;
use crate::brokers::url::BrokerUrl;
use crate::runtime::BoxFuture;

pub(super) type Done<'a> = BoxFuture<'a, Result<(), sqlx::Error>>;

/// The savepoint around what is written into a transaction of the caller.
pub(super) const PROOF: &str = "airlock";

/// A connection of the client crate.
pub(crate) trait Dialect: Send + Sized + 'static {
    /// Makes one.
    fn connect(url: &BrokerUrl) -> BoxFuture<'_, Result<Self, sqlx::Error>>;

    /// What a connection holds on to although something else may have taken its place since.
    fn identity(url: &BrokerUrl) -> Option<(u64, u64)> {
        let _ = url;
        None
    }

    /// Begins a transaction that may write, and waits that long for others that do.
    fn begin(&mut self, patience: Duration) -> Done<'_>;

    /// Commits it, and waits that long for others that read.
    fn commit(&mut self, patience: Duration) -> Done<'_>;

    /// Runs a statement without values.
    fn run(&mut self, statement: impl Into<Cow<'static, str>>) -> Done<'_>;

    /// How many transactions and savepoints the client has open on it, as far as it has begun them itself.
    fn depth(&self) -> usize;

    /// Shows that the server has a transaction open that takes statements, and sets the savepoint [`PROOF`] in it.
    fn prove_open(&mut self) -> Done<'_>;

    /// Sets the client's own next savepoint. Dropped before its end, it leaves the transaction as it was.
    fn nest(&mut self) -> Done<'_>;

    /// Has the client roll back to its last savepoint before it does anything else on this connection.
    fn unnest(&mut self);

    /// Inserts rows of one table.
    fn insert(&mut self, rows: Vec<SqlMessage>) -> Done<'_>;

    /// Wakes who listens, once the transaction is committed.
    fn notify<'a>(&'a mut self, channel: &'a str) -> Done<'a>;

    /// What an answer of the database means; `None` if it gave none.
    fn refusal(error: &sqlx::Error) -> Option<Refusal>;
}
