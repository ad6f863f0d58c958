//! What hands intents to the workers of django-tasks-db.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::message::DjangoTasksFormat;
use crate::brokers::{Broker, BrokerUrlError, SqlMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::{Batch, Executor, FlushContext, printed_name};
use crate::intent::Intent;
use crate::runtime::BoxFuture;
use crate::systems::publish::{Format, publish};

#[doc = include_str!("../../../docs/django-tasks.md")]
#[doc = include_str!("../../../docs/django-tasks-options.md")]
#[doc = include_str!("../../../docs/django-tasks-operations.md")]
#[derive(Clone)]
#[must_use = "it does nothing until a scope has it as its executor"]
pub struct DjangoTasksExecutor {
    pub(super) format: Arc<DjangoTasksFormat>,
    pub(super) transport: Transport,
    broker: Broker,
    pub(super) name: Arc<str>,
}

impl DjangoTasksExecutor {
    /// For the database at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a database, or the cargo feature of its transport (`sqlite`, `postgres`, `postgres-tls`) is
    /// off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker =
            Broker::for_system(url.as_ref(), "Django's database backend", &[Transport::Sqlite, Transport::Postgres])?;
        let (format, transport) = (Arc::default(), broker.transport());
        Ok(Self { format, transport, broker, name: "django_tasks".into() })
    }

    fn with(mut self, change: impl FnOnce(&mut DjangoTasksFormat)) -> Self {
        change(Arc::make_mut(&mut self.format));
        self
    }

    /// What reports call it; `django_tasks` unless set.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: printed_name(name.into()), ..self }
    }

    /// Where intents without a queue go; `default` unless set. The backend's `QUEUES` has to have it.
    pub fn default_queue(self, queue: impl Into<String>) -> Self {
        self.with(|format| format.default_queue = queue.into())
    }

    /// What goes before every task's name, to make the path that Django imports: `shop.tasks.`, say.
    pub fn task_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|format| format.task_prefix = prefix.into())
    }

    /// The name in `TASKS` of the backend whose workers are to run it; `default` unless set.
    pub fn backend(self, name: impl Into<String>) -> Self {
        self.with(|format| format.backend = name.into())
    }

    /// The priority of intents without one, 0 to 9, higher is sooner. Without it they have 0, as in Django.
    ///
    /// # Panics
    /// With more than 9.
    pub fn default_priority(self, priority: u8) -> Self {
        assert!(priority <= crate::options::MAX_PRIORITY, "a priority is a number from 0 to 9; higher is sooner");
        self.with(|format| format.default_priority = Some(priority))
    }

    /// How many bytes the arguments may take; 16 MiB unless set.
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

impl Format for DjangoTasksFormat {
    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, place: u32) -> Result<SqlMessage, Rejection> {
        Self::row(self, transport, intent, now, place)
    }
}

impl Executor for DjangoTasksExecutor {
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

impl fmt::Debug for DjangoTasksExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DjangoTasksExecutor").field("name", &self.name).field("broker", self.broker.url()).finish()
    }
}
