//! What hands intents to Huey consumers.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::message::HueyFormat;
use super::signing::{Compression, Signer};
use crate::brokers::{Broker, BrokerUrlError, RedisMessage, SqlMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::{Batch, Executor, FlushContext, printed_name};
use crate::intent::Intent;
use crate::runtime::BoxFuture;
use crate::systems::publish::{Format, publish};
use crate::text::SecretKey;

#[doc = include_str!("../../../docs/huey.md")]
#[doc = include_str!("../../../docs/huey-options.md")]
#[doc = include_str!("../../../docs/huey-operations.md")]
#[derive(Clone)]
#[must_use = "it does nothing until a scope has it as its executor"]
pub struct HueyExecutor {
    pub(super) format: Arc<HueyFormat>,
    pub(super) transport: Transport,
    broker: Broker,
    name: Arc<str>,
}

impl HueyExecutor {
    /// For the broker at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a broker, Huey doesn't run over it, or the cargo feature of its transport (`redis`,
    /// `redis-tls`, `sqlite`, `postgres`, `postgres-tls`) is off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker =
            Broker::for_system(url.as_ref(), "Huey", &[Transport::Redis, Transport::Sqlite, Transport::Postgres])?;
        let (format, transport) = (Arc::default(), broker.transport());
        Ok(Self { format, transport, broker, name: "huey".into() })
    }

    fn with(mut self, change: impl FnOnce(&mut HueyFormat)) -> Self {
        change(Arc::make_mut(&mut self.format));
        self
    }

    /// What reports call it; `huey` unless set.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: printed_name(name.into()), ..self }
    }

    /// `name` of the consumers' `Huey`: where intents without a queue go. `huey` unless set.
    pub fn default_queue(self, name: impl Into<String>) -> Self {
        self.with(|format| format.default_queue = name.into())
    }

    /// `clean_name` of the consumers' `RedisHuey`, which leaves letters, digits and `_` of the name; true unless set.
    pub fn clean_name(self, cleans: bool) -> Self {
        self.with(|format| format.clean_name = cleans)
    }

    /// What goes before every task's name, such as `shop.tasks.`: consumers know a task by module and function.
    pub fn task_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|format| format.task_prefix = prefix.into())
    }

    /// For consumers that are `PriorityRedisHuey` or `PriorityRedisExpireHuey`, which have another kind of queue. Without
    /// it they are `RedisHuey` or `RedisExpireHuey`, and priorities are refused. `SqliteHuey` and `PostgresHuey` always have
    /// them.
    pub fn priorities(self) -> Self {
        self.with(|format| format.priorities = true)
    }

    /// The priority of intents without one, 0 to 9, higher is sooner.
    ///
    /// # Panics
    /// With more than 9.
    pub fn default_priority(self, priority: u8) -> Self {
        assert!(priority <= crate::options::MAX_PRIORITY, "a priority is a number from 0 to 9; higher is sooner");
        self.with(|format| format.default_priority = Some(priority))
    }

    /// The major version of the consumers' Huey; 2 unless set, which 3 reads as well. From 3 on, messages have fields for
    /// `timeout` and the extra `retry_backoff`, and a consumer of Huey 2 loses them: say so only when all run 3.
    /// With another version every intent is refused: what those read is not known.
    pub fn consumer(self, version: u8) -> Self {
        self.with(|format| format.consumer = version)
    }

    /// `compression=True` of the consumers: gzip.
    pub fn compressed(self) -> Self {
        self.with(|format| {
            format.compression.get_or_insert(Compression::Gzip);
        })
    }

    /// `compression=True, use_zlib=True` of the consumers.
    pub fn use_zlib(self) -> Self {
        self.with(|format| format.compression = Some(Compression::Zlib))
    }

    /// For consumers with a `SignedSerializer` of this secret.
    pub fn signed(self, secret: SecretKey) -> Self {
        self.with(|format| format.signing.set_secret(secret))
    }

    /// `salt` of the consumers' `SignedSerializer`; `huey` unless set.
    ///
    /// # Panics
    /// With an empty one: a `SignedSerializer` takes none.
    pub fn salt(self, salt: impl Into<String>) -> Self {
        let salt = salt.into();
        assert!(
            !salt.is_empty(),
            "the salt is empty, which no `SignedSerializer` takes; give the one of the consumers"
        );
        self.with(|format| format.signing.set_salt(salt))
    }

    /// What to compare with the consumers' side, as they drop what is signed otherwise with no more than a line in their
    /// log; `None` if messages aren't signed. It tells keys and salts apart and signs nothing. Theirs is
    ///
    /// ```text
    /// python -c "from shop import huey; print(huey.serializer._signature(b'airlock')[:12].decode())"
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.format.signing.signer().map(Signer::fingerprint)
    }

    /// How many bytes a message may take; 16 MiB unless set.
    pub fn body_limit(self, bytes: usize) -> Self {
        self.with(|format| format.body_limit = bytes)
    }

    /// How long a flush waits for a connection, at most until its own deadline; 3 seconds unless set. Attempts that
    /// fail are repeated within that time.
    ///
    /// This makes a connection of its own: describe an executor first, then clone it.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { broker: self.broker.with_connect_timeout(timeout), ..self }
    }
}

impl Format for HueyFormat {
    fn redis(&self, intent: &Intent, now: SystemTime) -> Result<RedisMessage, Rejection> {
        Self::redis(self, intent, now)
    }

    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, _: u32) -> Result<SqlMessage, Rejection> {
        Self::row(self, transport, intent, now)
    }
}

impl Executor for HueyExecutor {
    fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.format.accepts(self.transport, intent, flush)
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(publish(&self.broker, &*self.format, false, batch))
    }
}

impl fmt::Debug for HueyExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HueyExecutor").field("name", &self.name).field("broker", self.broker.url()).finish()
    }
}
