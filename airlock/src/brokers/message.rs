//! What brokers are given: bytes, and where they go. Plain data, so that each wire format is tested without a broker.

use std::borrow::Cow;
use std::fmt;
use std::mem::{Discriminant, discriminant};

use super::row::SqlMessage;
use crate::text::redact::redact_text;

/// A message as an executor would send it, with the place it goes to: for those who send it themselves, from a table in
/// their database.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum BrokerMessage {
    /// For Redis.
    Redis(RedisMessage),
    /// For RabbitMQ.
    Amqp(AmqpMessage),
    /// For a SQL database.
    Sql(SqlMessage),
}

/// One message for Redis. What it writes is there as a whole or not at all.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisMessage {
    /// `LPUSH list body`.
    PushLeft {
        /// The list's key.
        list: String,
        /// The element.
        body: Vec<u8>,
    },
    /// `RPUSH list body`.
    PushRight {
        /// The list's key.
        list: String,
        /// The element.
        body: Vec<u8>,
    },
    /// `ZADD set score member`.
    AddScored {
        /// The sorted set's key.
        set: String,
        /// The member's place among the others; the lowest is taken first.
        score: i64,
        /// The member.
        member: Vec<u8>,
    },
    /// `HSET hash field body` and then `RPUSH list field`, as one transaction (`MULTI`, `EXEC`): what finds the id in the
    /// list finds the message in the hash. Where a user may not use `MULTI`, one is done after the other.
    StoreAndPush {
        /// The key of the hash with the messages.
        hash: String,
        /// The field in the hash, and the element of the list.
        field: String,
        /// The list's key.
        list: String,
        /// The value of the field.
        body: Vec<u8>,
    },
}

impl RedisMessage {
    pub(crate) fn body(&self) -> &[u8] {
        match self {
            Self::PushLeft { body, .. } | Self::PushRight { body, .. } | Self::StoreAndPush { body, .. } => body,
            Self::AddScored { member, .. } => member,
        }
    }

    /// The key of the queue.
    pub(crate) fn queue(&self) -> &str {
        match self {
            Self::PushLeft { list, .. } | Self::PushRight { list, .. } | Self::StoreAndPush { list, .. } => list,
            Self::AddScored { set, .. } => set,
        }
    }

    /// What tells whether two messages go the same way.
    pub(crate) fn destination(&self) -> (Discriminant<Self>, &str, Option<&str>) {
        let hash = match self {
            Self::StoreAndPush { hash, .. } => Some(hash.as_str()),
            _ => None,
        };
        (discriminant(self), self.queue(), hash)
    }
}

/// One message for RabbitMQ. It is published as persistent and `mandatory`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct AmqpMessage {
    /// Where it is published to: the default exchange, whose name is empty, unless RabbitMQ spends its delay.
    pub exchange: &'static str,
    /// The queue's name, after the bits of a delay that RabbitMQ spends.
    pub routing_key: String,
    /// How many bytes of the routing key stand before the queue's name.
    pub(crate) queue_at: usize,
    /// What goes beside the body.
    pub properties: AmqpProperties,
    /// The content.
    pub body: Vec<u8>,
}

impl AmqpMessage {
    /// The queue in which it ends.
    pub(crate) fn queue(&self) -> &str {
        self.routing_key.get(self.queue_at..).unwrap_or_default()
    }
}

/// The properties of a message, as far as any system sets them.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct AmqpProperties {
    /// `content-type`.
    pub content_type: Option<&'static str>,
    /// `content-encoding`.
    pub content_encoding: Option<&'static str>,
    /// `priority`; higher is sooner.
    pub priority: Option<u8>,
    /// `correlation-id`.
    pub correlation_id: Option<String>,
    /// `reply-to`.
    pub reply_to: Option<String>,
    /// `expiration`: milliseconds, as a decimal number.
    pub expiration: Option<String>,
    /// `headers`, in the order they are written.
    pub headers: Vec<(Cow<'static, str>, AmqpValue)>,
}

/// A value in a table of headers or queue arguments.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum AmqpValue {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A long string.
    Text(Cow<'static, str>),
    /// An array.
    List(Vec<Self>),
    /// A table, in the order it is written.
    Table(Vec<(Cow<'static, str>, Self)>),
}

impl fmt::Debug for RedisMessage {
    /// Where it goes and how large it is; what it says may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, key, body) = match self {
            Self::PushLeft { list, body } => ("PushLeft", list, body),
            Self::PushRight { list, body } => ("PushRight", list, body),
            Self::AddScored { set, member, .. } => ("AddScored", set, member),
            Self::StoreAndPush { list, body, .. } => ("StoreAndPush", list, body),
        };
        f.debug_struct(name).field("key", &redact_text(key)).field("bytes", &body.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for AmqpMessage {
    /// Where it goes and how large it is; what it says may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpMessage")
            .field("exchange", &self.exchange)
            .field("routing_key", &redact_text(&self.routing_key))
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AmqpProperties {
    /// Headers by name only: their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("AmqpProperties")
            .field("priority", &self.priority)
            .field("expiration", &self.expiration)
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AmqpValue {
    /// Its kind; the value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Int(_) => "Int",
            Self::Text(_) => "Text",
            Self::List(_) => "List",
            Self::Table(_) => "Table",
        })
    }
}

/// A durable queue, as the other system declares it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AmqpQueue {
    pub(crate) name: String,
    pub(crate) arguments: Vec<(&'static str, AmqpValue)>,
}

/// What has to be so before a message is published.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AmqpDeclaration {
    /// The queue, as it is declared.
    Queue(AmqpQueue),
    /// A queue of this name, however it was declared.
    AnyQueue(String),
    /// A durable exchange of the type `topic`.
    Topic(String),
    /// An exchange of this name, however it was declared.
    AnyExchange(String),
    /// The queue gets what comes to the exchange with such a routing key.
    QueueBinding { queue: String, exchange: String, key: String },
    /// The exchange gets what comes to another one with such a routing key.
    ExchangeBinding { exchange: String, from: String, key: String },
}
