//! A broker by its URL: one of the transports that this program has.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::transport::Transport;
use super::url::{BrokerUrl, BrokerUrlError};

/// How long a flush tries to reach a broker, unless set otherwise: less than its own deadline, so that a fallback has
/// time left.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A broker; clones share its connection.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    url: BrokerUrl,
    options: Option<PoolOptions>,
    pub(crate) manager: AnyManager,
}

/// What connects as a pool of the client crate does, and waits so long for a connection.
#[derive(Clone)]
pub(crate) struct PoolOptions(Arc<ConnectAsPool>);

type ConnectAsPool = dyn Fn(&BrokerUrl, Duration) -> AnyManager + Send + Sync;

impl PoolOptions {
    pub(crate) fn new(connect: impl Fn(&BrokerUrl, Duration) -> AnyManager + Send + Sync + 'static) -> Self {
        Self(Arc::new(connect))
    }
}

impl fmt::Debug for PoolOptions {
    /// Nothing of what they are: a password is among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PoolOptions")
    }
}

/// Makes [`AnyManager`] of the transports: the feature of each, its variant, and how it is spoken to.
macro_rules! any_manager {
    ($($feature:literal => $transport:ident($protocol:ty);)*) => {
        /// The connection manager of one of the transports. There is none without a transport.
        #[derive(Debug, Clone)]
        pub(crate) enum AnyManager {
            $(
                #[cfg(feature = $feature)]
                $transport(super::connection::ConnectionManager<$protocol>),
            )*
        }

        impl AnyManager {
            #[allow(unused_variables, reason = "without a transport there is nothing to wait for")]
            fn new(url: &BrokerUrl, connect_timeout: Duration) -> Result<Self, BrokerUrlError> {
                match url.scheme.transport() {
                    $(
                        #[cfg(feature = $feature)]
                        Transport::$transport => {
                            let protocol = <$protocol>::new(url.clone());
                            Ok(Self::$transport(super::connection::ConnectionManager::new(protocol, connect_timeout)))
                        }
                    )*
                    #[allow(unreachable_patterns, reason = "with all transports there is none that is missing")]
                    _ => Err(BrokerUrlError::Feature(url.scheme.missing_feature().unwrap_or("redis"))),
                }
            }
        }
    };
}

any_manager! {
    "redis" => Redis(super::redis::Redis);
    "amqp" => Amqp(super::amqp::Amqp);
    "sqlite" => Sqlite(super::sql::Sql<sqlx::SqliteConnection>);
    "postgres" => Postgres(super::sql::Sql<sqlx::PgConnection>);
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
        Ok(Self { url, options: None, manager })
    }

    /// The database of a pool.
    pub(crate) fn of_pool(url: BrokerUrl, options: PoolOptions) -> Self {
        Self { manager: (options.0)(&url, CONNECT_TIMEOUT), url, options: Some(options) }
    }

    /// The same broker with a connection of its own.
    pub(crate) fn with_connect_timeout(self, timeout: Duration) -> Self {
        let made = match &self.options {
            Some(options) => Ok((options.0)(&self.url, timeout)),
            None => AnyManager::new(&self.url, timeout),
        };
        match made {
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
