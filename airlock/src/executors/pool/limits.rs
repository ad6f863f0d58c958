//! How much is accepted, and which options are honoured.

use std::fmt;
use std::sync::Arc;

use crate::dispatch::Rejection;
use crate::executors::{FlushContext, times};
use crate::intent::{Failure, Intent};
use crate::task::TaskKind;

/// Is given every accepted intent that did not end well.
pub(in crate::executors) type FailureHandler = Arc<dyn Fn(Failure) + Send + Sync>;

#[derive(Clone)]
pub(in crate::executors) struct Limits {
    /// What kind of executor it is, for messages.
    pub(in crate::executors) kind: &'static str,
    pub(in crate::executors) name: Option<Arc<str>>,
    /// How many jobs run at once: the threads, or the tasks of a runtime.
    pub(in crate::executors) at_once: usize,
    pub(in crate::executors) queue: usize,
    pub(in crate::executors) delayed: usize,
    pub(in crate::executors) on_error: Option<FailureHandler>,
    pub(in crate::executors) ignore_unsupported: bool,
}

impl Limits {
    pub(in crate::executors) const fn new(kind: &'static str, at_once: usize) -> Self {
        Self { kind, name: None, at_once, queue: 10_000, delayed: 10_000, on_error: None, ignore_unsupported: false }
    }

    /// `thread pool` or ``thread pool `mail` ``.
    pub(in crate::executors) fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} `{name}`", self.kind),
            None => self.kind.to_owned(),
        }
    }

    /// What reports call the executor.
    pub(in crate::executors) fn short(&self, otherwise: &'static str) -> &str {
        self.name.as_deref().unwrap_or(otherwise)
    }

    /// Whether the task can run here, with its options.
    pub(in crate::executors) fn check(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        intent.can_run_here()?;
        let options = if flush.may_have_options { intent.options() } else { intent.task().options };
        times::check_delay(options, flush.now)?;
        if self.ignore_unsupported {
            return Ok(());
        }
        let unsupported = [
            ("priority", options.get_priority().is_some()),
            ("max_retries", options.get_max_retries().is_some()),
            // A function can't be cut off; a future can be dropped.
            ("timeout", options.get_timeout().is_some() && intent.task().kind == TaskKind::Sync),
        ];
        match unsupported.iter().find(|(_, set)| *set) {
            None => Ok(()),
            Some((option, _)) => Err(Rejection::new(format!(
                "a {} can't honour `{option}`{}; leave it out, or say `.ignore_unsupported()` where the executor is made",
                self.kind,
                if *option == "timeout" { " for a task that isn't async" } else { "" },
            ))),
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("name", &self.name)
            .field("queue", &self.queue)
            .field("delayed", &self.delayed)
            .field("ignore_unsupported", &self.ignore_unsupported)
            .finish_non_exhaustive()
    }
}
