//! Whether the queues are there, asked once a connection: a message for one that isn't would be lost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString, ShortStringError};

use super::asking::Asking;
use super::{Addressed, refusal, table};
use crate::brokers::message::AmqpQueue;
use crate::dispatch::DispatchError;

/// The queues that are known to be there.
pub(super) struct KnownQueues {
    place: Arc<str>,
    /// What was asked: without or with a declaration.
    known: HashSet<(String, bool)>,
}

/// Why each of these queues can't be published to.
pub(super) type Refusals = HashMap<String, DispatchError>;

impl KnownQueues {
    pub(super) fn new(place: Arc<str>) -> Self {
        Self { place, known: HashSet::new() }
    }

    /// Sees to it that the queues of these messages are there.
    pub(super) async fn check(
        &mut self,
        asking: &mut Asking,
        messages: &[Addressed],
    ) -> Result<Refusals, lapin::Error> {
        let mut refusals = Refusals::new();
        for Addressed { message, queues } in messages {
            let key = &message.routing_key;
            if self.known.contains(&(key.clone(), queues.is_some())) || refusals.contains_key(key) {
                continue;
            }
            let Ok(declarations) = declarations(key, queues.as_deref()) else {
                refusals.insert(key.clone(), refusal::too_long(&self.place));
                continue;
            };
            match ask(asking, declarations).await {
                Ok(()) => drop(self.known.insert((key.clone(), queues.is_some()))),
                Err(error) => {
                    asking.leave();
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
}

type Declaration = (ShortString, QueueDeclareOptions, FieldTable);

/// What is asked about a queue: to be there, or to be as it is declared.
fn declarations(key: &str, queues: Option<&[AmqpQueue]>) -> Result<Vec<Declaration>, ShortStringError> {
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let Some(queues) = queues else {
        let passive = QueueDeclareOptions { passive: true, ..durable };
        return Ok(vec![(ShortString::try_new(key)?, passive, FieldTable::default())]);
    };
    let declaration = |queue: &AmqpQueue| {
        let arguments = table::table(queue.arguments.iter().map(|(name, value)| (*name, value)))?;
        Ok((ShortString::try_new(queue.name.as_str())?, durable, arguments))
    };
    queues.iter().map(declaration).collect()
}

async fn ask(asking: &mut Asking, declarations: Vec<Declaration>) -> Result<(), lapin::Error> {
    let channel = asking.channel().await?;
    for (name, options, arguments) in declarations {
        channel.queue_declare(name, options, arguments).await?;
    }
    Ok(())
}
