//! The options that only Django-Q2 has (django-q2 1.11.1, `tasks.py`).

use crate::executors::extras::{System, Takes};
use crate::executors::pickle::Pickle;
use crate::options::Options;

/// Typed; what has an option of its own is refused with the way to go.
pub(super) const EXTRAS: System = System {
    name: "django_q",
    known: &[("ack_failure", Takes::Bool), ("group", Takes::Text), ("hook", Takes::Text), ("save", Takes::Bool)],
    elsewhere: &[
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

/// Those of the intent, in the order of `async_task`'s `opt_keys`.
pub(super) fn extras(out: &mut Pickle, options: &Options) {
    for key in ["hook", "group"] {
        if let Some(text) = EXTRAS.text(options, key) {
            out.text(key);
            out.text(&text);
        }
    }
    for key in ["save", "ack_failure"] {
        if let Some(value) = EXTRAS.bool(options, key) {
            out.text(key);
            out.bool(value);
        }
    }
    if let Some(cluster) = options.get_queue() {
        out.text("cluster");
        out.text(cluster);
    }
    if let Some(seconds) = options.get_timeout().and_then(|limit| i64::try_from(limit.as_secs()).ok()) {
        out.text("timeout");
        out.int(seconds);
    }
}
