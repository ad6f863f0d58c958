//! What can't be sent to Huey: it is refused before anything else of the flush has left. Consumers take a message from the
//! queue before they look at it, so one that they can't run is gone, with a line in their log.

use super::extras::{EXTRAS, check_retries};
use super::message::HueyFormat;
use crate::brokers::Transport;
use crate::dispatch::Rejection;
use crate::executors::{FlushContext, times};
use crate::intent::Intent;
use crate::systems::python::calendar;
use crate::systems::python::readable;
use crate::systems::queue::limits;

/// More than a message takes beside its arguments: names, ids and numbers.
const WITHOUT_ARGUMENTS: usize = 4096;

/// How much longer a pickle may be than the JSON it is made of: `1e9,` takes nine bytes.
const PER_BYTE: usize = 3;

/// What `pg_notify` takes; for more, Huey makes another name.
const LONGEST_CHANNEL: usize = 63;

/// What an interval timer takes anywhere.
const LONGEST_TIMEOUT: u64 = i32::MAX as u64;

impl HueyFormat {
    /// Whether a consumer can take the intent as it is meant.
    pub(super) fn check(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let options = intent.options();
        if !options.get_headers().is_empty() {
            return Err(Rejection::new("a Huey message has no place for headers; send `header` values as arguments"));
        }
        limits::check_queue(self.common.queue(intent), transport)?;
        if transport == Transport::Redis && self.redis_name(intent).is_empty() {
            return Err(Rejection::new(
                "Huey leaves letters, digits and `_` of a name on Redis, and the queue has none; rename it, or set \
                 `clean_name` to false as in the consumers",
            ));
        }
        if transport == Transport::Postgres && self.channel(intent).len() > LONGEST_CHANNEL {
            return Err(Rejection::new(format!(
                "the queue's name makes a channel `{}` of more than the {LONGEST_CHANNEL} bytes that Postgres has for it; \
                 shorten it",
                self.channel(intent)
            )));
        }
        let name = self.common.task_name(intent);
        limits::check_task(&name)?;
        limits::check_dotted("Huey", &name)?;
        EXTRAS.check(options)?;
        if transport == Transport::Redis && !self.priorities && self.common.priority(intent).is_some() {
            return Err(Rejection::new(
                "RedisHuey has no priorities, and would lose the task at its first retry; leave `priority` out, or use \
                 PriorityRedisHuey and say so with `.priorities()`",
            ));
        }
        self.check_version(intent)?;
        times::check_delay(options, flush.now)?;
        for time in [times::starts_later(intent, flush.now), intent.expires_at(flush.now)].into_iter().flatten() {
            if calendar::utc(time).is_none() {
                return Err(Rejection::new("a time is after the year 9999, which Python doesn't have; leave it out"));
            }
        }
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        readable::check(&arguments, false).map_err(|fault| Rejection::new(fault.to_string()))?;
        if (arguments.len() * PER_BYTE + self.common.queue(intent).len()) + WITHOUT_ARGUMENTS <= self.common.body_limit
        {
            return Ok(());
        }
        self.data(intent, flush.now, Vec::new()).map(drop)
    }

    /// What is in the fields that Huey 2 doesn't have.
    fn check_version(&self, intent: &Intent) -> Result<(), Rejection> {
        let options = intent.options();
        let timeout = options.get_timeout();
        if !matches!(self.consumer, 2 | 3) {
            return Err(Rejection::new(format!(
                "messages are written for Huey 2 and 3, and not for {}; give `consumer` one of them",
                self.consumer
            )));
        }
        if self.consumer < 3 && timeout.is_some() {
            return Err(Rejection::new(
                "Huey 2 has no time limits and would lose the message; leave `timeout` out, or say `.consumer(3)` if all \
                 consumers run Huey 3",
            ));
        }
        if self.consumer < 3 && EXTRAS.whole(options, "retry_backoff").is_some() {
            return Err(Rejection::new(
                "Huey 2 has no `retry_backoff` and would lose the message; leave it out, or say `.consumer(3)` if all \
                 consumers run Huey 3",
            ));
        }
        check_retries(options)?;
        match timeout {
            // Huey takes 0 for none.
            Some(limit) if limit.as_micros() == 0 => {
                Err(Rejection::new("`timeout` is less than a microsecond, which Huey takes for none; give it more"))
            }
            Some(limit) if limit.as_secs() > LONGEST_TIMEOUT => {
                Err(Rejection::new(format!("`timeout` is above {LONGEST_TIMEOUT} seconds; leave it out")))
            }
            _ => Ok(()),
        }
    }
}
