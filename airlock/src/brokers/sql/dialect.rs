//! What differs between databases.

use std::time::Duration;

use super::refusal::Refusal;
use crate::brokers::row::SqlMessage;
use crate::brokers::url::BrokerUrl;
use crate::runtime::BoxFuture;

pub(super) type Done<'a> = BoxFuture<'a, Result<(), sqlx::Error>>;

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
    fn run(&mut self, statement: &'static str) -> Done<'_>;

    /// Inserts rows of one table.
    fn insert(&mut self, rows: Vec<SqlMessage>) -> Done<'_>;

    /// Wakes who listens, once the transaction is committed.
    fn notify<'a>(&'a mut self, channel: &'a str) -> Done<'a>;

    /// What an answer of the database means; `None` if it gave none.
    fn refusal(error: &sqlx::Error) -> Option<Refusal>;
}
