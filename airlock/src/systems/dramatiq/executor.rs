//! What hands intents to Dramatiq workers.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::message::DramatiqFormat;
use crate::brokers::{AmqpMessage, AmqpQueue, Broker, BrokerUrlError, RedisMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::{Batch, Executor, FlushContext, printed_name};
use crate::intent::Intent;
use crate::runtime::BoxFuture;
use crate::systems::publish::{Format, publish};

#[doc = include_str!("../../../docs/dramatiq.md")]
#[doc = include_str!("../../../docs/dramatiq-options.md")]
#[doc = include_str!("../../../docs/dramatiq-operations.md")]
#[derive(Clone)]
#[must_use = "it does nothing until a scope has it as its executor"]
pub struct DramatiqExecutor {
    pub(super) format: Arc<DramatiqFormat>,
    pub(super) transport: Transport,
    broker: Broker,
    declares: bool,
    name: Arc<str>,
}

impl DramatiqExecutor {
    /// For the broker at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a broker, or the cargo feature of its transport (`redis`, `redis-tls`, `amqp`, `amqp-tls`)
    /// is off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker = Broker::for_system(url.as_ref(), "Dramatiq", &[Transport::Redis, Transport::Amqp])?;
        let (format, transport) = (Arc::default(), broker.transport());
        Ok(Self { format, transport, broker, declares: false, name: "dramatiq".into() })
    }

    fn with(mut self, change: impl FnOnce(&mut DramatiqFormat)) -> Self {
        change(Arc::make_mut(&mut self.format));
        self
    }

    /// What reports call it; `dramatiq` unless set.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: printed_name(name.into()), ..self }
    }

    /// Where intents without a queue go; `default` unless set, as for actors that name none.
    pub fn default_queue(self, queue: impl Into<String>) -> Self {
        self.with(|format| format.default_queue = queue.into())
    }

    /// What goes before every task's name, to make the actor's.
    pub fn task_prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|format| format.task_prefix = prefix.into())
    }

    /// `namespace` of the workers' `RedisBroker`; `dramatiq` unless set.
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        self.with(|format| format.namespace = namespace.into())
    }

    /// The priority of intents without one, 0 to 9, higher is sooner.
    ///
    /// # Panics
    /// With more than 9.
    pub fn default_priority(self, priority: u8) -> Self {
        assert!(priority <= crate::options::MAX_PRIORITY, "a priority is a number from 0 to 9; higher is sooner");
        self.with(|format| format.default_priority = Some(priority))
    }

    /// `max_priority` of the workers' `RabbitmqBroker`. Without it, priorities are refused there.
    pub fn max_priority(self, most: u8) -> Self {
        self.with(|format| format.max_priority = Some(most))
    }

    /// How many bytes a message may take; 16 MiB unless set.
    pub fn body_limit(self, bytes: usize) -> Self {
        self.with(|format| format.body_limit = bytes)
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

impl Format for DramatiqFormat {
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

impl Executor for DramatiqExecutor {
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

impl fmt::Debug for DramatiqExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DramatiqExecutor").field("name", &self.name).field("broker", self.broker.url()).finish()
    }
}
