//! What a message for Celery can carry beside the arguments, and what it must not (celery 5.7.0).

use crate::systems::extras::{ExtraKind, ExtraSchema};

/// Typed; what has an option of its own, or would break the worker, is refused with the way to go.
pub(super) const EXTRAS: ExtraSchema = ExtraSchema {
    name: "celery",
    known: &[
        ("ignore_result", ExtraKind::Bool),
        ("parent_id", ExtraKind::Text),
        ("reply_to", ExtraKind::Text),
        ("root_id", ExtraKind::Text),
        ("shadow", ExtraKind::Text),
        ("soft_time_limit", ExtraKind::Whole("seconds", 1)),
    ],
    redirects: &[
        ("id", "the intent's id is the task's id"),
        ("task_id", "the intent's id is the task's id"),
        ("task", "the task's name is set where it is declared"),
        ("args", "arguments are given to the call"),
        ("kwargs", "arguments are given to the call"),
        ("retries", "a first hand-over has used no retry"),
        ("max_retries", "Celery has it on the task in the worker, not in the message"),
        ("countdown", "use `delay`"),
        ("eta", "use `eta`"),
        ("expires", "use `expires_in` or `expires_at`"),
        ("expiration", "use `expires_in` or `expires_at`"),
        ("priority", "use `priority`"),
        ("queue", "use `queue`"),
        ("routing_key", "use `queue`"),
        ("time_limit", "use `timeout`"),
        ("timelimit", "use `timeout`"),
        ("headers", "use `header`"),
        ("origin", "use `origin`"),
    ],
};

/// Headers that are Celery's own: the protocol's, and the names under which a running task finds what its worker knows
/// (`Context` in `app/task.py`), among them methods that a header of the same name would hide. kombu would decompress a
/// body by `compression`; RabbitMQ expects lists in `CC` and `BCC` and closes the channel otherwise.
const OWN_HEADERS: &[&str] = &[
    "BCC",
    "CC",
    "args",
    "argsrepr",
    "as_execution_options",
    "callbacks",
    "called_directly",
    "chain",
    "children",
    "chord",
    "clear",
    "compression",
    "correlation_id",
    "delivery_info",
    "errbacks",
    "eta",
    "expires",
    "get",
    "group",
    "group_index",
    "headers",
    "hostname",
    "id",
    "ignore_result",
    "is_eager",
    "kwargs",
    "kwargsrepr",
    "lang",
    "logfile",
    "loglevel",
    "origin",
    "parent_id",
    "properties",
    "replaced_task_nesting",
    "reply_to",
    "retries",
    "root_id",
    "shadow",
    "soft_time_limit",
    "stamped_headers",
    "stamps",
    "task",
    "taskset",
    "time_limit",
    "timelimit",
    "update",
    "utc",
    "x-death",
];

/// Whether Celery or a broker gives the header a meaning of its own.
pub(super) fn is_own_header(name: &str) -> bool {
    name.starts_with('_') || OWN_HEADERS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_headers_are_found() {
        assert!(OWN_HEADERS.is_sorted());
        for own in ["task", "CC", "x-death", "update", "__dict__", "_children"] {
            assert!(is_own_header(own), "{own}");
        }
        for free in ["tenant", "x-request-id", "traceparent", "cc", "Task"] {
            assert!(!is_own_header(free), "{free}");
        }
    }
}
