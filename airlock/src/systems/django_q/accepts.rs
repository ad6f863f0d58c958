//! What can't be sent to Django-Q2: it is refused before anything else of the flush has left. A task that a cluster can't
//! read ends a process of it, and one whose result it can't store is lost.

use super::extras::EXTRAS;
use super::message::{DjangoQFormat, MAX_NAME};
use crate::brokers::Transport;
use crate::dispatch::Rejection;
use crate::executors::{FlushContext, times};
use crate::intent::Intent;
use crate::options::Options;
use crate::systems::python::{django_time, readable};
use crate::systems::queue::limits;

/// More than a message takes beside its arguments: names, ids and numbers.
const WITHOUT_ARGUMENTS: usize = 8192;

/// How much longer a package may be than the JSON it is made of: `1e9,` takes nine bytes, and four thirds of that.
const PER_BYTE: usize = 4;

/// What `func` and `hook` may have in a row of results: `varchar(256)`.
const MAX_PATH: usize = 256;

/// What `signal.alarm` takes.
const LONGEST_TIMEOUT: u64 = i32::MAX as u64;

impl DjangoQFormat {
    /// Whether a cluster can take the intent as it is meant.
    pub(super) fn check(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let options = intent.options();
        let refused = [
            (!options.get_headers().is_empty(), "place for headers; send `header` values as arguments"),
            (options.get_priority().is_some(), "priorities; leave `priority` out, or use another queue"),
            (options.get_max_retries().is_some(), "`max_retries` in a task; `max_attempts` of the cluster is it"),
            (options.get_expiry().is_some(), "expiry; leave `expires_in` and `expires_at` out"),
        ];
        if let Some((_, what)) = refused.iter().find(|(is_set, _)| *is_set) {
            return Err(Rejection::new(format!("Django-Q has no {what}")));
        }
        limits::check_queue(self.cluster(intent), transport)?;
        check_length("the queue's name", self.cluster(intent), MAX_NAME)?;
        let func = self.common.task_name(intent);
        limits::check_dotted("Django-Q", &func)?;
        check_length("the task's name", &func, MAX_PATH)?;
        EXTRAS.check(options)?;
        check_texts(options)?;
        check_timeout(options)?;
        times::check_delay(options, flush.now)?;
        let start = times::starts_later(intent, flush.now);
        if transport == Transport::Redis && start.is_some() {
            return Err(Rejection::new(
                "Django-Q's broker on Redis can't delay; leave `delay` and `eta` out, or use its broker on the ORM",
            ));
        }
        if let Some(start) = start {
            django_time::text(start).ok_or_else(times::too_late)?;
        }
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        readable::check(&arguments, false).map_err(|fault| Rejection::new(fault.to_string()))?;
        if arguments.len() * PER_BYTE + WITHOUT_ARGUMENTS <= self.common.body_limit {
            return Ok(());
        }
        self.package(intent, flush.now).map(drop)
    }
}

/// What is stored with the result.
fn check_texts(options: &Options) -> Result<(), Rejection> {
    check_length("the label", options.get_label().unwrap_or_default(), MAX_NAME)?;
    if let Some(group) = EXTRAS.text(options, "group") {
        check_length("`group`", &group, MAX_NAME)?;
    }
    if let Some(hook) = EXTRAS.text(options, "hook") {
        check_length("`hook`", &hook, MAX_PATH)?;
        limits::check_dotted("Django-Q", &hook)?;
    }
    Ok(())
}

fn check_length(what: &str, text: &str, most: usize) -> Result<(), Rejection> {
    if text.contains('\0') {
        return Err(Rejection::new(format!("{what} holds a NUL, which Postgres can't store; leave it out")));
    }
    let length = text.chars().count();
    if length <= most {
        return Ok(());
    }
    Err(Rejection::new(format!("{what} has {length} characters and {most} are possible; shorten it")))
}

fn check_timeout(options: &Options) -> Result<(), Rejection> {
    let fits = |seconds: u64| (1..=LONGEST_TIMEOUT).contains(&seconds);
    match options.get_timeout() {
        Some(limit) if limit.subsec_nanos() > 0 || !fits(limit.as_secs()) => Err(Rejection::new(format!(
            "Django-Q's time limits are whole seconds; give `timeout` from 1 to {LONGEST_TIMEOUT}, and no fraction"
        ))),
        _ => Ok(()),
    }
}
