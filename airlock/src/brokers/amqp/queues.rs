//! Whether the queues are there, asked once a connection: a message for one that isn't would be lost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};

use super::{Addressed, refusal, table};
use crate::brokers::message::AmqpQueue;
use crate::dispatch::DispatchError;

/// The queues that are known to be there.
pub(super) struct Queues {
    place: Arc<str>,
    connection: Arc<Connection>,
    /// Of its own, because the server closes the channel on which it is asked for a queue that isn't there.
    channel: Option<Channel>,
    /// What was asked: without or with a declaration.
    known: HashSet<(String, bool)>,
}

/// Why each of these queues can't be published to.
pub(super) type Refusals = HashMap<String, DispatchError>;

impl Queues {
    pub(super) fn new(place: Arc<str>, connection: Arc<Connection>) -> Self {
        Self { place, connection, channel: None, known: HashSet::new() }
    }

    /// Sees to it that the queues of these messages are there.
    pub(super) async fn check(&mut self, messages: &[Addressed]) -> Result<Refusals, lapin::Error> {
        let mut refusals = Refusals::new();
        for Addressed { message, queues } in messages {
            let key = &message.routing_key;
            if self.known.contains(&(key.clone(), queues.is_some())) || refusals.contains_key(key) {
                continue;
            }
            match self.ask(key, queues.as_deref()).await {
                Ok(()) => drop(self.known.insert((key.clone(), queues.is_some()))),
                Err(error) => {
                    self.channel = None;
                    let refusal = refusal::of_queue(&self.place, key, &error).ok_or(error)?;
                    refusals.insert(key.clone(), refusal);
                }
            }
        }
        Ok(refusals)
    }

    /// To be asked again before the next message.
    pub(super) fn forget(&mut self, queue: &str) {
        self.known.retain(|(known, _)| known != queue);
    }

    /// Gives up what was asked and not answered.
    pub(super) fn leave(&mut self) {
        self.channel = None;
    }

    async fn ask(&mut self, key: &str, queues: Option<&[AmqpQueue]>) -> Result<(), lapin::Error> {
        let channel = match &self.channel {
            Some(channel) if channel.status().connected() => channel.clone(),
            _ => self.channel.insert(self.connection.create_channel().await?).clone(),
        };
        let short = |name: &str| ShortString::try_new(name).map_err(|error| std::io::Error::other(error.to_string()));
        let Some(queues) = queues else {
            let passive = QueueDeclareOptions { passive: true, durable: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(short(key)?, passive, FieldTable::default()).await?;
            return Ok(());
        };
        for queue in queues {
            let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            let arguments = table::table(queue.arguments.iter().map(|(name, value)| (*name, value)));
            let arguments = arguments.map_err(|error| std::io::Error::other(error.to_string()))?;
            channel.queue_declare(short(&queue.name)?, durable, arguments).await?;
        }
        Ok(())
    }
}
