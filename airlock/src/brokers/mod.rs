//! Transports: they move bytes and know no task.

#[cfg(feature = "amqp")]
mod amqp;
mod broker;
#[cfg(any(feature = "redis", feature = "amqp"))]
mod fault;
#[cfg(any(feature = "redis", feature = "amqp", feature = "lambda"))]
pub(crate) mod io;
#[cfg(any(feature = "redis", feature = "amqp"))]
mod jitter;
#[cfg(any(feature = "redis", feature = "amqp"))]
mod job;
#[cfg(any(feature = "redis", feature = "amqp"))]
mod keeper;
#[cfg(any(feature = "redis", feature = "amqp"))]
mod link;
mod message;
#[cfg(feature = "redis")]
mod redis;
mod url;

#[cfg(feature = "amqp")]
pub(crate) use amqp::Addressed;
#[cfg(any(feature = "redis", feature = "amqp"))]
pub(crate) use broker::AnyLink;
pub(crate) use broker::Broker;
#[cfg(any(feature = "redis", feature = "amqp"))]
pub(crate) use job::Answers;
#[cfg(any(feature = "redis", feature = "amqp"))]
pub(crate) use link::{Link, Protocol};
pub use message::{AmqpMessage, AmqpProperties, AmqpValue, BrokerMessage, RedisMessage};
pub(crate) use message::{AmqpQueue, Transport};
pub use url::{BrokerUrl, BrokerUrlError};
