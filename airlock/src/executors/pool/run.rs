//! A job, from its start to its end.

use std::time::SystemTime;

use super::backlog::Backlog;
use super::jobs::PoolJob;
use crate::dispatch::DispatchError;
use crate::executors::times;
use crate::intent::{Failure, Identity, Intent};
use crate::runtime::panics::{catch_panic, catching_panics};
use crate::runtime::{Deadline, timer};
use crate::task::TaskKind;

/// A task that has been started. However it ends, it is accounted for.
#[derive(Debug)]
pub(in crate::executors) struct Running<'a> {
    backlog: &'a Backlog,
    identity: Identity,
    ended: bool,
}

impl<'a> Running<'a> {
    fn new(backlog: &'a Backlog, intent: &Intent) -> Self {
        Self { backlog, identity: intent.identity(), ended: false }
    }

    fn end(&mut self, result: Result<(), DispatchError>, intent: Option<Intent>) {
        self.ended = true;
        if let Err(error) = result {
            self.backlog.report(self.identity.failure(error, intent));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Err(DispatchError::unconfirmed("its runtime ended before the task did")), None);
        }
    }
}

impl Backlog {
    /// Runs a plain function on this thread.
    pub(in crate::executors) fn run(&self, job: PoolJob) {
        let Some((mut running, intent)) = self.start(job) else { return };
        // The task itself is caught; what else panics is a destructor of its arguments.
        running
            .end(catch_panic(|| intent.call()).unwrap_or_else(|message| Err(DispatchError::panicked(message))), None);
    }

    /// Runs any task.
    pub(in crate::executors) async fn run_async(&self, job: PoolJob) {
        let Some((mut running, intent)) = self.start(job) else { return };
        let timeout = intent.options().get_timeout().filter(|_| intent.task().kind == TaskKind::Async);
        // The task itself is caught; what else panics is a destructor, of a task that is cut off for example.
        let ended = catching_panics(async move {
            match timeout {
                None => intent.call_async().await,
                Some(timeout) => {
                    let ended = timer::until(Deadline::after(timeout), intent.call_async()).await;
                    let too_long = || DispatchError::task_failed(format!("it took longer than its {timeout:?}"));
                    ended.unwrap_or_else(|| Err(too_long()))
                }
            }
        });
        running.end(ended.await.unwrap_or_else(|message| Err(DispatchError::panicked(message))), None);
    }

    /// Looks whether the job is still worth running.
    fn start(&self, job: PoolJob) -> Option<(Running<'_>, Intent)> {
        let PoolJob { intent, .. } = job;
        let mut running = Running::new(self, &intent);
        if intent.options().get_expiry().is_some() {
            let now = SystemTime::now();
            if intent.expires_at(now).is_some_and(|expiry| expiry <= now) {
                intent.release();
                running.end(Err(DispatchError::rejected(times::EXPIRED)), Some(intent));
                return None;
            }
        }
        Some((running, intent))
    }

    /// Tells the log and the handler of a job that did not end well.
    fn report(&self, failure: Failure) {
        let _ = catch_panic(|| {
            let (task, id, location) = (failure.name, failure.id, failure.location);
            let (executor, error) = (self.limits.title(), format!("{}: {}", failure.error, failure.error.reason()));
            tracing::error!(target: "airlock", task, %id, %location, executor, error, "accepted work did not end well");
        });
        let handled = catch_panic(|| match &self.limits.on_error {
            Some(on_error) => on_error(failure),
            // In here, since an argument of the intent in it may panic as it is dropped.
            None => drop(failure),
        });
        if let Err(panicked) = handled {
            let _ = catch_panic(|| tracing::error!(target: "airlock", panicked, "the error handler panicked"));
        }
    }
}
