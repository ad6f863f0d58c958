//! The intents of a flush as messages, in jobs for a broker.

use std::time::SystemTime;

use super::config::CommonConfig;
#[cfg(feature = "_sql")]
use super::rows;
use crate::brokers::{AmqpMessage, AmqpQueue, AnyManager, Broker, RedisMessage, SqlMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::Ticket;
use crate::executors::{Batch, FlushContext};
use crate::intent::Intent;

/// A wire format: what a system's workers read.
pub(crate) trait Format: Send + Sync + 'static {
    fn common(&self) -> &CommonConfig;

    /// Whether a worker can take the intent as it is meant. Whatever it refuses is refused before anything is sent.
    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection>;

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

    /// The queues that the system's own producer declares to publish with this routing key.
    fn queues(&self, routing_key: &str) -> Vec<AmqpQueue> {
        let _ = routing_key;
        Vec::new()
    }

    /// For a table, if workers read one. `place` counts the rows of a flush: what orders by time keeps their order.
    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, place: u32) -> Result<SqlMessage, Rejection> {
        let _ = (transport, intent, now, place);
        Err(Rejection::new("there are no queues in a SQL database"))
    }
}

/// Sends the batch through the broker.
pub(crate) async fn publish(broker: &Broker, format: &dyn Format, batch: Batch) {
    crate::intent::IntentId::reseed_after_fork();
    let _ = (format, &batch);
    match &broker.manager {
        #[cfg(feature = "redis")]
        AnyManager::Redis(manager) => jobs::send(manager, |intent, now| format.redis(intent, now), batch).await,
        #[cfg(feature = "amqp")]
        AnyManager::Amqp(manager) => {
            let mut queues = declared::Queues::new(format);
            jobs::send(manager, |intent, now| format.amqp(intent, now).map(|message| queues.of(message)), batch).await;
        }
        #[cfg(feature = "sqlite")]
        AnyManager::Sqlite(manager) => rows::send(manager, Transport::Sqlite, format, batch).await,
        #[cfg(feature = "postgres")]
        AnyManager::Postgres(manager) => rows::send(manager, Transport::Postgres, format, batch).await,
        #[cfg(not(feature = "_broker"))]
        AnyManager::Never(never) => match *never {},
    }
}

#[cfg(feature = "amqp")]
mod declared {
    use std::collections::HashMap;
    use std::sync::Arc;

    use super::Format;
    use crate::brokers::{Addressed, AmqpMessage, AmqpQueue};

    /// What is to be declared before a message, once for each routing key.
    pub(crate) struct Queues<'a> {
        format: &'a dyn Format,
        known: HashMap<String, Arc<[AmqpQueue]>>,
    }

    impl<'a> Queues<'a> {
        pub(crate) fn new(format: &'a dyn Format) -> Self {
            Self { format, known: HashMap::new() }
        }

        pub(crate) fn of(&mut self, message: AmqpMessage) -> Addressed {
            let message = Arc::new(message);
            if !self.format.common().declare {
                return Addressed { message, queues: None };
            }
            let key = &message.routing_key;
            let queues = match self.known.get(key) {
                Some(queues) => Arc::clone(queues),
                None => {
                    let queues: Arc<[AmqpQueue]> = self.format.queues(key).into();
                    self.known.insert(key.clone(), Arc::clone(&queues));
                    queues
                }
            };
            Addressed { message, queues: Some(queues) }
        }
    }
}

#[cfg(feature = "_broker")]
mod jobs {
    use std::collections::VecDeque;
    use std::time::SystemTime;

    use super::{Batch, Intent, Rejection, Ticket};
    use crate::brokers::{ConnectionManager, FlushDoubt, JobReplies, Protocol};
    use crate::dispatch::DispatchError;
    use crate::executors::times;

    /// How much goes in one job, and how much is under way at a time: enough to keep both sides busy, and no more than
    /// fits in memory, whatever the size of the flush.
    const JOB: usize = 256;
    const JOB_BYTES: usize = 512 * 1024;
    const UNDER_WAY: usize = 16;
    const UNDER_WAY_BYTES: usize = 8 * 1024 * 1024;

    /// A job whose outcomes are awaited.
    struct Awaited {
        tickets: Vec<Ticket>,
        bytes: usize,
        replies: JobReplies,
    }

    /// Sends intent by intent, in order, without waiting for one before the next, and settles each with its outcome.
    pub(crate) async fn send<P: Protocol>(
        manager: &ConnectionManager<P>,
        mut encode: impl FnMut(&Intent, SystemTime) -> Result<P::Message, Rejection>,
        mut batch: Batch,
    ) {
        let timeouts = manager.timeouts(batch.deadline());
        if batch.remaining() == 0 {
            return;
        }
        // Before anything begins: what can't be reached costs one intent its attempt, and not a whole job.
        if let Err(error) = manager.ready(timeouts).await {
            let now = SystemTime::now();
            while let Some(begun) = batch.begin() {
                let late = times::check_expiry(begun.intent(), now).map_err(DispatchError::rejected);
                begun.settle(late.and_then(|()| Err(error.clone())));
            }
            return;
        }
        let (mut under_way, doubt) = (VecDeque::new(), FlushDoubt::default());
        let mut bytes = 0;
        loop {
            while under_way.len() < UNDER_WAY && bytes < UNDER_WAY_BYTES {
                let Some((messages, tickets, size)) = next_job::<P>(&mut batch, &mut encode) else { break };
                bytes += size;
                under_way.push_back(Awaited {
                    tickets,
                    bytes: size,
                    replies: manager.send(messages, timeouts, &doubt),
                });
            }
            let Some(oldest) = under_way.pop_front() else { return };
            bytes -= oldest.bytes;
            let outcomes = oldest.replies.receive().await;
            for (ticket, outcome) in oldest.tickets.into_iter().zip(outcomes) {
                ticket.settle(outcome);
            }
        }
    }

    /// The next intents that may leave, encoded. What has no encoding, or is late by now, is settled here.
    fn next_job<P: Protocol>(
        batch: &mut Batch,
        encode: &mut impl FnMut(&Intent, SystemTime) -> Result<P::Message, Rejection>,
    ) -> Option<(Vec<P::Message>, Vec<Ticket>, usize)> {
        // Anew for each job: connections are waited for, and the broker.
        let now = SystemTime::now();
        let expected = batch.remaining().min(JOB);
        let (mut messages, mut tickets, mut bytes) = (Vec::with_capacity(expected), Vec::with_capacity(expected), 0);
        while messages.len() < JOB && bytes < JOB_BYTES {
            let Some(begun) = batch.begin() else { break };
            let (intent, ticket) = begun.into_parts();
            match times::check_expiry(&intent, now).and_then(|()| encode(&intent, now)) {
                Ok(message) => {
                    bytes += P::size(&message);
                    messages.push(message);
                    tickets.push(ticket);
                }
                Err(rejection) => ticket.settle(Err(DispatchError::rejected(rejection))),
            }
        }
        (!messages.is_empty()).then_some((messages, tickets, bytes))
    }
}
