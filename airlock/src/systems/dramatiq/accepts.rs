//! What can't be sent to Dramatiq: it is refused before anything else of the flush has left.

use std::time::Duration;

use super::extras::EXTRAS;
use super::message::DramatiqFormat;
use crate::brokers::Transport;
use crate::dispatch::Rejection;
use crate::executors::{FlushContext, times};
use crate::intent::Intent;
use crate::systems::python::readable;
use crate::systems::queue::limits;

/// More than a message takes beside its arguments, its queue and what extras say: the task's name of at most 255 bytes,
/// ids and numbers.
const WITHOUT_ARGUMENTS: usize = 4096;

/// Dead letters, and delayed messages with them, are kept so long.
const LONGEST_DELAY: Duration = Duration::from_secs(7 * 24 * 3600);

impl DramatiqFormat {
    /// Whether a worker can take the intent as it is meant.
    pub(super) fn check(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let options = intent.options();
        if !options.get_headers().is_empty() {
            return Err(Rejection::new(
                "a Dramatiq message has no place for headers; send `header` values as arguments",
            ));
        }
        limits::check_queue(self.common.queue(intent), transport)?;
        if transport == Transport::Amqp {
            // Of the delayed and the dead ones.
            let dead = format!("{}.XQ", self.common.queue(intent));
            limits::check_short("the queue's name with `.XQ` behind it", Some(&dead))?;
        }
        check_queue(self.common.queue(intent))?;
        limits::check_task(&self.common.task_name(intent))?;
        EXTRAS.check(options)?;
        match transport {
            Transport::Redis if self.common.priority(intent).is_some() => {
                return Err(Rejection::new(
                    "Dramatiq's queues on Redis have no priorities; leave `priority` out, or use another queue",
                ));
            }
            Transport::Redis => {}
            _ => limits::check_amqp_priority(self.common.priority(intent), self.common.max_priority)?,
        }
        // Dramatiq takes 0 for the limit of the actor.
        if options.get_timeout().is_some_and(|timeout| timeout.is_zero()) {
            return Err(Rejection::new("`timeout` is zero; give it at least a millisecond"));
        }
        times::check_delay(options, flush.now)?;
        let delay = times::starts_later(intent, flush.now).and_then(|start| start.duration_since(flush.now).ok());
        if delay.is_some_and(|delay| delay > LONGEST_DELAY) {
            return Err(Rejection::new("Dramatiq delays messages by at most 7 days; store it and enqueue it later"));
        }
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        readable::check(&arguments, false).map_err(|fault| Rejection::new(fault.to_string()))?;
        let texts: usize = EXTRAS.of(options).map(|extra| extra.value().get().len()).sum();
        if arguments.len() + texts + self.common.queue(intent).len() + WITHOUT_ARGUMENTS <= self.common.body_limit {
            return Ok(());
        }
        self.body(intent, &arguments, flush.now, None, None).map(drop)
    }
}

/// Whether an actor can have the queue: `[a-zA-Z_][a-zA-Z0-9._-]*` (`actor.py`), and none of the names that the worker
/// makes of others.
fn check_queue(queue: &str) -> Result<(), Rejection> {
    let starts = queue.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !starts || !queue.chars().all(|each| each.is_ascii_alphanumeric() || matches!(each, '_' | '.' | '-')) {
        return Err(Rejection::new(
            "a queue of Dramatiq has a name of letters, digits, `_`, `.` and `-` that starts with a letter or `_`; rename it",
        ));
    }
    // What else the worker has in the same place (dramatiq 2.2.1, `brokers/redis`).
    if queue.ends_with(".msgs") || queue.starts_with("__") {
        return Err(Rejection::new(
            "names that end with `.msgs` or start with `__` are keys of Dramatiq's own on Redis; rename the queue",
        ));
    }
    if queue.ends_with(".DQ") || queue.ends_with(".XQ") {
        return Err(Rejection::new(
            "queues that end with `.DQ` and `.XQ` are Dramatiq's own; name the queue itself, and use `delay` to delay",
        ));
    }
    Ok(())
}
