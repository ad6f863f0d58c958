//! The tasks of runtimes that run the jobs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle as Runtime;

use super::watched::WatchedRuntime;
use crate::dispatch::DispatchError;
use crate::executors::Unfinished;
use crate::executors::drains::Drains;
use crate::executors::pool::{Backlog, PoolJob};
use crate::runtime::panics::{catch_panic, catching_panics};
use crate::runtime::{BoxFuture, Deadline};

/// How long tasks that never yield may keep others of their runtime waiting, one after the other.
const BETWEEN_YIELDS: Duration = Duration::from_micros(50);

pub(super) struct Workers {
    pub(super) backlog: Backlog,
    /// Those that jobs were handed over on, the last one at the end: jobs that wait, and delayed ones, start on that one.
    runtimes: Mutex<Vec<Arc<WatchedRuntime>>>,
    /// Whether the log says that all of them have ended and left jobs behind.
    is_logged: AtomicBool,
}

impl Workers {
    pub(super) fn new(backlog: Backlog) -> Self {
        Self { backlog, runtimes: Mutex::default(), is_logged: AtomicBool::new(false) }
    }

    /// Has the runtime run tasks, unless it has ended.
    pub(super) fn watch(self: &Arc<Self>, runtime: &Runtime) -> Result<Arc<WatchedRuntime>, DispatchError> {
        self.backlog.check_process()?;
        let known = self.runtimes().iter().find(|watched| watched.runtime.id() == runtime.id()).cloned();
        // Outside the lock: on a runtime that has ended, the sentinel is dropped at once, and looks for another one.
        let watched = known.unwrap_or_else(|| Arc::new(WatchedRuntime::new(runtime.clone(), Arc::downgrade(self))));
        let mut runtimes = self.runtimes();
        runtimes.retain(|other| !other.has_ended() && !Arc::ptr_eq(other, &watched));
        if watched.has_ended() {
            let executor = self.backlog.limits().title();
            return Err(DispatchError::unavailable(format!("the runtime of {executor} has ended")));
        }
        runtimes.push(Arc::clone(&watched));
        drop(runtimes);
        self.is_logged.store(false, Ordering::Relaxed);
        Ok(watched)
    }

    /// The last one that has not ended.
    fn runtime(&self) -> Option<Arc<WatchedRuntime>> {
        self.runtimes().iter().rfind(|watched| !watched.has_ended()).cloned()
    }

    fn runtimes(&self) -> MutexGuard<'_, Vec<Arc<WatchedRuntime>>> {
        self.runtimes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spawns up to so many workers, as far as there are jobs for them and not enough workers.
    pub(super) fn spawn_workers(self: &Arc<Self>, watched: &Arc<WatchedRuntime>, count: usize) {
        for _ in 0..count {
            let Some(job) = self.backlog.add_worker() else { return };
            TokioWorker { workers: Arc::clone(self), watched: Arc::clone(watched), job: Some(job), ended: false }
                .spawn();
            if watched.has_ended() {
                return;
            }
        }
    }

    /// Has jobs that wait run on a runtime that is there. Without one, the log says once that they wait in vain, and
    /// shutdowns wait no longer.
    pub(super) fn restart_waiting(self: &Arc<Self>) {
        let waiting = self.backlog.ready();
        if let Some(watched) = self.runtime() {
            self.spawn_workers(&watched, waiting);
        } else if waiting > 0 && !self.is_logged.swap(true, Ordering::Relaxed) {
            let executor = self.backlog.limits().title();
            let _ = catch_panic(|| {
                tracing::error!(target: "airlock", executor, waiting, "the runtime ended before all that was accepted had started");
            });
        }
        self.backlog.notify_waiters();
    }

    pub(super) async fn shutdown(&self, deadline: Deadline) -> Unfinished {
        let is_deserted = || !self.backlog.has_workers() && self.runtime().is_none();
        self.backlog.shutdown(deadline, is_deserted).await
    }
}

/// Delayed jobs are due. The waker keeps the workers: the last executor may be dropped before that.
impl Wake for Workers {
    fn wake(self: Arc<Self>) {
        self.backlog.release_due(&Waker::from(Arc::clone(&self)));
        self.restart_waiting();
    }
}

impl Drains for Workers {
    fn drain(self: Arc<Self>, deadline: Deadline) -> BoxFuture<'static, Unfinished> {
        Box::pin(async move { self.shutdown(deadline).await })
    }
}

/// Goes on from job to job, and from the runtime to its blocking pool and back.
struct TokioWorker {
    workers: Arc<Workers>,
    watched: Arc<WatchedRuntime>,
    /// What it does next.
    job: Option<PoolJob>,
    /// Whether there was no job for it, so that the backlog counts it no more.
    ended: bool,
}

impl TokioWorker {
    /// Takes its job to where that kind runs, or ends if there is none.
    fn spawn(self) {
        let runtime = self.watched.runtime.clone();
        match self.job.as_ref().map(PoolJob::is_async) {
            Some(true) => drop(runtime.spawn(self.work_async())),
            Some(false) => drop(runtime.spawn_blocking(move || self.work())),
            None => {}
        }
    }

    fn next(&mut self) {
        self.job = self.workers.backlog.next_or_remove_worker();
        self.ended = self.job.is_none();
    }

    async fn work_async(mut self) {
        let mut yielded = Instant::now();
        while let Some(job) = self.job.take_if(|job| job.is_async()) {
            // As in `work`. A worker that unwinds would be taken for one whose runtime has ended.
            let _ = catching_panics(self.workers.backlog.run_async(job)).await;
            // With no job in hand, which others could start meanwhile.
            if yielded.elapsed() >= BETWEEN_YIELDS {
                tokio::task::yield_now().await;
                yielded = Instant::now();
            }
            self.next();
        }
        self.spawn();
    }

    fn work(mut self) {
        while let Some(job) = self.job.take_if(|job| !job.is_async()) {
            // Tasks are caught one by one; a panic in here is one of their destructors.
            let _ = catch_panic(|| self.workers.backlog.run(job));
            self.next();
        }
        self.spawn();
    }
}

impl Drop for TokioWorker {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.workers.backlog.remove_worker(self.job.take());
        if thread::panicking() {
            // A thread could not start; to try again here would panic again. If it is the runtime that ends on the way
            // up, its sentinel sees to the rest.
            self.workers.backlog.notify_waiters();
            return;
        }
        self.watched.end();
        self.workers.restart_waiting();
    }
}
