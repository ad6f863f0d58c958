//! Those who run what was accepted.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle as Runtime;

use super::watched::Watched;
use crate::dispatch::DispatchError;
use crate::executors::Unfinished;
use crate::executors::backlog::{Backlog, Job};
use crate::runtime::panics::{catch_panic, catching_panics};
use crate::runtime::{BoxFuture, Deadline};
use crate::shutdown::Drains;

/// How long tasks that never yield may keep others of their runtime waiting, one after the other.
const BETWEEN_YIELDS: Duration = Duration::from_micros(50);

pub(super) struct Crew {
    pub(super) backlog: Backlog,
    concurrency: usize,
    running: AtomicUsize,
    /// Those that were handed over to, the last one at the end: what waits, and delayed work, starts on one of them.
    runtimes: Mutex<Vec<Arc<Watched>>>,
    /// Whether it was said that they have ended and left work behind.
    told: AtomicBool,
}

impl Crew {
    pub(super) fn new(backlog: Backlog, concurrency: usize) -> Self {
        let (running, told) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { backlog, concurrency, running, runtimes: Mutex::default(), told }
    }

    /// Has the runtime run tasks, unless it has ended.
    pub(super) fn join(self: &Arc<Self>, runtime: &Runtime) -> Result<Arc<Watched>, DispatchError> {
        self.backlog.check_process()?;
        let known = self.runtimes().iter().find(|watched| watched.runtime.id() == runtime.id()).cloned();
        // Outside the lock: on a runtime that has ended, the sentinel is dropped at once, and looks for another one.
        let watched = known.unwrap_or_else(|| Arc::new(Watched::new(runtime.clone(), Arc::downgrade(self))));
        let mut runtimes = self.runtimes();
        runtimes.retain(|other| !other.has_ended() && !Arc::ptr_eq(other, &watched));
        if watched.has_ended() {
            return Err(DispatchError::unavailable(format!(
                "the runtime of {} has ended",
                self.backlog.limits().title()
            )));
        }
        runtimes.push(Arc::clone(&watched));
        drop(runtimes);
        self.told.store(false, Ordering::Relaxed);
        Ok(watched)
    }

    /// The last one that has not ended.
    fn runtime(&self) -> Option<Arc<Watched>> {
        self.runtimes().iter().rfind(|watched| !watched.has_ended()).cloned()
    }

    fn runtimes(&self) -> MutexGuard<'_, Vec<Arc<Watched>>> {
        self.runtimes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has up to so many more workers look for work, as far as there is any and not too many are at it.
    pub(super) fn hire(self: &Arc<Self>, watched: &Arc<Watched>, count: usize) {
        for _ in 0..count {
            let more = |running| (running < self.concurrency).then_some(running + 1);
            if self.running.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_err() {
                return;
            }
            let job = self.backlog.next();
            let busy = job.is_some();
            Worker { crew: Arc::clone(self), watched: Arc::clone(watched), job, ended: false }.go_on();
            if !busy || watched.has_ended() {
                return;
            }
        }
    }

    /// Has what waits run on a runtime that is there. Without one, it is said once that it waits in vain, and those who
    /// wait for the end are told.
    pub(super) fn move_on(self: &Arc<Self>) {
        let waiting = self.backlog.ready();
        if let Some(watched) = self.runtime() {
            self.hire(&watched, waiting);
        } else if waiting > 0 && !self.told.swap(true, Ordering::Relaxed) {
            let executor = self.backlog.limits().title();
            let _ = catch_panic(|| {
                tracing::error!(target: "airlock", executor, waiting, "the runtime ended before all that was accepted had started");
            });
        }
        self.backlog.look_again();
    }

    pub(super) async fn shutdown(&self, deadline: Deadline) -> Unfinished {
        let nobody_works = || self.running.load(Ordering::SeqCst) == 0 && self.runtime().is_none();
        self.backlog.shutdown(deadline, nobody_works).await
    }
}

/// Delayed work is due. The waker keeps the crew, so that the last handle may go before that.
impl Wake for Crew {
    fn wake(self: Arc<Self>) {
        self.backlog.release_due(&Waker::from(Arc::clone(&self)));
        self.move_on();
    }
}

impl Drains for Crew {
    fn drain(self: Arc<Self>, deadline: Deadline) -> BoxFuture<'static, Unfinished> {
        Box::pin(async move { self.shutdown(deadline).await })
    }
}

/// One of those that run at once. It goes on from task to task, and from the runtime to its blocking pool and back.
struct Worker {
    crew: Arc<Crew>,
    watched: Arc<Watched>,
    /// What it does next.
    job: Option<Job>,
    ended: bool,
}

impl Worker {
    /// Takes its job to where that kind runs, or ends if there is none.
    fn go_on(mut self) {
        let runtime = self.watched.runtime.clone();
        match self.job.as_ref().map(Job::is_async) {
            Some(true) => drop(runtime.spawn(self.work_async())),
            Some(false) => drop(runtime.spawn_blocking(move || self.work())),
            None => self.ended = true,
        }
    }

    async fn work_async(mut self) {
        let mut yielded = Instant::now();
        while let Some(job) = self.job.take_if(|job| job.is_async()) {
            // As in `work`. A worker that unwinds would be taken for one whose runtime has ended.
            let _ = catching_panics(self.crew.backlog.run_async(job)).await;
            // With no job in hand, which others could start meanwhile.
            if yielded.elapsed() >= BETWEEN_YIELDS {
                tokio::task::yield_now().await;
                yielded = Instant::now();
            }
            self.job = self.crew.backlog.next();
        }
        self.go_on();
    }

    fn work(mut self) {
        while let Some(job) = self.job.take_if(|job| !job.is_async()) {
            // Tasks are caught one by one; a panic in here is one of their destructors.
            let _ = catch_panic(|| self.crew.backlog.run(job));
            self.job = self.crew.backlog.next();
        }
        self.go_on();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let Self { crew, watched, .. } = self;
        if let Some(job) = self.job.take() {
            crew.backlog.put_back(job);
        }
        // Only now: with nobody at work, all there is waits.
        crew.running.fetch_sub(1, Ordering::SeqCst);
        if self.ended {
            // Something may have come after the last look, when there seemed to be workers enough.
            if crew.backlog.ready() > 0 {
                crew.hire(watched, 1);
            }
            crew.backlog.look_again();
            return;
        }
        if thread::panicking() {
            // A thread could not start; to try again here would panic again. If it is the runtime that ends on the way up,
            // its sentinel sees to the rest.
            crew.backlog.look_again();
            return;
        }
        watched.end();
        crew.move_on();
    }
}
