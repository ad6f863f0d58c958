//! SQL databases: the rows of a flush in one transaction.

mod any;
mod broker;
mod connection;
mod dialect;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod refusal;
mod rows;
mod session;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction;

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::connection::{Liveness, Protocol};
use super::url::BrokerUrl;
use crate::dispatch::DispatchError;
use crate::runtime::BoxFuture;

pub use any::SqlConnection;
pub(crate) use any::{AnyConnection, SqlJob, add_rows, write_rows};
use connection::WriterHandle;
pub(crate) use dialect::Dialect;
use pool::PoolSource;
pub use pool::SqlPool;
use rows::TransactionPermit;
pub(crate) use rows::{RowSender, Rows};
pub(crate) use session::SqlSession;

/// How a database is spoken to.
pub(crate) struct Sql<C: Dialect> {
    url: BrokerUrl,
    /// Those of a pool, which count more than the URL.
    options: Option<C::Options>,
    /// A connection has one transaction at a time. Flushes wait here, before anything of them begins.
    transactions: Arc<Semaphore>,
}

impl<C: Dialect> Sql<C> {
    pub(crate) fn new(url: BrokerUrl) -> Self {
        Self::with_options(url, None)
    }

    /// With the options of a pool, if there are some.
    pub(crate) fn with_options(url: BrokerUrl, options: Option<C::Options>) -> Self {
        Self { url, options, transactions: Arc::new(Semaphore::new(1)) }
    }

    /// The right to the next transaction.
    pub(crate) async fn permit(&self) -> TransactionPermit {
        // It is never closed, and without a permit the connection itself would still keep the order.
        TransactionPermit(Arc::clone(&self.transactions).acquire_owned().await.ok())
    }
}

impl<C: Dialect> Protocol for Sql<C> {
    type Message = Rows;
    type Connection = WriterHandle<C>;

    fn size(_: &Rows) -> usize {
        0
    }

    fn place(&self) -> String {
        self.url.place()
    }

    fn connect(self: Arc<Self>, liveness: Liveness) -> BoxFuture<'static, Result<WriterHandle<C>, DispatchError>> {
        Box::pin(async move { connection::connect(&self, liveness).await })
    }
}
