//! The options that only Django-Q2 has (django-q2 1.11.1, `tasks.py`).

use super::message::DjangoQFormat;
use crate::options::Options;
use crate::systems::extras::{ExtraKind, ExtraSchema};
use crate::systems::python::pickle::Pickle;

/// Typed; what has an option of its own is refused with the way to go.
pub(super) const EXTRAS: ExtraSchema = ExtraSchema {
    name: "django_q",
    known: &[
        ("ack_failure", ExtraKind::Bool),
        ("cached", ExtraKind::Whole("seconds", 0)),
        ("group", ExtraKind::Text),
        ("hook", ExtraKind::Text),
        ("save", ExtraKind::Bool),
    ],
    redirects: &[
        ("id", "the intent's id is the task's id"),
        ("name", "use `label`"),
        ("task_name", "use `label`"),
        ("func", "the task's name is set where it is declared"),
        ("args", "arguments are given to the call"),
        ("kwargs", "arguments are given to the call"),
        ("cluster", "use `queue`"),
        ("timeout", "use `timeout`"),
        ("started", "it is the time of the hand-over"),
        ("broker", "the executor has its own"),
        ("sync", "a cluster runs it; use `InlineExecutor` to run it here"),
        ("chain", "a task starts no other; let it enqueue what follows"),
    ],
};

/// The seconds from which on a result is kept without an end: a cache may not take more.
const FOR_EVER: i64 = i32::MAX as i64;

/// Those of the intent, in the order of `async_task`'s `opt_keys`, and behind them what the clusters' `Q_CLUSTER` says
/// where the intent says nothing.
pub(super) fn extras(out: &mut Pickle, options: &Options, format: &DjangoQFormat) {
    for key in ["hook", "group"] {
        if let Some(text) = EXTRAS.text(options, key) {
            out.text(key);
            out.text(&text);
        }
    }
    if let Some(saves) = EXTRAS.bool(options, "save") {
        out.text("save");
        out.bool(saves);
    }
    let (own_cached, own_ack) = (EXTRAS.whole(options, "cached"), EXTRAS.bool(options, "ack_failure"));
    if let Some(seconds) = own_cached {
        cached(out, seconds);
    }
    if let Some(acknowledges) = own_ack {
        out.text("ack_failure");
        out.bool(acknowledges);
    }
    if let Some(cluster) = options.get_queue() {
        out.text("cluster");
        out.text(cluster);
    }
    if let Some(seconds) = options.get_timeout().and_then(|limit| i64::try_from(limit.as_secs()).ok()) {
        out.text("timeout");
        out.int(seconds);
    }
    if let (None, Some(time)) = (own_cached, format.cached) {
        cached(out, time.as_secs());
    }
    if own_ack.is_none() && format.ack_failures {
        out.text("ack_failure");
        out.bool(true);
    }
}

fn cached(out: &mut Pickle, seconds: u64) {
    out.text("cached");
    match i64::try_from(seconds) {
        Ok(seconds) if seconds < FOR_EVER => out.int(seconds),
        _ => out.bool(true),
    }
}
