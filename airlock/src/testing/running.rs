//! One task, run as a worker runs it, where nothing can escape.

use std::sync::Arc;

use super::capture::{Captured, capture_in, capture_in_async};
use super::worker::{in_run, run_of, within_run};
use crate::context::{Frame, frames, stack};
use crate::dispatch::DispatchError;
use crate::intent::Intent;
use crate::policy::{Policy, Violation};
use crate::runtime::panics::catching_panics;
use crate::scope::ScopeBuilder;
use crate::task::{Started, TaskKind};

/// The scope around the run of a task. The task's own scopes are captured by it, whatever executor they have; the task
/// itself has no scope unless it makes one, as everywhere else.
const AROUND: &str = "the run of a task in a test";

fn around(scope: ScopeBuilder) -> ScopeBuilder {
    scope.name(AROUND).policy(NeedsAScope)
}

/// One that was never enqueued finds its state in the scope it runs in.
fn stated(mut intent: Intent) -> Intent {
    if intent.context.is_none() {
        intent.context = stack::current();
    }
    intent
}

/// Refuses what a task enqueues without a scope of its own: it would be refused in production.
struct NeedsAScope;

impl Policy for NeedsAScope {
    fn name(&self) -> &str {
        "the test kit"
    }

    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        let nearest = frames(intent.context.as_ref()).find_map(|frame: &Arc<Frame>| frame.as_scope());
        if nearest.is_some_and(|core| core.info().name() == Some(AROUND)) {
            return Err(Violation::new(
                "a task runs without a scope; mark a task that enqueues `#[airlock::scoped]` too",
            ));
        }
        Ok(())
    }

    fn judges_flush(&self) -> bool {
        false
    }
}

/// Runs a task that is no `async fn`, and gives what it let out.
pub(super) fn run(scope: ScopeBuilder, intent: Intent) -> Captured<Result<(), DispatchError>> {
    capture_in(around(scope), || match intent.task().kind {
        TaskKind::Sync | TaskKind::Elsewhere => match in_run(run_of(&intent, 1), || stated(intent).start())? {
            Started::Done(result) => result.map_err(DispatchError::task_failed),
            Started::Pending(_) => unreachable!("only an async task gives a future"),
        },
        TaskKind::Async => Err(DispatchError::rejected("it is an async task; use `drain_async` or `perform_async`")),
    })
}

/// Runs a task, and gives what it let out.
pub(super) async fn run_async(scope: ScopeBuilder, intent: Intent) -> Captured<Result<(), DispatchError>> {
    let run = run_of(&intent, 1);
    let body = async {
        match stated(intent).start()? {
            Started::Done(result) => result.map_err(DispatchError::task_failed),
            Started::Pending(future) => {
                catching_panics(future).await.map_err(DispatchError::panicked)?.map_err(DispatchError::task_failed)
            }
        }
    };
    capture_in_async(around(scope), within_run(run, body)).await
}
