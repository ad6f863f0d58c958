//! Whether the queues are there, and the exchanges on the way to them, asked once a connection: a message for a queue that
//! isn't there would be lost, and one for an exchange that isn't would end the channel that all share.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lapin::options::{ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString, ShortStringError};
use lapin::{Channel, ExchangeKind};

use super::answer::AmqpPhase;
use super::probe::ProbeChannel;
use super::{Addressed, refusal, table};
use crate::brokers::message::{AmqpDeclaration, AmqpMessage};
use crate::dispatch::DispatchError;

/// The queues that are known to be there.
pub(super) struct KnownQueues {
    place: Arc<str>,
    /// What was asked: without or with declarations.
    known: HashSet<(Destination, bool)>,
}

/// Where messages go, and by which exchange.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Destination {
    queue: String,
    exchange: &'static str,
}

impl Destination {
    pub(super) fn of(message: &AmqpMessage) -> Self {
        Self { queue: message.queue().to_owned(), exchange: message.exchange }
    }
}

/// Why each of these can't be published to.
pub(super) type Refusals = HashMap<Destination, DispatchError>;

impl KnownQueues {
    pub(super) fn new(place: Arc<str>) -> Self {
        Self { place, known: HashSet::new() }
    }

    /// Sees to it that the queues of these messages are there.
    pub(super) async fn check(
        &mut self,
        probe: &mut ProbeChannel,
        messages: &[Addressed],
    ) -> Result<Refusals, lapin::Error> {
        let mut refusals = Refusals::new();
        for Addressed { message, declarations } in messages {
            let to_be_known = (Destination::of(message), declarations.is_some());
            if self.known.contains(&to_be_known) || refusals.contains_key(&to_be_known.0) {
                continue;
            }
            let queue = message.queue();
            let its_queue = [AmqpDeclaration::AnyQueue(queue.to_owned())];
            let declarations = declarations.as_deref().unwrap_or(&its_queue);
            let Ok(questions) = declarations.iter().map(Question::of).collect::<Result<Vec<_>, _>>() else {
                refusals.insert(to_be_known.0, refusal::too_long(&self.place));
                continue;
            };
            match ask(probe, questions).await {
                Ok(()) => drop(self.known.insert(to_be_known)),
                Err(error) => {
                    probe.leave();
                    let phase = if to_be_known.1 { AmqpPhase::Declaring } else { AmqpPhase::ProbeChannel };
                    let refusal = refusal::of_exchange(&self.place, &error)
                        .or_else(|| refusal::of_queue(phase, &self.place, queue, &error))
                        .ok_or(error)?;
                    refusals.insert(to_be_known.0, refusal);
                }
            }
        }
        Ok(refusals)
    }

    /// To be asked again before the next message.
    pub(super) fn forget(&mut self, queue: &str) {
        self.known.retain(|(known, _)| known.queue != queue);
    }
}

/// What is asked of the server: whether something is there, or to make it so.
enum Question {
    Queue(ShortString, QueueDeclareOptions, FieldTable),
    Exchange(ShortString, ExchangeDeclareOptions),
    QueueBinding { queue: ShortString, exchange: ShortString, key: ShortString },
    ExchangeBinding { exchange: ShortString, from: ShortString, key: ShortString },
}

impl Question {
    fn of(declaration: &AmqpDeclaration) -> Result<Self, ShortStringError> {
        let short = |text: &String| ShortString::try_new(text.as_str());
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let durable_exchange = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        Ok(match declaration {
            AmqpDeclaration::Queue(queue) => {
                let arguments = table::table(queue.arguments.iter().map(|(name, value)| (*name, value)))?;
                Self::Queue(short(&queue.name)?, durable, arguments)
            }
            AmqpDeclaration::AnyQueue(name) => {
                let passive = QueueDeclareOptions { passive: true, ..durable };
                Self::Queue(short(name)?, passive, FieldTable::default())
            }
            AmqpDeclaration::Topic(name) => Self::Exchange(short(name)?, durable_exchange),
            AmqpDeclaration::AnyExchange(name) => {
                let passive = ExchangeDeclareOptions { passive: true, ..durable_exchange };
                Self::Exchange(short(name)?, passive)
            }
            AmqpDeclaration::QueueBinding { queue, exchange, key } => {
                Self::QueueBinding { queue: short(queue)?, exchange: short(exchange)?, key: short(key)? }
            }
            AmqpDeclaration::ExchangeBinding { exchange, from, key } => {
                Self::ExchangeBinding { exchange: short(exchange)?, from: short(from)?, key: short(key)? }
            }
        })
    }

    async fn ask(self, channel: &Channel) -> lapin::Result<()> {
        let none = FieldTable::default;
        match self {
            Self::Queue(name, options, arguments) => channel.queue_declare(name, options, arguments).await.map(drop),
            Self::Exchange(name, options) => channel.exchange_declare(name, ExchangeKind::Topic, options, none()).await,
            Self::QueueBinding { queue, exchange, key } => {
                channel.queue_bind(queue, exchange, key, QueueBindOptions::default(), none()).await
            }
            Self::ExchangeBinding { exchange, from, key } => {
                channel.exchange_bind(exchange, from, key, ExchangeBindOptions::default(), none()).await
            }
        }
    }
}

async fn ask(probe: &mut ProbeChannel, questions: Vec<Question>) -> Result<(), lapin::Error> {
    let channel = probe.channel().await?;
    for question in questions {
        question.ask(&channel).await?;
    }
    Ok(())
}
