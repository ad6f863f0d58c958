//! The options that only Huey has (huey 3.5.4, `api.py`).

use crate::dispatch::Rejection;
use crate::options::Options;
use crate::systems::extras::{ExtraKind, ExtraSchema};

/// Typed; what has an option of its own is refused with the way to go.
pub(super) const EXTRAS: ExtraSchema = ExtraSchema {
    name: "huey",
    known: &[("retry_backoff", ExtraKind::Whole("times", 1)), ("retry_delay", ExtraKind::Whole("seconds", 0))],
    redirects: &[
        ("id", "the intent's id is the message's id"),
        ("name", "the task's name is set where it is declared"),
        ("args", "arguments are given to the call"),
        ("kwargs", "arguments are given to the call"),
        ("retries", "use `max_retries`"),
        ("delay", "use `delay`"),
        ("eta", "use `eta`"),
        ("expires", "use `expires_in` or `expires_at`"),
        ("expires_resolved", "use `expires_in` or `expires_at`"),
        ("priority", "use `priority`"),
        ("timeout", "use `timeout`"),
        ("on_complete", "a message starts no other; let the task enqueue it"),
        ("on_error", "a message starts no other; let the consumer's signals do it"),
        ("chord_config", "a message starts no other; let the task enqueue it"),
    ],
};

/// Ten years, in seconds: what lies further off may leave Python's calendar, and the task is lost.
const LONGEST: u64 = 10 * 365 * 86_400;

/// Seconds between two runs.
pub(super) fn retry_delay(options: &Options) -> Option<i64> {
    EXTRAS.whole(options, "retry_delay").and_then(|seconds| i64::try_from(seconds).ok())
}

/// By which that is multiplied after each.
pub(super) fn retry_backoff(options: &Options) -> Option<i64> {
    EXTRAS.whole(options, "retry_backoff").and_then(|times| i64::try_from(times).ok())
}

/// Whether the last retry comes at all.
pub(super) fn check_retries(options: &Options) -> Result<(), Rejection> {
    let (delay, backoff) = (EXTRAS.whole(options, "retry_delay"), EXTRAS.whole(options, "retry_backoff"));
    let retries = options.get_max_retries();
    if backoff.is_some() && (delay.is_none() || retries.is_none()) {
        // With the task's own, how long that gets isn't known here, and a consumer loses what waits for too long.
        return Err(Rejection::new("`retry_backoff` needs `retry_delay` and `max_retries` beside it; set all three"));
    }
    let Some(delay) = delay else { return Ok(()) };
    let last = delay.saturating_mul(backoff.unwrap_or(1).saturating_pow(retries.unwrap_or(0).saturating_sub(1)));
    if last <= LONGEST {
        return Ok(());
    }
    Err(Rejection::new(
        "its last retry would wait for more than ten years; lower `retry_delay`, `retry_backoff` or `max_retries`",
    ))
}
