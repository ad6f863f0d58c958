//! A broker by its URL: one of the transports that this program has.

use std::time::Duration;

#[cfg(feature = "_broker")]
use super::manager::ConnectionManager;
use super::message::Transport;
#[cfg(feature = "redis")]
use super::redis::Redis;
use super::url::{BrokerUrl, BrokerUrlError};

/// How long a flush tries to reach a broker, unless set otherwise: less than its own deadline, so that a fallback has
/// time left.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A broker; clones share its connection.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    url: BrokerUrl,
    pub(crate) manager: AnyManager,
}

/// The connection manager of one of the transports. There is none without a transport.
#[derive(Debug, Clone)]
pub(crate) enum AnyManager {
    #[cfg(not(feature = "_broker"))]
    Never(std::convert::Infallible),
    #[cfg(feature = "redis")]
    Redis(ConnectionManager<Redis>),
    #[cfg(feature = "amqp")]
    Amqp(ConnectionManager<super::amqp::Amqp>),
    #[cfg(feature = "sqlite")]
    Sqlite(ConnectionManager<super::sql::Sql<sqlx::SqliteConnection>>),
    #[cfg(feature = "postgres")]
    Postgres(ConnectionManager<super::sql::Sql<sqlx::PgConnection>>),
}

impl Broker {
    /// One of those that the system's workers read from.
    pub(crate) fn for_system(
        url: &str,
        system: &'static str,
        transports: &[Transport],
    ) -> Result<Self, BrokerUrlError> {
        // Before anything is said about features: adding one would not help.
        let url: BrokerUrl = url.parse()?;
        if !transports.contains(&url.scheme.transport()) {
            return Err(BrokerUrlError::System(system));
        }
        let url = url.usable()?;
        let manager = AnyManager::new(&url, CONNECT_TIMEOUT)?;
        Ok(Self { url, manager })
    }

    /// The same broker with a connection of its own.
    pub(crate) fn with_connect_timeout(self, timeout: Duration) -> Self {
        match AnyManager::new(&self.url, timeout) {
            Ok(manager) => Self { manager, ..self },
            // It was made once, so its transport is there.
            Err(_) => self,
        }
    }

    pub(crate) fn url(&self) -> &BrokerUrl {
        &self.url
    }

    pub(crate) fn transport(&self) -> Transport {
        self.url.scheme.transport()
    }
}

impl AnyManager {
    fn new(url: &BrokerUrl, connect_timeout: Duration) -> Result<Self, BrokerUrlError> {
        let _ = connect_timeout;
        match url.scheme.transport() {
            #[cfg(feature = "redis")]
            Transport::Redis => Ok(Self::Redis(ConnectionManager::new(Redis::new(url.clone()), connect_timeout))),
            #[cfg(feature = "amqp")]
            Transport::Amqp => {
                Ok(Self::Amqp(ConnectionManager::new(super::amqp::Amqp::new(url.clone()), connect_timeout)))
            }
            #[cfg(feature = "sqlite")]
            Transport::Sqlite => {
                Ok(Self::Sqlite(ConnectionManager::new(super::sql::Sql::new(url.clone()), connect_timeout)))
            }
            #[cfg(feature = "postgres")]
            Transport::Postgres => {
                Ok(Self::Postgres(ConnectionManager::new(super::sql::Sql::new(url.clone()), connect_timeout)))
            }
            #[allow(unreachable_patterns, reason = "with all transports there is none that is missing")]
            _ => Err(BrokerUrlError::Feature(url.scheme.missing_feature().unwrap_or("redis"))),
        }
    }
}
