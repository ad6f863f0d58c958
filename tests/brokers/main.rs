//! Real brokers: what arrives there, and what is known when they fail.

mod expiry;
mod forked;
mod memory;
mod pgbouncer;
mod postgres_answers;
mod postgres_faults;
mod proxy;
mod rabbit;
mod rabbit_faults;
mod rabbit_flushes;
mod rabbit_limits;
mod rabbit_refusals;
mod redis_entry;
mod redis_faults;
mod redis_flushes;
mod redis_forms;
mod redis_refusals;
mod redis_states;
mod refusing;
mod relay;
mod sql_insert;
mod sql_insert_dropped;
mod sql_rows;
mod sql_systems;
mod sql_transactions;
mod sqlite_faults;
mod sqlite_owners;
mod tasks;
#[cfg(all(feature = "redis-tls", feature = "amqp-tls", feature = "postgres-tls"))]
mod tls;
mod url_forms;
