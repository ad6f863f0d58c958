//! What hands intents to Django-Q2 clusters.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::message::DjangoQFormat;
use crate::brokers::{Broker, BrokerUrlError, RedisMessage, SqlMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::{Batch, Executor, FlushContext, printed_name};
use crate::intent::Intent;
use crate::runtime::BoxFuture;
use crate::systems::publish::{Format, publish};
use crate::text::SecretKey;

#[doc = include_str!("../../../docs/django-q.md")]
#[doc = include_str!("../../../docs/django-q-options.md")]
#[doc = include_str!("../../../docs/django-q-operations.md")]
#[derive(Clone)]
#[must_use = "it does nothing until a scope has it as its executor"]
pub struct DjangoQExecutor {
    pub(super) format: Arc<DjangoQFormat>,
    pub(super) transport: Transport,
    broker: Broker,
    name: Arc<str>,
}

impl DjangoQExecutor {
    /// For the broker at this URL, see [`BrokerUrl`](crate::BrokerUrl), and the `SECRET_KEY` of the clusters' settings.
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a broker, Django-Q doesn't run over it, or the cargo feature of its transport (`redis`,
    /// `redis-tls`, `sqlite`, `postgres`, `postgres-tls`) is off.
    pub fn new(url: impl AsRef<str>, secret_key: SecretKey) -> Result<Self, BrokerUrlError> {
        let broker =
            Broker::for_system(url.as_ref(), "Django-Q", &[Transport::Redis, Transport::Sqlite, Transport::Postgres])?;
        let (format, transport) = (Arc::new(DjangoQFormat::new(secret_key)), broker.transport());
        Ok(Self { format, transport, broker, name: "django_q".into() })
    }

    fn with(mut self, change: impl FnOnce(&mut DjangoQFormat)) -> Self {
        change(Arc::make_mut(&mut self.format));
        self
    }

    /// What reports call it; `django_q` unless set.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: printed_name(name.into()), ..self }
    }

    /// `name` of the clusters' `Q_CLUSTER`; `default` unless set. It is part of what messages are signed with, and without
    /// [`cluster_name`](Self::cluster_name) the queue of intents that have none.
    pub fn cluster(self, name: impl Into<String>) -> Self {
        self.with(|format| format.set_name(name.into()))
    }

    /// `cluster_name` of `Q_CLUSTER`, or what `Q_CLUSTER_NAME` says to the cluster: the queue of intents that have none.
    pub fn cluster_name(self, name: impl Into<String>) -> Self {
        self.with(|format| format.cluster_name = Some(name.into()))
    }

    /// What goes before every task's name, such as `shop.tasks.`: a cluster finds a function by its path.
    pub fn task_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|format| format.task_prefix = prefix.into())
    }

    /// `ack_failures` of `Q_CLUSTER`, which producers put into every task: on the ORM, one that fails is not run again. The
    /// extra `ack_failure` of an intent comes before it.
    pub fn ack_failures(self, acknowledges: bool) -> Self {
        self.with(|format| format.ack_failures = acknowledges)
    }

    /// `cached` of `Q_CLUSTER`, which producers put into every task: its result goes into the clusters' cache, where
    /// `result(id)` of such a project looks for it, and not into the database. For so many whole seconds, none being not
    /// at all, and from 68 years on without an end, which is `True`. The extra `cached` of an intent comes before it.
    pub fn cached(self, time: Duration) -> Self {
        self.with(|format| format.cached = Some(time).filter(|time| time.as_secs() > 0))
    }

    /// `compress` of `Q_CLUSTER`; what would be no shorter is sent as it is. A cluster reads both, whatever it says itself.
    pub fn compressed(self) -> Self {
        self.with(|format| format.compressed = true)
    }

    /// What to compare with the clusters' side, as they drop what is signed otherwise with no more than a line in their
    /// log. It tells keys and names apart and signs nothing. Theirs is
    ///
    /// ```text
    /// python manage.py shell -c "from django.core.signing import Signer; from django_q.conf import Conf; \
    ///     print(Signer(key=Conf.SECRET_KEY, salt=Conf.PREFIX).signature('airlock')[:12])"
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.format.fingerprint()
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

impl Format for DjangoQFormat {
    fn redis(&self, intent: &Intent, now: SystemTime) -> Result<RedisMessage, Rejection> {
        Self::redis(self, intent, now)
    }

    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, _: u32) -> Result<SqlMessage, Rejection> {
        Self::row(self, transport, intent, now)
    }
}

impl Executor for DjangoQExecutor {
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

impl fmt::Debug for DjangoQExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DjangoQExecutor").field("name", &self.name).field("broker", self.broker.url()).finish()
    }
}
