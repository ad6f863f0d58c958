//! What the server's replies say about each message.

use redis::Value;

use super::answer::{Asked, meaning};
use super::pack::{needs, runs};
use crate::brokers::fault::BrokerFault;
use crate::brokers::job::Outcome;
use crate::brokers::message::RedisMessage;
use crate::error::DispatchError;

/// What is known once a pipeline is answered.
pub(super) struct Outcomes {
    /// One for each message.
    pub(super) each: Vec<Outcome>,
    /// Whether the connection leads to a server that has stopped being the one to write to.
    pub(super) are_of_another_server: bool,
}

pub(super) fn outcomes(place: &str, values: &[Value], messages: &[RedisMessage]) -> Outcomes {
    let mut outcomes = Outcomes { each: Vec::with_capacity(messages.len()), are_of_another_server: false };
    let mut values = values.iter();
    for run in runs(messages) {
        let outcome = match values.next() {
            Some(Value::Int(_)) => Ok(()),
            Some(Value::ServerError(error)) => {
                let queue = run.first().map_or("", RedisMessage::queue);
                let meaning = meaning(Asked::Write { queue, needs: needs(run) }, error);
                outcomes.are_of_another_server |= meaning.is_of_another_server;
                Err(meaning.at(place))
            }
            _ => {
                let what = format!("{place} gave an answer that is none of Redis's");
                Err(DispatchError::unconfirmed(BrokerFault::new(what)))
            }
        };
        outcomes.each.extend(run.iter().map(|_| outcome.clone()));
    }
    outcomes
}
