//! Messages for those who send them themselves.

use std::time::SystemTime;

use super::executor::DramatiqExecutor;
use crate::brokers::{BrokerMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::intent::Intent;

impl DramatiqExecutor {
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
        self.format.accepts(self.transport, intent, &FlushContext::outside(now))?;
        match self.transport {
            Transport::Redis => self.format.redis(intent, now).map(BrokerMessage::Redis),
            _ => self.format.amqp(intent, now).map(BrokerMessage::Amqp),
        }
    }
}
