//! What a task may know of its run, in tests.

use std::future::Future;

use crate::intent::Intent;
use crate::worker::{Run, RunFacts};

/// The queue of a task that names none: that of an outbox, unless it is told otherwise.
pub(super) const QUEUE: &str = "default";

/// The queue of an intent.
pub(super) fn queue_of(intent: &Intent) -> String {
    intent.options().get_queue().unwrap_or(QUEUE).to_owned()
}

/// None for a `local` task, which no worker runs.
pub(in super::super) fn run_of(intent: &Intent, attempt: u32) -> Option<Run> {
    if intent.task().local {
        return None;
    }
    let headers = intent.options().get_headers().to_vec();
    Some(Run::new(RunFacts { id: intent.id(), attempt, queue: queue_of(intent), headers }))
}

/// Calls the closure as part of a run.
pub(in super::super) fn in_run<R>(run: Option<Run>, body: impl FnOnce() -> R) -> R {
    match run {
        Some(run) => run.enter(body),
        None => body(),
    }
}

/// The future as part of a run.
pub(in super::super) async fn within_run<F: Future>(run: Option<Run>, future: F) -> F::Output {
    match run {
        Some(run) => run.within(future).await,
        None => future.await,
    }
}
