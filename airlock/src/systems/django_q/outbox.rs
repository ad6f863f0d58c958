//! Messages for those who send them themselves.

use std::time::SystemTime;

use super::executor::DjangoQExecutor;
use crate::brokers::{BrokerMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::intent::Intent;

impl DjangoQExecutor {
    /// The message that this executor would send for the intent now, with the place it goes to. Nothing is sent: keep it
    /// in a table of the transaction that caused it, and send it when that has committed.
    ///
    /// Every call makes a new message with the intent's id, so send one of them. A cluster doesn't notice a second.
    ///
    /// # Errors
    /// What [`accepts`](crate::Executor::accepts) refuses.
    ///
    /// ```
    /// # #[cfg(feature = "redis")] {
    /// use std::time::SystemTime;
    /// use airlock::{BrokerMessage, DjangoQExecutor, RedisMessage, SecretKey};
    ///
    /// #[airlock::task(name = "shop.tasks.send_receipt")]
    /// fn send_receipt(order_id: u64);
    ///
    /// let key = SecretKey::new("the SECRET_KEY of the Django project").unwrap();
    /// let django_q = DjangoQExecutor::new("redis://localhost:6379/0", key).unwrap().cluster("shop");
    /// let message = django_q.message(&send_receipt::intent(42), SystemTime::now()).unwrap();
    /// let BrokerMessage::Redis(RedisMessage::PushRight { list, body, .. }) = message else { unreachable!() };
    /// assert_eq!(list, "django_q:shop:q");
    /// assert_eq!(body.iter().filter(|byte| **byte == b':').count(), 2);
    /// # }
    /// ```
    pub fn message(&self, intent: &Intent, now: SystemTime) -> Result<BrokerMessage, Rejection> {
        self.format.accepts(self.transport, intent, &FlushContext::outside(now))?;
        match self.transport {
            Transport::Redis => self.format.redis(intent, now).map(BrokerMessage::Redis),
            transport => self.format.row(transport, intent, now).map(BrokerMessage::Sql),
        }
    }
}
