//! Real brokers: what arrives there, and what is known when they fail.

mod forked;
mod proxy;
mod rabbit;
mod rabbit_faults;
mod rabbit_flushes;
mod redis_faults;
mod redis_flushes;
mod redis_forms;
mod sql_faults;
mod sql_insert;
mod tasks;
#[cfg(all(feature = "redis-tls", feature = "amqp-tls"))]
mod tls;
