//! What hands intents to Dramatiq workers.

use std::time::SystemTime;

use super::message::DramatiqFormat;
use crate::brokers::{Broker, BrokerMessage, BrokerUrlError, Transport};
use crate::dispatch::Rejection;
use crate::executors::OptionReader;
use crate::intent::Intent;
use crate::systems::queue::queue_executor;

queue_executor! {
    #[doc = include_str!("../../../docs/dramatiq.md")]
    #[doc = include_str!("../../../docs/dramatiq-options.md")]
    #[doc = include_str!("../../../docs/dramatiq-operations.md")]
    pub struct DramatiqExecutor(DramatiqFormat), named "dramatiq";

    /// Where intents without a queue go; `default` unless set, as for actors that name none.
    pub fn default_queue(format, queue: impl Into<String>) from text {
        format.common.default_queue = queue.into();
    }

    /// What goes before every task's name, to make the actor's.
    pub fn task_prefix(format, prefix: impl Into<String>) from text {
        format.common.task_prefix = prefix.into();
    }

    /// `namespace` of the workers' `RedisBroker`; `dramatiq` unless set.
    pub fn namespace(format, namespace: impl Into<String>) from text {
        format.namespace = namespace.into();
    }

    /// The priority of intents without one, 0 to 9, higher is sooner.
    ///
    /// # Panics
    /// With more than 9.
    pub fn default_priority(format, priority: u8) from priority {
        format.common.set_default_priority(priority);
    }

    /// `max_priority` of the workers' `RabbitmqBroker`. Without it, priorities are refused there.
    pub fn max_priority(format, most: u8) from small_number {
        format.common.max_priority = Some(most);
    }

    /// How many bytes a message may take; 16 MiB unless set.
    pub fn body_limit(format, bytes: usize) from bytes {
        format.common.body_limit = bytes;
    }

    /// Declares queues on RabbitMQ before it publishes to them, as workers do. Without it, a queue that doesn't exist is
    /// an error of the intent: no worker would read it. Redis needs no declaration.
    pub fn declare(format) from flag {
        format.common.declare = true;
    }
}

impl DramatiqExecutor {
    /// For the broker at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a broker, or the cargo feature of its transport (`redis`, `redis-tls`, `amqp`, `amqp-tls`)
    /// is off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker = Broker::for_system(url.as_ref(), "Dramatiq", &[Transport::Redis, Transport::Amqp])?;
        Ok(Self::of(broker, DramatiqFormat::default()))
    }

    pub(crate) fn read<R: OptionReader>(table: &mut R) -> Result<Self, R::Error> {
        let url = table.url();
        Self::read_options(table, |table| Self::new(url?.as_ref()).map_err(|error| table.refuse_url(error)))
    }

    /// The message that this executor would send for the intent now, with the place it goes to. Nothing is sent: keep it
    /// in a table of the transaction that caused it, and send it when that has committed.
    ///
    /// Every call makes a new message with the intent's id, so send one of them. A worker doesn't notice a second.
    ///
    /// # Errors
    /// What [`accepts`](crate::Executor::accepts) refuses.
    ///
    /// ```
    /// # #[cfg(feature = "redis")] {
    /// use std::time::SystemTime;
    /// use airlock::{BrokerMessage, DramatiqExecutor, RedisMessage};
    ///
    /// #[airlock::task(name = "shop.send_receipt", queue = "mail")]
    /// fn send_receipt(order_id: u64);
    ///
    /// let dramatiq = DramatiqExecutor::new("redis://localhost:6379/0").unwrap();
    /// let message = dramatiq.message(&send_receipt::intent(42), SystemTime::now()).unwrap();
    /// let BrokerMessage::Redis(RedisMessage::StoreAndPush { list, body, .. }) = message else { unreachable!() };
    /// assert_eq!(list, "dramatiq:mail");
    /// assert!(body.starts_with(b"{"));
    /// # }
    /// ```
    pub fn message(&self, intent: &Intent, now: SystemTime) -> Result<BrokerMessage, Rejection> {
        self.0.message(intent, now)
    }
}
