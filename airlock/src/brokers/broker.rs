//! A broker by its URL: one of the transports that this program has.

use std::time::Duration;

#[cfg(feature = "_sql")]
use super::row::SqlTable;
#[cfg(feature = "_sql")]
use super::sql::{GivenOptions, PoolSource, SqlSession, open_session};
use super::transport::Transport;
use super::url::{BrokerUrl, BrokerUrlError};
#[cfg(feature = "_sql")]
use crate::dispatch::DispatchError;

/// How long a flush tries to reach a broker, unless set otherwise: less than its own deadline, so that a fallback has
/// time left.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A broker; clones share its connection.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    url: BrokerUrl,
    #[cfg(feature = "_sql")]
    given: GivenOptions,
    pub(crate) manager: AnyManager,
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
        Ok(Self {
            url,
            manager,
            #[cfg(feature = "_sql")]
            given: GivenOptions::None,
        })
    }

    /// The database of a pool.
    #[cfg(feature = "_sql")]
    pub(crate) fn of_pool(source: PoolSource) -> Result<Self, BrokerUrlError> {
        let PoolSource { url, options: given } = source;
        let manager = AnyManager::with_options(&url, &given, CONNECT_TIMEOUT)?;
        Ok(Self { url, given, manager })
    }

    /// A connection for statements with answers, if this is a SQL database.
    #[cfg(feature = "_sql")]
    pub(crate) async fn session(&self, table: &'static SqlTable) -> Result<Box<dyn SqlSession>, DispatchError> {
        match &self.manager {
            #[cfg(feature = "sqlite")]
            AnyManager::Sqlite(manager) => open_session(manager.protocol(), table).await,
            #[cfg(feature = "postgres")]
            AnyManager::Postgres(manager) => open_session(manager.protocol(), table).await,
            #[allow(unreachable_patterns, reason = "without other transports there is nothing else")]
            _ => Err(DispatchError::rejected(format!("{} is no SQL database", self.url.place()))),
        }
    }

    /// Calls the closure at each notification of the channel, as long as this is awaited and the database has such a
    /// thing. An error is no connection at first; later ones are made again.
    #[cfg(feature = "_sql")]
    pub(crate) async fn listen(&self, channel: &str, heard: impl Fn()) -> Result<(), DispatchError> {
        let _ = (channel, &heard);
        match &self.manager {
            #[cfg(feature = "postgres")]
            AnyManager::Postgres(manager) => {
                let mut listener = super::sql::listen(manager.protocol(), channel).await?;
                heard();
                // `None` is a connection that was lost: notifications of meanwhile are not known.
                while listener.try_recv().await.is_ok() {
                    heard();
                }
                Ok(())
            }
            #[allow(unreachable_patterns, reason = "without other transports there is nothing else")]
            _ => {
                Err(DispatchError::rejected(format!("{} has no notifications; leave `listen()` out", self.url.place())))
            }
        }
    }

    /// The same broker with a connection of its own.
    pub(crate) fn with_connect_timeout(self, timeout: Duration) -> Self {
        #[cfg(feature = "_sql")]
        let made = AnyManager::with_options(&self.url, &self.given, timeout);
        #[cfg(not(feature = "_sql"))]
        let made = AnyManager::new(&self.url, timeout);
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

#[cfg(feature = "_sql")]
impl AnyManager {
    /// That of a database with the options of a pool, if there is one.
    fn with_options(url: &BrokerUrl, given: &GivenOptions, timeout: Duration) -> Result<Self, BrokerUrlError> {
        match given {
            GivenOptions::None => Self::new(url, timeout),
            #[cfg(feature = "sqlite")]
            GivenOptions::Sqlite(options) => {
                let sql = super::sql::Sql::with_options(url.clone(), Some((**options).clone()));
                Ok(Self::Sqlite(super::connection::ConnectionManager::new(sql, timeout)))
            }
            #[cfg(feature = "postgres")]
            GivenOptions::Postgres(options) => {
                let sql = super::sql::Sql::with_options(url.clone(), Some((**options).clone()));
                Ok(Self::Postgres(super::connection::ConnectionManager::new(sql, timeout)))
            }
        }
    }
}
