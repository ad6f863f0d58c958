//! What the server's replies say about each message.

use std::error::Error as _;

use redis::{ServerError, Value};

use super::pack::{replies, runs};
use crate::brokers::fault::BrokerFault;
use crate::brokers::job::Outcome;
use crate::brokers::message::RedisMessage;
use crate::dispatch::DispatchError;

/// One outcome a message.
pub(super) fn outcomes(place: &str, values: &[Value], messages: &[RedisMessage]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(messages.len());
    let mut rest = values;
    for run in runs(messages) {
        let own;
        (own, rest) = rest.split_at(replies(run).min(rest.len()));
        let outcome = outcome(place, own, run);
        outcomes.extend(run.iter().map(|_| outcome.clone()));
    }
    outcomes
}

fn outcome(place: &str, values: &[Value], run: &[RedisMessage]) -> Outcome {
    let list = run.first().map_or("", RedisMessage::queue);
    if let Some(error) = values.iter().find_map(server_error) {
        return Err(refusal(place, list, error));
    }
    match values.last() {
        Some(Value::Int(_) | Value::Array(_)) => Ok(()),
        _ => {
            Err(DispatchError::unconfirmed(BrokerFault::new(format!("{place} gave an answer that is none of Redis's"))))
        }
    }
}

/// The first error among a reply and what lies in it: a transaction answers for its commands.
fn server_error(value: &Value) -> Option<&ServerError> {
    match value {
        Value::ServerError(error) => Some(error),
        Value::Array(values) => values.iter().find_map(server_error),
        _ => None,
    }
}

const READ_ONLY: &str = "READONLY";

fn refusal(place: &str, list: &str, error: &ServerError) -> DispatchError {
    let code = error.code();
    let (may_help, what) = match code {
        "OOM" => (true, "has no memory left (OOM); raise its `maxmemory` or let the workers catch up"),
        READ_ONLY => (true, "is a read-only replica (READONLY); give the URL of the primary"),
        "LOADING" => (true, "is loading its data (LOADING); try again soon"),
        "MISCONF" => (true, "can't save its data and takes no writes (MISCONF); look at its log"),
        "NOREPLICAS" => (true, "has too few replicas to take writes (NOREPLICAS)"),
        "BUSY" => (true, "is busy with a script (BUSY)"),
        "MASTERDOWN" => (true, "has lost its primary (MASTERDOWN)"),
        "CLUSTERDOWN" | "TRYAGAIN" => (true, "is a cluster that can't take it now"),
        "WRONGTYPE" => {
            (false, "has something other than a queue under the queue's key (WRONGTYPE); choose another name")
        }
        "NOPERM" => {
            (false, "doesn't let this user write to the queue (NOPERM); allow LPUSH, RPUSH, HSET and ZADD on its keys")
        }
        "NOAUTH" => (false, "wants a password (NOAUTH); put it in the broker's URL"),
        "MOVED" | "ASK" | "CROSSSLOT" => (false, "is a cluster, which the workers' systems don't use either"),
        _ => (false, "refused the command"),
    };
    let fault = BrokerFault::new(format!("{place} {what}, queue `{}`", list.escape_debug()));
    let fault = if what.contains(code) { fault } else { fault.with_code(code) };
    if may_help { DispatchError::unavailable(fault) } else { DispatchError::rejected(fault) }
}

/// Whether the connection leads to a server that has stopped being the right one.
pub(super) fn is_of_another_server(error: &DispatchError) -> bool {
    error.source().is_some_and(|source| source.to_string().contains(READ_ONLY))
}
