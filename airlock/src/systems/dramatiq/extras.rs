//! The options of an intent as Dramatiq's middleware reads them (dramatiq 2.2.1).

use std::borrow::Cow;
use std::time::SystemTime;

use super::message::enqueued;
use crate::brokers::AmqpValue;
use crate::executors::times::whole_millis;
use crate::intent::Intent;
use crate::systems::extras::{ExtraKind, ExtraSchema};

/// Typed; what has an option of its own, or would break the worker, is refused with the way to go.
pub(super) const EXTRAS: ExtraSchema = ExtraSchema {
    name: "dramatiq",
    known: &[
        ("max_backoff", ExtraKind::Whole("milliseconds", 0)),
        ("min_backoff", ExtraKind::Whole("milliseconds", 0)),
        ("notify_shutdown", ExtraKind::Bool),
        ("on_failure", ExtraKind::Text),
        ("on_retry_exhausted", ExtraKind::Text),
        ("on_success", ExtraKind::Text),
        ("result_ttl", ExtraKind::Whole("milliseconds", 1)),
        ("store_results", ExtraKind::Bool),
    ],
    redirects: &[
        ("message_id", "the intent's id is the message's id"),
        ("redis_message_id", "it is made afresh for every message"),
        ("actor_name", "the task's name is set where it is declared"),
        ("queue_name", "use `queue`"),
        ("args", "arguments are given to the call"),
        ("kwargs", "arguments are given to the call"),
        ("retries", "a first hand-over has used no retry"),
        ("max_retries", "use `max_retries`"),
        ("delay", "use `delay`"),
        ("eta", "use `eta`"),
        ("max_age", "use `expires_in` or `expires_at`"),
        ("time_limit", "use `timeout`"),
        ("broker_priority", "use `priority`"),
        ("priority", "Dramatiq has it on the actor in the worker; use `priority` for the broker's"),
        ("throws", "exceptions have no form in a message, and a worker's thread ends over anything else"),
        ("retry_when", "Dramatiq has it on the actor in the worker"),
        ("pipe_target", "a message starts no other; let the actor send it"),
    ],
};

/// The `options` of the message, `redis_message_id` and `eta` where the broker puts them: last.
pub(super) fn options(
    intent: &Intent,
    now: SystemTime,
    redis_id: Option<&str>,
    priority: Option<u8>,
    eta: Option<i64>,
) -> Vec<(Cow<'static, str>, AmqpValue)> {
    let options = intent.options();
    let max_age = intent.expires_at(now).map(|expiry| {
        let age = expiry.duration_since(enqueued(intent, now)).unwrap_or_default();
        // Dramatiq takes 0 for no limit.
        whole_millis(age).max(1)
    });
    let extra = |key: &'static str, takes: ExtraKind| {
        let value = match takes {
            ExtraKind::Bool => EXTRAS.bool(options, key).map(AmqpValue::Bool),
            ExtraKind::Text => EXTRAS.text(options, key).map(|text| AmqpValue::Text(text.into())),
            ExtraKind::Whole(..) => {
                EXTRAS.whole(options, key).and_then(|number| number.try_into().ok()).map(AmqpValue::Int)
            }
        };
        (key, value)
    };
    let of_intent = [
        ("max_retries", options.get_max_retries().map(|retries| AmqpValue::Int(retries.into()))),
        ("time_limit", options.get_timeout().map(|limit| AmqpValue::Int(whole_millis(limit)))),
        ("max_age", max_age.map(AmqpValue::Int)),
        ("broker_priority", priority.map(|priority| AmqpValue::Int(priority.into()))),
    ];
    let of_broker = [
        ("redis_message_id", redis_id.map(|id| AmqpValue::Text(id.to_owned().into()))),
        ("eta", eta.map(AmqpValue::Int)),
    ];
    let any = EXTRAS.of(options).next().is_some();
    let extras = EXTRAS.known.iter().filter(|_| any).map(|(key, takes)| extra(key, *takes));
    of_intent
        .into_iter()
        .chain(extras)
        .chain(of_broker)
        .filter_map(|(key, value)| Some((Cow::Borrowed(key), value?)))
        .collect()
}
