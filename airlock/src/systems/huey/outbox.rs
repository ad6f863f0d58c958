//! Messages for those who send them themselves.

use std::time::SystemTime;

use super::executor::HueyExecutor;
use crate::brokers::{BrokerMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::intent::Intent;

impl HueyExecutor {
    /// The message that this executor would send for the intent now, with the place it goes to. Nothing is sent: keep it
    /// in a table of the transaction that caused it, and send it when that has committed.
    ///
    /// Every call makes a new message with the intent's id, so send one of them. A consumer doesn't notice a second.
    ///
    /// # Errors
    /// What [`accepts`](crate::Executor::accepts) refuses.
    ///
    /// ```
    /// # #[cfg(feature = "redis")] {
    /// use std::time::SystemTime;
    /// use airlock::{BrokerMessage, HueyExecutor, RedisMessage};
    ///
    /// #[airlock::task(name = "shop.send_receipt")]
    /// fn send_receipt(order_id: u64);
    ///
    /// let huey = HueyExecutor::new("redis://localhost:6379/0").unwrap().default_queue("my-shop");
    /// let message = huey.message(&send_receipt::intent(42), SystemTime::now()).unwrap();
    /// let BrokerMessage::Redis(RedisMessage::PushLeft { list, body, .. }) = message else { unreachable!() };
    /// assert_eq!(list, "huey.redis.myshop");
    /// assert!(body.starts_with(b"\x80\x04"));
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
