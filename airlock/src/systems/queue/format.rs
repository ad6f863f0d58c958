//! What a system's workers read.

use std::time::SystemTime;

use crate::brokers::{AmqpDeclaration, AmqpMessage, Broker, RedisMessage, SqlMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::intent::Intent;

/// A wire format: what a system's workers read.
pub(crate) trait Format: Send + Sync + 'static {
    /// Whether a worker can take the intent as it is meant. Whatever it refuses is refused before anything is sent.
    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection>;

    /// Whether its table is in another database than those that a program commits to.
    fn is_elsewhere(&self) -> bool {
        false
    }

    /// The place of its table of intents, if that is what it writes to.
    fn table_of_intents(&self, broker: &Broker) -> Option<String> {
        let _ = broker;
        None
    }

    /// For Redis, if workers read there.
    fn redis(&self, intent: &Intent, now: SystemTime) -> Result<RedisMessage, Rejection> {
        let _ = (intent, now);
        Err(Rejection::new("there are no queues on Redis"))
    }

    /// For RabbitMQ, if workers read there.
    fn amqp(&self, intent: &Intent, now: SystemTime) -> Result<AmqpMessage, Rejection> {
        let _ = (intent, now);
        Err(Rejection::new("there are no queues on RabbitMQ"))
    }

    /// What has to be so before this message is published, and is the same for all that go the same way to its queue.
    /// With `None`, its queue has to be there.
    fn declarations(&self, message: &AmqpMessage) -> Option<Vec<AmqpDeclaration>> {
        let _ = message;
        None
    }

    /// For a table, if workers read one. `place` counts the rows of a flush: what orders by time keeps their order.
    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, place: u32) -> Result<SqlMessage, Rejection> {
        let _ = (transport, intent, now, place);
        Err(Rejection::new("there are no queues in a SQL database"))
    }

    /// A batch was handed over, as far as it could be: committed, or written into a transaction that its caller is about to commit.
    fn written(&self, is_committed: bool) {
        let _ = is_committed;
    }
}
