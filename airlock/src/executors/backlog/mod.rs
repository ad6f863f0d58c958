//! What an executor that runs tasks in this process has accepted: bounded, in order, and accounted for to the last. Each
//! intent that was accepted is run, dropped as expired and reported, or handed back by a shutdown.

mod delayed;
mod intake;
mod job;
mod lost;
mod options;
mod queue;
#[cfg(feature = "threads")]
mod sleep;
mod waiters;
mod waiting;

use std::future::poll_fn;
#[cfg(feature = "threads")]
use std::sync::Condvar;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::{fmt, process};

use super::Unfinished;
use crate::dispatch::DispatchError;
use crate::intent::Failure;
use crate::runtime::panics::catch_panic;
use crate::runtime::{Deadline, timer};

pub(super) use job::Job;
pub(super) use options::Limits;
use waiters::Waiters;
use waiting::{Apart, Entrance, Place, Waiting};

pub(super) struct Backlog {
    limits: Limits,
    /// The process that has whoever does the work: a forked child has a copy of the work, and none of them.
    process: u32,
    waiting: Waiting,
    /// Where threads wait for work, and for the end of it.
    #[cfg(feature = "threads")]
    work: Condvar,
    /// How many of those that were accepted are done.
    finished: Apart<AtomicU64>,
    closed: Apart<AtomicBool>,
    room: Waiters,
    delayed_room: Waiters,
    idle: Waiters,
}

impl Backlog {
    /// `process` has whoever does the work.
    pub(super) fn new(limits: Limits, process: u32) -> Self {
        Self {
            process,
            waiting: Waiting::default(),
            #[cfg(feature = "threads")]
            work: Condvar::new(),
            finished: Apart(AtomicU64::new(0)),
            closed: Apart(AtomicBool::new(false)),
            room: Waiters::default(),
            delayed_room: Waiters::default(),
            idle: Waiters::default(),
            limits,
        }
    }

    /// Whether this process is a forked child of the one that has the work. Looked at before any lock: the thread that
    /// held it when the process was forked does not exist here.
    fn is_inherited(&self) -> bool {
        self.process != process::id()
    }

    /// Why this process can't hand anything over, if it can't.
    pub(super) fn check_process(&self) -> Result<(), DispatchError> {
        if !self.is_inherited() {
            return Ok(());
        }
        Err(DispatchError::unavailable(format!(
            "this process was forked from the one that runs the tasks of {}; make an executor after the fork",
            self.limits.title(),
        )))
    }

    /// Moves what is due to where it is taken next.
    pub(super) fn release_due(&self, alarm: &Waker) {
        self.waiting.release_due(alarm);
    }

    /// The next to be started, if there is one.
    pub(super) fn next(&self) -> Option<Job> {
        let (job, place) = self.waiting.pop()?;
        // There is room now where it was.
        match place {
            Place::Queue => &self.room,
            Place::Due => &self.delayed_room,
        }
        .wake_one();
        Some(job)
    }

    /// How many could be started now.
    #[cfg(feature = "tokio")]
    pub(super) fn ready(&self) -> usize {
        self.waiting.ready(&self.waiting.entrance())
    }

    /// Takes back what was not started after all.
    #[cfg(feature = "tokio")]
    pub(super) fn put_back(&self, job: Job) {
        self.waiting.put_back(job);
    }

    /// Accepts nothing more. What was accepted is run all the same.
    pub(super) fn close(&self) {
        if self.is_inherited() {
            return;
        }
        self.closed.0.store(true, Ordering::SeqCst);
        self.room.wake_all();
        self.delayed_room.wake_all();
        self.look_again();
    }

    /// Closes, waits until all is done that can be, up to the deadline, and takes out the rest. What was inherited is the
    /// other process's to finish.
    ///
    /// `nobody_works` is asked each time something has [changed](Self::look_again).
    pub(super) async fn shutdown(&self, deadline: Deadline, nobody_works: impl Fn() -> bool) -> Unfinished {
        if self.is_inherited() {
            return Unfinished::default();
        }
        self.close();
        let mut place = self.idle.waiter();
        let all_done = poll_fn(|cx| {
            place.wait(cx.waker());
            if nobody_works() {
                return Poll::Ready(());
            }
            let entrance = self.waiting.entrance();
            // What starts after the deadline is not waited for.
            let late = entrance.after(deadline);
            if self.outstanding(&entrance) <= late as u64 { Poll::Ready(()) } else { Poll::Pending }
        });
        timer::until(deadline, all_done).await;
        let (jobs, accepted) = self.waiting.take_all();
        let outstanding = accepted - self.finished.0.load(Ordering::SeqCst);
        let running = usize::try_from(outstanding).unwrap_or(usize::MAX).saturating_sub(jobs.len());
        self.finish(jobs.len() as u64);
        Unfinished { intents: jobs.into_iter().map(|job| job.intent).collect(), running }
    }

    /// Notes that so many are done, whichever way.
    fn finish(&self, count: u64) {
        self.finished.0.fetch_add(count, Ordering::SeqCst);
        self.look_again();
    }

    /// Tells those who wait for the end, if there is to be one.
    pub(super) fn look_again(&self) {
        if !self.closed.0.load(Ordering::SeqCst) {
            return;
        }
        #[cfg(feature = "threads")]
        {
            let entrance = self.waiting.entrance();
            if self.outstanding(&entrance) == 0 {
                self.work.notify_all();
            }
        }
        self.idle.wake_all();
    }

    /// How many were accepted and are not done.
    fn outstanding(&self, entrance: &Entrance) -> u64 {
        entrance.accepted - self.finished.0.load(Ordering::SeqCst)
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Tells the handler and the log of work that did not end well.
    fn report(&self, failure: Failure) {
        let _ = catch_panic(|| {
            let (task, id, location) = (failure.name, failure.id, failure.location);
            let (executor, error) = (self.limits.title(), format!("{}: {}", failure.error, failure.error.reason()));
            tracing::error!(target: "airlock", task, %id, %location, executor, error, "accepted work did not end well");
        });
        let told = catch_panic(|| match &self.limits.on_error {
            Some(on_error) => on_error(failure),
            // Here, since an argument of the intent in it may panic as it goes.
            None => drop(failure),
        });
        if let Err(panicked) = told {
            let _ = catch_panic(|| tracing::error!(target: "airlock", panicked, "the error handler panicked"));
        }
    }
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog")
            .field("limits", &self.limits)
            .field("finished", &self.finished.0)
            .field("closed", &self.closed.0)
            .finish_non_exhaustive()
    }
}
