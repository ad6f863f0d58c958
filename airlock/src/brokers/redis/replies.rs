//! What the server's replies say about each message.

use std::ops::Range;

use redis::{Cmd, ServerError, Value};

use super::answer::{Asked, Meaning, meaning};
use super::pack::{needs, replies, runs};
use super::transaction::{Fate, Pair, Reader, take_back};
use crate::brokers::connection::{BrokerFault, JobOutcome};
use crate::brokers::message::RedisMessage;
use crate::dispatch::DispatchError;

/// What is known once a pipeline is answered.
#[derive(Default)]
pub(super) struct Outcomes {
    /// One for each message.
    pub(super) each: Vec<JobOutcome>,
    /// Whether the connection leads to a server that has stopped being the one to write to.
    pub(super) are_of_another_server: bool,
    /// Whether something waits on the server for an `EXEC`, which was refused.
    pub(super) are_open: bool,
    /// Messages that wait so as a whole: they have failed if it does not come.
    pub(super) open: Vec<Range<usize>>,
    /// Messages that are there by half and have failed, and what takes them back.
    pub(super) halves: Vec<(Range<usize>, Vec<Cmd>)>,
}

pub(super) fn outcomes(place: &str, values: &[Value], messages: &[RedisMessage]) -> Outcomes {
    let mut outcomes = Outcomes { each: Vec::with_capacity(messages.len()), ..Outcomes::default() };
    let mut reader = Reader::default();
    let mut rest = values;
    // A transaction may be ended by a later answer than its own.
    let answered: Vec<_> = runs(messages)
        .map(|run| {
            let own;
            (own, rest) = rest.split_at(replies(run).min(rest.len()));
            if matches!(run, [RedisMessage::StoreAndPush { .. }, ..]) {
                reader.read(own);
            }
            (run, own)
        })
        .collect();
    let mut pairs = reader.pairs.iter();
    for (run, own) in answered {
        let refused = |error: &ServerError| {
            let queue = run.first().map_or("", RedisMessage::queue);
            meaning(Asked::Write { queue, needs: needs(run) }, error)
        };
        let outcome = match run {
            [RedisMessage::StoreAndPush { .. }, ..] => {
                pairs.next().and_then(|pair| outcomes.of_pair(pair, run, refused))
            }
            _ => match own.first() {
                Some(Value::Int(_)) => Some(Ok(())),
                Some(Value::ServerError(error)) => Some(Err(refused(error))),
                _ => None,
            },
        };
        let outcome = match outcome {
            Some(Ok(())) => Ok(()),
            Some(Err(meaning)) => {
                outcomes.are_of_another_server |= meaning.is_of_another_server;
                Err(meaning.at(place))
            }
            None => {
                let what = format!("{place} gave an answer that is none of Redis's");
                Err(DispatchError::unconfirmed(BrokerFault::new(what)))
            }
        };
        outcomes.each.extend(run.iter().map(|_| outcome.clone()));
    }
    outcomes
}

impl Outcomes {
    /// `None` if that is not known.
    fn of_pair(
        &mut self,
        pair: &Pair,
        run: &[RedisMessage],
        refused: impl Fn(&ServerError) -> Meaning,
    ) -> Option<Result<(), Meaning>> {
        if (&pair.stored, &pair.pushed) == (&Fate::Done, &Fate::Done) {
            return Some(Ok(()));
        }
        let refused = refused(pair.cause()?);
        self.are_open |= [&pair.stored, &pair.pushed].contains(&&Fate::Open);
        let range = self.each.len()..self.each.len() + run.len();
        match (&pair.stored, &pair.pushed) {
            (Fate::Unknown, _) | (_, Fate::Unknown) => return None,
            // What may be whole is not touched.
            _ if refused.is_in_doubt() => {}
            (Fate::Open, Fate::Open) => self.open.push(range),
            (Fate::Done | Fate::Open, _) => self.halves.push((range, take_back(run, true))),
            (_, Fate::Done | Fate::Open) => self.halves.push((range, take_back(run, false))),
            _ => {}
        }
        Some(Err(refused))
    }
}
