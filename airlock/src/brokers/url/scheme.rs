//! The kinds of brokers, by the schemes of their URLs.

use crate::brokers::transport::Transport;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Redis,
    RedisTls,
    /// Redis, through the file of a Unix socket.
    RedisSocket,
    Amqp,
    AmqpTls,
    Sqlite,
    Postgres,
    PostgresTls,
}

impl Scheme {
    pub(super) fn split(url: &str) -> Option<(Self, &str)> {
        let (scheme, rest) = url.split_once(':')?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            // A relative path follows the colon alone, or two slashes.
            "sqlite" => return Some((Self::Sqlite, rest.strip_prefix("//").unwrap_or(rest))),
            "redis" | "valkey" => Self::Redis,
            "rediss" | "valkeys" => Self::RedisTls,
            // Of redis-py, redis-rs and kombu.
            "unix" | "redis+unix" | "valkey+unix" | "redis+socket" => Self::RedisSocket,
            "amqp" | "pyamqp" => Self::Amqp,
            "amqps" => Self::AmqpTls,
            "postgres" | "postgresql" => Self::Postgres,
            // As SQLAlchemy names the client that it uses.
            "postgresql+psycopg" | "postgresql+psycopg2" | "postgresql+asyncpg" => Self::Postgres,
            _ => return None,
        };
        Some((scheme, rest.strip_prefix("//")?))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::RedisTls => "rediss",
            Self::RedisSocket => "redis+socket",
            Self::Amqp => "amqp",
            Self::AmqpTls => "amqps",
            Self::Sqlite => "sqlite",
            Self::Postgres | Self::PostgresTls => "postgres",
        }
    }

    pub(super) fn port(self) -> u16 {
        match self {
            Self::Redis | Self::RedisTls => 6379,
            Self::Amqp => 5672,
            Self::AmqpTls => 5671,
            Self::Postgres | Self::PostgresTls => 5432,
            Self::RedisSocket | Self::Sqlite => 0,
        }
    }

    /// The cargo feature it needs, unless that is on.
    pub(crate) fn missing_feature(self) -> Option<&'static str> {
        macro_rules! unless_on {
            ($feature:literal) => {
                (!cfg!(feature = $feature)).then_some($feature)
            };
        }
        match self {
            Self::Redis | Self::RedisSocket => unless_on!("redis"),
            Self::RedisTls => unless_on!("redis-tls"),
            Self::Amqp => unless_on!("amqp"),
            Self::AmqpTls => unless_on!("amqp-tls"),
            Self::Sqlite => unless_on!("sqlite"),
            Self::Postgres => unless_on!("postgres"),
            Self::PostgresTls => unless_on!("postgres-tls"),
        }
    }

    pub(crate) fn transport(self) -> Transport {
        match self {
            Self::Redis | Self::RedisTls | Self::RedisSocket => Transport::Redis,
            Self::Amqp | Self::AmqpTls => Transport::Amqp,
            Self::Sqlite => Transport::Sqlite,
            Self::Postgres | Self::PostgresTls => Transport::Postgres,
        }
    }
}
