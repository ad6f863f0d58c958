//! Transports: they move bytes and know no task.

#[cfg(feature = "amqp")]
pub(crate) mod amqp;
mod broker;
#[cfg(feature = "_broker")]
pub(crate) mod connection;
mod message;
mod peer;
#[cfg(feature = "redis")]
mod redis;
mod row;
#[cfg(feature = "_sql")]
pub(crate) mod sql;
mod transport;
mod url;

pub(crate) use broker::{AnyManager, Broker};
pub(crate) use message::{AmqpDeclaration, AmqpQueue};
pub use message::{AmqpMessage, AmqpProperties, AmqpValue, BrokerMessage, RedisMessage};
pub use row::{SqlMessage, SqlValue};
pub(crate) use row::{SqlRow, SqlTable, SqlType, quoted_name};
pub(crate) use transport::Transport;
pub use url::{BrokerUrl, BrokerUrlError};
