//! Connections of airlock's own, made as those of a pool are.

use crate::brokers::url::{BrokerUrl, BrokerUrlError};

/// A pool of the crate `sqlx` 0.9: `sqlx::SqlitePool` and `sqlx::PgPool`, as far as the features `sqlite` and `postgres`
/// are on. Connections are made with its options, and none is taken from it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pool whose options airlock can connect with",
    note = "give a `sqlx::SqlitePool` or a `sqlx::PgPool` of sqlx 0.9, with airlock's feature `sqlite` or `postgres`"
)]
pub trait SqlPool {
    #[doc(hidden)]
    fn source(&self) -> Result<PoolSource, BrokerUrlError>;
}

/// Where a pool's database is, for people, and how it is connected to.
#[doc(hidden)]
#[derive(Debug)]
pub struct PoolSource {
    pub(crate) url: BrokerUrl,
    pub(crate) options: GivenOptions,
}

/// The options of a pool.
#[derive(Clone)]
pub(crate) enum GivenOptions {
    /// There is no pool.
    None,
    #[cfg(feature = "sqlite")]
    Sqlite(Box<sqlx::sqlite::SqliteConnectOptions>),
    #[cfg(feature = "postgres")]
    Postgres(Box<sqlx::postgres::PgConnectOptions>),
}

impl std::fmt::Debug for GivenOptions {
    /// Nothing of what they are: a password is among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GivenOptions")
    }
}

#[cfg(feature = "sqlite")]
impl SqlPool for sqlx::SqlitePool {
    fn source(&self) -> Result<PoolSource, BrokerUrlError> {
        let options = self.connect_options();
        // As the client crate names a database in memory.
        if options.get_filename().to_str().is_some_and(|name| name.starts_with("file:sqlx-in-memory")) {
            return Err(BrokerUrlError::Memory);
        }
        let url = BrokerUrl::of_path(options.get_filename().to_str().ok_or(BrokerUrlError::Path)?)?;
        Ok(PoolSource { url, options: GivenOptions::Sqlite(Box::new((*options).clone())) })
    }
}

#[cfg(feature = "postgres")]
impl SqlPool for sqlx::PgPool {
    fn source(&self) -> Result<PoolSource, BrokerUrlError> {
        let options = self.connect_options();
        let socket = options.get_socket().and_then(|folder| folder.to_str()).map(str::to_owned);
        let host = if socket.is_some() { "" } else { options.get_host() };
        let (user, database) = (options.get_username(), options.get_database().unwrap_or_default());
        let url = BrokerUrl::of_database(host, options.get_port(), socket, user, database);
        Ok(PoolSource { url, options: GivenOptions::Postgres(Box::new((*options).clone())) })
    }
}
