//! Connections of airlock's own, made as those of a pool are.

use crate::brokers::broker::PoolOptions;
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
    pub(crate) options: PoolOptions,
}
