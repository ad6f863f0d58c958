//! Transports: they move bytes and know no task.

#[cfg(feature = "amqp")]
mod amqp;
#[cfg(feature = "_queue")]
mod broker;
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres"))]
mod fault;
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres", feature = "lambda"))]
pub(crate) mod io;
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres"))]
mod jitter;
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres"))]
mod job;
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres"))]
mod keeper;
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres"))]
mod link;
mod message;
#[cfg(feature = "redis")]
mod redis;
#[cfg_attr(
    not(all(feature = "django-tasks", feature = "huey")),
    allow(dead_code, reason = "not every system needs all of it")
)]
mod row;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[cfg_attr(
    not(all(feature = "django-tasks", feature = "huey")),
    allow(dead_code, reason = "not every system needs all of it")
)]
mod sql;
#[cfg(feature = "_queue")]
mod url;

#[cfg(feature = "amqp")]
pub(crate) use amqp::Addressed;
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres"))]
pub(crate) use broker::AnyLink;
#[cfg(feature = "_queue")]
pub(crate) use broker::Broker;
#[cfg(any(feature = "redis", feature = "amqp"))]
pub(crate) use job::Answers;
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres"))]
pub(crate) use job::Line;
#[cfg(all(feature = "django-tasks", any(feature = "sqlite", feature = "postgres")))]
pub(crate) use job::{Answer, Patience};
#[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres"))]
pub(crate) use link::{Link, Protocol};
pub use message::{AmqpMessage, AmqpProperties, AmqpValue, BrokerMessage, RedisMessage};
pub(crate) use message::{AmqpQueue, Transport};
pub use row::{SqlMessage, SqlValue};
#[cfg_attr(not(feature = "django-tasks"), allow(unused_imports, reason = "not every system needs all of it"))]
pub(crate) use row::{SqlTable, SqlType};
#[cfg(all(feature = "django-tasks", any(feature = "sqlite", feature = "postgres")))]
pub use sql::SqlConnection;
#[cfg(all(feature = "django-tasks", any(feature = "sqlite", feature = "postgres")))]
pub(crate) use sql::{AnyConnection, SqlJob};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use sql::{RowSender, Rows, Sql};
#[cfg(feature = "_queue")]
pub use url::{BrokerUrl, BrokerUrlError};
