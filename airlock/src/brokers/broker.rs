//! A broker by its URL: one of the transports that this program has.

use std::time::Duration;

#[cfg(any(feature = "redis", feature = "amqp"))]
use super::link::Link;
use super::message::Transport;
#[cfg(feature = "redis")]
use super::redis::Redis;
use super::url::{BrokerUrl, BrokerUrlError};

/// How long a flush tries to reach a broker, unless told otherwise: less than its own deadline, so that a fallback has
/// time left.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A broker; clones share its connection.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    url: BrokerUrl,
    pub(crate) link: AnyLink,
}

/// The link of one of the transports. There is none without a transport.
#[derive(Debug, Clone)]
pub(crate) enum AnyLink {
    #[cfg(feature = "redis")]
    Redis(Link<Redis>),
    #[cfg(feature = "amqp")]
    Amqp(Link<super::amqp::Amqp>),
}

impl Broker {
    pub(crate) fn new(url: &str) -> Result<Self, BrokerUrlError> {
        let url = BrokerUrl::usable(url)?;
        let link = AnyLink::new(&url, CONNECT_TIMEOUT)?;
        Ok(Self { url, link })
    }

    /// One of those that the system's workers read from.
    #[cfg(any(feature = "django-q", feature = "huey"))]
    pub(crate) fn for_system(
        url: &str,
        system: &'static str,
        transports: &[Transport],
    ) -> Result<Self, BrokerUrlError> {
        // Before anything is said about features: adding one would not help.
        let parsed: BrokerUrl = url.parse()?;
        if !transports.contains(&parsed.scheme.transport()) {
            return Err(BrokerUrlError::System(system));
        }
        Self::new(url)
    }

    /// The same broker with a connection of its own.
    pub(crate) fn with_connect_timeout(self, timeout: Duration) -> Self {
        match AnyLink::new(&self.url, timeout) {
            Ok(link) => Self { link, ..self },
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

impl AnyLink {
    fn new(url: &BrokerUrl, connect_timeout: Duration) -> Result<Self, BrokerUrlError> {
        let _ = connect_timeout;
        if url.scheme.is_redis() {
            #[cfg(feature = "redis")]
            return Ok(Self::Redis(Link::new(Redis::new(url.clone()), connect_timeout)));
        } else {
            #[cfg(feature = "amqp")]
            return Ok(Self::Amqp(Link::new(super::amqp::Amqp::new(url.clone()), connect_timeout)));
        }
        #[allow(unreachable_code, reason = "with both transports there is none that is missing")]
        Err(BrokerUrlError::Feature(url.scheme.missing_feature().unwrap_or("redis")))
    }
}
