//! Here and now: the default.

use super::{Batch, Capabilities, Executor, FlushContext, FlushMode};
use crate::dispatch::{DispatchError, Rejection};
use crate::intent::Intent;
use crate::runtime::BoxFuture;
use crate::task::TaskKind;

/// Runs each task where the flush is: plain functions are called, `async` ones awaited in an async flush.
///
/// Tasks run one after the other in an empty context: no scope, no local policy. A task that enqueues is itself
/// `#[airlock::scoped]`. One that fails or panics is reported, and **the later ones still run** unless the scope says
/// [`OnFailure::FailFast`](crate::OnFailure::FailFast). There is no deadline unless the scope sets one, and code that
/// blocks its thread can't be cut by it. Options such as `delay` and `queue` are ignored: it runs now.
///
/// An `async` task in a sync flush, or a task without a body, is refused before anything runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct InlineExecutor {
    checked: bool,
}

impl InlineExecutor {
    pub(crate) const NAME: &'static str = "inline";

    /// Arguments move into the tasks as they are.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every argument goes through its encoding and back first, so that a type that doesn't survive it is found here
    /// and not in production.
    #[must_use]
    pub fn checked(mut self) -> Self {
        self.checked = true;
        self
    }
}

impl Executor for InlineExecutor {
    fn name(&self) -> &str {
        if self.checked { "inline (checked)" } else { Self::NAME }
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        intent.can_run_here()?;
        if (intent.task().kind, flush.mode) == (TaskKind::Async, FlushMode::Sync) {
            return Err(Rejection::new(
                "it is an async task, and this flush is not awaited; use `run_async` or another executor \
                 (on `#[scoped]`, make the function async, with `#[scoped]` above `#[tokio::main]` or `#[tokio::test]`)",
            ));
        }
        if self.checked {
            intent.round_trip().map_err(Rejection::new)?;
        }
        Ok(())
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                let (intent, ticket) = begun.into_parts();
                let intent =
                    if self.checked { intent.round_trip().map_err(DispatchError::rejected) } else { Ok(intent) };
                let result = match intent {
                    // Without an await for plain functions: they are the common case, and one poll runs them all.
                    Ok(intent) if intent.task().kind == TaskKind::Sync => intent.call(),
                    Ok(intent) => intent.call_async().await,
                    Err(error) => Err(error),
                };
                ticket.settle(result);
                batch.make_way().await;
            }
        })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_local: true,
            inline: !self.checked,
            returns_unsent: !self.checked,
            no_deadline: true,
            runs_on_caller: true,
            keeps_deadlines: true,
            accepts_by_task: false,
            ..Capabilities::default()
        }
    }
}
