//! Real brokers for tests: each on a free port of the loopback interface, with a folder of its own, ended with its handle.

#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod database;
#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod django;
mod http;
#[cfg(feature = "lambda")]
mod moto;
#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod pgbouncer;
#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod postgres;
mod rabbit;
#[cfg(feature = "redis")]
mod redis;

#[cfg(all(feature = "sqlite", feature = "postgres"))]
pub use database::Database;
#[cfg(all(feature = "sqlite", feature = "postgres"))]
pub use django::DjangoDatabase;
pub use http::{Answer, HttpServer, Request};
#[cfg(feature = "lambda")]
pub use moto::{MotoServer, Recorded};
#[cfg(all(feature = "sqlite", feature = "postgres"))]
pub use pgbouncer::PgBouncer;
#[cfg(all(feature = "sqlite", feature = "postgres"))]
pub use postgres::PostgresServer;
pub use rabbit::RabbitServer;
#[cfg(feature = "redis")]
pub use redis::RedisServer;
