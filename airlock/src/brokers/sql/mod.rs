//! SQL databases: the rows of a flush in one transaction.

mod any;
mod connection;
mod dialect;
#[cfg(feature = "postgres")]
mod postgres;
mod refusal;
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction;

use std::marker::PhantomData;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::connection::{Liveness, Protocol};
use super::url::BrokerUrl;
use crate::dispatch::DispatchError;
use crate::runtime::BoxFuture;

pub use any::SqlConnection;
pub(crate) use any::{AnyConnection, SqlJob, add_rows};
use connection::WriterHandle;
use dialect::Dialect;
use rows::TransactionPermit;
pub(crate) use rows::{RowSender, Rows};

/// How a database is spoken to.
#[derive(Debug)]
pub(crate) struct Sql<C> {
    url: BrokerUrl,
    /// A connection has one transaction at a time. Flushes wait here, before anything of them begins.
    transactions: Arc<Semaphore>,
    of: PhantomData<fn() -> C>,
}

impl<C> Sql<C> {
    pub(crate) fn new(url: BrokerUrl) -> Self {
        Self { url, transactions: Arc::new(Semaphore::new(1)), of: PhantomData }
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
        Box::pin(async move { connection::connect(&self.url, liveness).await })
    }
}
