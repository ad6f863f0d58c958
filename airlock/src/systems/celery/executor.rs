//! What hands intents to Celery workers.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::message::CeleryFormat;
use crate::brokers::{AmqpMessage, AmqpQueue, Broker, BrokerUrlError, RedisMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::{Batch, Executor, FlushContext, printed_name};
use crate::intent::Intent;
use crate::runtime::BoxFuture;
use crate::systems::publish::{Format, publish};

#[doc = include_str!("../../../docs/celery.md")]
#[doc = include_str!("../../../docs/celery-options.md")]
#[doc = include_str!("../../../docs/celery-operations.md")]
#[derive(Clone)]
#[must_use = "it does nothing until a scope has it as its executor"]
pub struct CeleryExecutor {
    pub(super) format: Arc<CeleryFormat>,
    pub(super) transport: Transport,
    broker: Broker,
    declares: bool,
    name: Arc<str>,
}

impl CeleryExecutor {
    /// For the broker at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a broker, or the cargo feature of its transport (`redis`, `redis-tls`, `amqp`, `amqp-tls`)
    /// is off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker = Broker::for_system(url.as_ref(), "Celery", &[Transport::Redis, Transport::Amqp])?;
        let (format, transport) = (Arc::default(), broker.transport());
        Ok(Self { format, transport, broker, declares: false, name: "celery".into() })
    }

    fn with(mut self, change: impl FnOnce(&mut CeleryFormat)) -> Self {
        change(Arc::make_mut(&mut self.format));
        self
    }

    /// What reports call it; `celery` unless set.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: printed_name(name.into()), ..self }
    }

    /// `task_default_queue` of the workers: where intents without a queue go. `celery` unless set.
    pub fn default_queue(self, queue: impl Into<String>) -> Self {
        self.with(|format| format.default_queue = queue.into())
    }

    /// What goes before every task's name, such as `shop.tasks.`.
    pub fn task_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|format| format.task_prefix = prefix.into())
    }

    /// `global_keyprefix` of the workers' Redis transport.
    pub fn global_keyprefix(self, prefix: impl Into<String>) -> Self {
        self.with(|format| format.global_keyprefix = prefix.into())
    }

    /// `sep` of the workers' Redis transport: what stands between a queue's name and a priority.
    pub fn separator(self, separator: impl Into<String>) -> Self {
        self.with(|format| format.separator = separator.into())
    }

    /// `priority_steps` of the workers' Redis transport, ascending; 0, 3, 6 and 9 unless set.
    pub fn priority_steps(self, steps: impl IntoIterator<Item = u8>) -> Self {
        self.with(|format| {
            format.priority_steps = steps.into_iter().collect();
            format.priority_steps.sort_unstable();
        })
    }

    /// The priority of intents without one, 0 to 9, higher is sooner.
    ///
    /// # Panics
    /// With more than 9.
    pub fn default_priority(self, priority: u8) -> Self {
        assert!(priority <= crate::options::MAX_PRIORITY, "a priority is a number from 0 to 9; higher is sooner");
        self.with(|format| format.default_priority = Some(priority))
    }

    /// `task_queue_max_priority` of the workers on RabbitMQ. Without it, priorities are refused there.
    pub fn max_priority(self, most: u8) -> Self {
        self.with(|format| format.max_priority = Some(most))
    }

    /// `visibility_timeout` of the workers' Redis transport; 1 hour unless set. What starts later than that would run
    /// several times, and is refused.
    pub fn visibility_timeout(self, timeout: Duration) -> Self {
        self.with(|format| format.visibility_timeout = timeout)
    }

    /// How many bytes a message's body may take; 16 MiB unless set.
    pub fn body_limit(self, bytes: usize) -> Self {
        self.with(|format| format.body_limit = bytes)
    }

    /// The `origin` of intents that have none: who sends.
    pub fn origin(self, origin: impl Into<String>) -> Self {
        self.with(|format| format.origin = origin.into())
    }

    /// Declares queues on RabbitMQ before it publishes to them, as workers do. Without it, a queue that doesn't exist is
    /// an error of the intent: nobody would read it. Redis needs no declaration.
    pub fn declare(self) -> Self {
        Self { declares: true, ..self }
    }

    /// How long a flush waits for a connection, at most until its own deadline; 3 seconds unless set. Attempts that
    /// fail are repeated within that time.
    ///
    /// This makes a connection of its own: describe an executor first, then clone it.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { broker: self.broker.with_connect_timeout(timeout), ..self }
    }
}

impl Format for CeleryFormat {
    fn redis(&self, intent: &Intent, now: SystemTime) -> Result<RedisMessage, Rejection> {
        Self::redis(self, intent, now)
    }

    fn amqp(&self, intent: &Intent, now: SystemTime) -> Result<AmqpMessage, Rejection> {
        Self::amqp(self, intent, now)
    }

    fn queues(&self, routing_key: &str) -> Vec<AmqpQueue> {
        Self::queues(self, routing_key)
    }
}

impl Executor for CeleryExecutor {
    fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.format.accepts(self.transport, intent, flush)
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(publish(&self.broker, &*self.format, self.declares, batch))
    }
}

impl fmt::Debug for CeleryExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CeleryExecutor").field("name", &self.name).field("broker", self.broker.url()).finish()
    }
}
