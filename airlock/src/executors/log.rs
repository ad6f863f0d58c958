//! A dry run that says what would have happened.

use super::{Batch, BoxFuture, Executor, ExecutorTraits};

/// Writes a `tracing` event at level info for each intent and dispatches nothing: a dry run. `local` tasks are only
/// logged, too.
///
/// Events carry task, id and the place of the call; the arguments only on request, redaction kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogExecutor {
    arguments: bool,
}

impl LogExecutor {
    /// Logs names and ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Logs the call with its argument values too, except those marked `#[redact]`.
    #[must_use]
    pub fn with_arguments(mut self) -> Self {
        self.arguments = true;
        self
    }
}

impl Executor for LogExecutor {
    fn name(&self) -> &str {
        "log"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                let intent = begun.intent();
                let (task, id, location) = (intent.name(), intent.id(), intent.location());
                if self.arguments {
                    tracing::info!(target: "airlock", task, %id, %location, call = %intent, "would dispatch");
                } else {
                    tracing::info!(target: "airlock", task, %id, %location, "would dispatch");
                }
                begun.settle(Ok(()));
            }
        })
    }

    fn traits(&self) -> ExecutorTraits {
        ExecutorTraits { takes_local: true, no_deadline: true, ..ExecutorTraits::default() }
    }
}
