//! A broker that is a SQL database: what an outbox asks of it beside writing rows.

use super::dialect::Dialect;
use super::session::{self, SqlSession};
use super::{PoolSource, Sql};
use crate::brokers::broker::{AnyManager, Broker};
use crate::brokers::row::SqlTable;
use crate::dispatch::DispatchError;
use crate::runtime::BoxFuture;

/// A database of one kind.
trait SqlDatabase: Send + Sync {
    fn session(&self, table: &'static SqlTable) -> BoxFuture<'_, Result<Box<dyn SqlSession>, DispatchError>>;

    fn listen<'a>(&'a self, channel: &'a str, heard: &'a Heard) -> BoxFuture<'a, Result<(), DispatchError>>;
}

/// What is called at each notification.
pub(super) type Heard = dyn Fn() + Send + Sync;

impl<C: Dialect> SqlDatabase for Sql<C> {
    fn session(&self, table: &'static SqlTable) -> BoxFuture<'_, Result<Box<dyn SqlSession>, DispatchError>> {
        Box::pin(session::open(self, table))
    }

    fn listen<'a>(&'a self, channel: &'a str, heard: &'a Heard) -> BoxFuture<'a, Result<(), DispatchError>> {
        C::listen(self, channel, heard)
    }
}

impl From<PoolSource> for Broker {
    fn from(source: PoolSource) -> Self {
        Self::of_pool(source.url, source.options)
    }
}

impl Broker {
    /// A connection for statements with answers.
    pub(crate) async fn session(&self, table: &'static SqlTable) -> Result<Box<dyn SqlSession>, DispatchError> {
        self.database()?.session(table).await
    }

    /// Calls the function at each notification of the channel, as long as this is awaited and the database has such a
    /// thing. An error is no connection at first; later ones are made again.
    pub(crate) async fn listen(&self, channel: &str, heard: &Heard) -> Result<(), DispatchError> {
        self.database()?.listen(channel, heard).await
    }

    fn database(&self) -> Result<&dyn SqlDatabase, DispatchError> {
        match &self.manager {
            #[cfg(feature = "sqlite")]
            AnyManager::Sqlite(manager) => Ok(manager.protocol()),
            #[cfg(feature = "postgres")]
            AnyManager::Postgres(manager) => Ok(manager.protocol()),
            #[allow(unreachable_patterns, reason = "without other transports there is nothing else")]
            _ => Err(DispatchError::rejected(format!("{} is no SQL database", self.url().place()))),
        }
    }
}
