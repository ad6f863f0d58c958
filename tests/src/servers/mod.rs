//! Real brokers for tests: each on a free port of the loopback interface, with a folder of its own, ended with its handle.

mod http;
#[cfg(feature = "lambda")]
mod moto;
mod rabbit;
#[cfg(feature = "redis")]
mod redis;

pub use http::{Answer, HttpServer, Request};
#[cfg(feature = "lambda")]
pub use moto::{MotoServer, Recorded};
pub use rabbit::RabbitServer;
#[cfg(feature = "redis")]
pub use redis::RedisServer;
