//! Without workers, a task is in no run, and none is tried again.

pub(super) use std::convert::Infallible as FailedRun;
use std::future::Future;

use crate::intent::Intent;

pub(super) fn run_of(_: &Intent, _attempt: u32) -> Option<FailedRun> {
    None
}

pub(super) fn in_run<R>(_: Option<FailedRun>, body: impl FnOnce() -> R) -> R {
    body()
}

pub(super) fn within_run<F: Future>(_: Option<FailedRun>, future: F) -> F {
    future
}
