//! What hands intents to Celery workers.

use std::time::{Duration, SystemTime};

use super::message::CeleryFormat;
use crate::brokers::{Broker, BrokerMessage, BrokerUrlError, Transport};
use crate::dispatch::Rejection;
use crate::executors::OptionReader;
use crate::intent::Intent;
use crate::systems::queue::queue_executor;

queue_executor! {
    #[doc = include_str!("../../../docs/celery.md")]
    #[doc = include_str!("../../../docs/celery-options.md")]
    #[doc = include_str!("../../../docs/celery-operations.md")]
    pub struct CeleryExecutor(CeleryFormat), named "celery";

    /// `task_default_queue` of the workers: where intents without a queue go. `celery` unless set.
    pub fn default_queue(format, queue: impl Into<String>) from text {
        format.common.default_queue = queue.into();
    }

    /// What goes before every task's name, such as `shop.tasks.`.
    pub fn task_prefix(format, prefix: impl Into<String>) from text {
        format.common.task_prefix = prefix.into();
    }

    /// `global_keyprefix` of the workers' Redis transport.
    pub fn global_keyprefix(format, prefix: impl Into<String>) from text {
        format.global_keyprefix = prefix.into();
    }

    /// `sep` of the workers' Redis transport: what stands between a queue's name and a priority.
    pub fn separator(format, separator: impl Into<String>) from text {
        format.separator = separator.into();
    }

    /// `priority_steps` of the workers' Redis transport, ascending; 0, 3, 6 and 9 unless set.
    pub fn priority_steps(format, steps: impl IntoIterator<Item = u8>) from small_numbers {
        format.priority_steps = steps.into_iter().collect();
        format.priority_steps.sort_unstable();
    }

    /// The priority of intents without one, 0 to 9, higher is sooner.
    ///
    /// # Panics
    /// With more than 9.
    pub fn default_priority(format, priority: u8) from priority {
        format.common.set_default_priority(priority);
    }

    /// `task_queue_max_priority` of the workers on RabbitMQ. Without it, priorities are refused there.
    pub fn max_priority(format, most: u8) from small_number {
        format.common.max_priority = Some(most);
    }

    /// `visibility_timeout` of the workers' Redis transport; 1 hour unless set. What starts later than that would run
    /// several times, and is refused.
    pub fn visibility_timeout(format, timeout: Duration) from duration {
        format.visibility_timeout = timeout;
    }

    /// How many bytes a message's body may take; 16 MiB unless set.
    pub fn body_limit(format, bytes: usize) from bytes {
        format.common.body_limit = bytes;
    }

    /// The `origin` of intents that have none: who sends.
    pub fn origin(format, origin: impl Into<String>) from text {
        format.origin = origin.into();
    }

    /// Declares queues on RabbitMQ before it publishes to them, as workers do. Without it, a queue that doesn't exist is
    /// an error of the intent: no worker would read it. Redis needs no declaration.
    pub fn declare(format) from flag {
        format.common.declare = true;
    }

    /// Lets RabbitMQ spend delays, in the exchanges and queues `celery_delayed_27` and so on, as Celery 5.5 and later do
    /// for quorum queues. Without it a worker holds what is delayed: on a **quorum queue**, whose workers have no global
    /// prefetch limit, it takes no more than its prefetch count, and a few delayed tasks keep it from all others until
    /// they are due.
    ///
    /// Delays are spent in whole seconds, and a worker waits for the rest of one; 8.5 years are the most. With
    /// [`declare`](Self::declare), the exchanges are declared as workers declare them, and queues as quorum queues;
    /// without it, they and the queue have to be there. In any case the queue is bound to `celery_delayed_delivery`, for
    /// which the user needs the right to write to it and to read from there. Redis has no such thing.
    ///
    /// ```no_run
    /// use airlock::CeleryExecutor;
    ///
    /// let celery = CeleryExecutor::new("amqp://rabbit/shop").unwrap().native_delayed_delivery();
    /// # let _ = celery;
    /// ```
    pub fn native_delayed_delivery(format) from flag {
        format.native_delayed_delivery = true;
    }
}

impl CeleryExecutor {
    /// For the broker at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a broker, or the cargo feature of its transport (`redis`, `redis-tls`, `amqp`, `amqp-tls`)
    /// is off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker = Broker::for_system(url.as_ref(), "Celery", &[Transport::Redis, Transport::Amqp])?;
        Ok(Self::of(broker, CeleryFormat::default()))
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
    /// use airlock::{BrokerMessage, CeleryExecutor, RedisMessage};
    ///
    /// #[airlock::task(name = "shop.send_receipt", queue = "mail")]
    /// fn send_receipt(order_id: u64);
    ///
    /// let celery = CeleryExecutor::new("redis://localhost:6379/0").unwrap();
    /// let message = celery.message(&send_receipt::intent(42), SystemTime::now()).unwrap();
    /// let BrokerMessage::Redis(RedisMessage::PushLeft { list, body, .. }) = message else { unreachable!() };
    /// assert_eq!(list, "mail");
    /// assert!(body.starts_with(b"{"));
    /// # }
    /// ```
    pub fn message(&self, intent: &Intent, now: SystemTime) -> Result<BrokerMessage, Rejection> {
        self.0.message(intent, now)
    }
}
