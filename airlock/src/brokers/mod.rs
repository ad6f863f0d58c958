//! Transports: they move bytes and know no task.

#[cfg(feature = "amqp")]
mod amqp;
mod broker;
#[cfg(feature = "_tls")]
mod certificates;
#[cfg(feature = "_broker")]
mod driver;
#[cfg(feature = "_broker")]
mod fault;
#[cfg(feature = "_broker")]
mod job;
#[cfg(feature = "_broker")]
mod manager;
mod message;
mod peer;
#[cfg(feature = "redis")]
mod redis;
mod row;
#[cfg(feature = "_sql")]
pub(crate) mod sql;
mod url;

#[cfg(feature = "amqp")]
pub(crate) use amqp::Addressed;
pub(crate) use broker::{AnyManager, Broker};
#[cfg(feature = "_broker")]
pub(crate) use job::{FlushDoubt, JobReplies, JobReply, JobTimeouts};
#[cfg(feature = "_broker")]
pub(crate) use manager::{ConnectionManager, Protocol};
pub(crate) use message::{AmqpDeclaration, AmqpQueue, Transport};
pub use message::{AmqpMessage, AmqpProperties, AmqpValue, BrokerMessage, RedisMessage};
pub use row::{SqlMessage, SqlValue};
pub(crate) use row::{SqlRow, SqlTable, SqlType, quoted_name};
#[cfg(feature = "_sql")]
pub(crate) use sql::{AnyConnection, Dialect, RowSender, Rows, Sql, SqlConnection, SqlJob, SqlPool, SqlSession};
pub use url::{BrokerUrl, BrokerUrlError};
