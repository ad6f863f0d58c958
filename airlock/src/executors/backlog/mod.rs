//! What an executor that runs tasks in this process has accepted: bounded, in order, and accounted for to the last.
//!
//! Work waits in one of three places: the queue; until its time, among the delayed; and from then on, before the queue,
//! as due. Each intent that was accepted is run, dropped as expired and reported, or handed back by a shutdown.

mod delayed;
mod job;
mod options;
mod waiters;

use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::SystemTime;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, unbounded};

use super::{Batch, Deadline, Ticket, Unfinished};
use crate::error::{DispatchError, Failure};
use crate::intent::Intent;
use crate::panics::catch_panic;
use crate::scope::ScopeInfo;
use crate::settings::{self, Lost};
use crate::timer;

use delayed::Delayed;
pub(super) use job::Job;
pub(super) use options::Limits;
use waiters::Waiters;

/// Ends when the last accepted intent of a closed backlog is done: its sender goes.
type End = std::convert::Infallible;

pub(super) struct Backlog {
    limits: Limits,
    queue: (Sender<Job>, Receiver<Job>),
    /// Bounded by the limit of the delayed: it is where they go when it is their time.
    due: (Sender<Job>, Receiver<Job>),
    delayed: Mutex<Delayed>,
    /// How many were offered, which numbers them, and how many of those were refused or are done.
    offered: Apart<AtomicU64>,
    finished: Apart<AtomicU64>,
    closed: Apart<AtomicBool>,
    end: (Mutex<Option<Sender<End>>>, Receiver<End>),
    room: Waiters,
    delayed_room: Waiters,
    idle: Waiters,
}

/// In cache lines of its own: one side writes what the other has no business with, all the time.
#[repr(align(128))]
struct Apart<T>(T);

/// How many intents are taken between two looks at the clock.
const BETWEEN_LOOKS: usize = 32;

enum Refusal {
    Full,
    Closed,
}

impl Backlog {
    pub(super) fn new(limits: Limits) -> Self {
        let (end, ended) = bounded(0);
        Self {
            queue: bounded(limits.queue),
            due: unbounded(),
            delayed: Mutex::default(),
            offered: Apart(AtomicU64::new(0)),
            finished: Apart(AtomicU64::new(0)),
            closed: Apart(AtomicBool::new(false)),
            end: (Mutex::new(Some(end)), ended),
            room: Waiters::default(),
            delayed_room: Waiters::default(),
            idle: Waiters::default(),
            limits,
        }
    }

    /// Accepts what the batch has, waiting for room up to the flush's deadline. `accepted` is called after each intent;
    /// the alarm is called when delayed work is due.
    pub(super) async fn accept(&self, mut batch: Batch, alarm: &Waker, accepted: impl Fn()) {
        let mut taken = 0_usize;
        loop {
            let look = taken.is_multiple_of(BETWEEN_LOOKS);
            taken += 1;
            match batch.hand_over_next(look, |intent, is_delayed| self.offer(intent, is_delayed, alarm)) {
                None => return,
                Some(Ok(())) => accepted(),
                Some(Err((begun, refusal))) => {
                    let (intent, ticket) = begun.into_parts();
                    let mut waiting = NotAccepted { backlog: self, intent: Some(intent), ticket: Some(ticket) };
                    let result = match refusal {
                        Refusal::Full => self.wait_for_room(&mut waiting.intent, alarm).await,
                        Refusal::Closed => Err(self.is_closed()),
                    };
                    let is_accepted = result.is_ok();
                    if let Some(ticket) = waiting.ticket.take() {
                        ticket.settle_with(result, waiting.intent.take());
                    }
                    // Only now: should it panic, what was accepted has been said to be.
                    if is_accepted {
                        accepted();
                    }
                    // It may have waited for long.
                    taken = 0;
                }
            }
        }
    }

    async fn wait_for_room(&self, waits: &mut Option<Intent>, alarm: &Waker) -> Result<(), DispatchError> {
        let delayed = waits.as_ref().and_then(starts_later).is_some();
        let mut waiting = if delayed { &self.delayed_room } else { &self.room }.waiter();
        poll_fn(|cx| {
            // Once more after the place in the line is taken: room may have come in between.
            for registered in [false, true] {
                if registered {
                    waiting.wait(cx.waker());
                }
                let Some(offered) = waits.take() else { unreachable!("polled after it was ready") };
                match self.offer(offered, true, alarm) {
                    Ok(()) => {
                        waiting.served();
                        return Poll::Ready(Ok(()));
                    }
                    Err((back, refusal)) => {
                        *waits = Some(back);
                        if matches!(refusal, Refusal::Closed) {
                            return Poll::Ready(Err(self.is_closed()));
                        }
                    }
                }
            }
            Poll::Pending
        })
        .await
    }

    #[inline]
    fn offer(&self, intent: Intent, is_delayed: bool, alarm: &Waker) -> Result<(), (Intent, Refusal)> {
        // Counted before the look at `closed`, so that a shutdown that has seen everything done has seen this.
        let number = self.offered.0.fetch_add(1, Ordering::SeqCst);
        if self.closed.0.load(Ordering::SeqCst) {
            self.finish(1);
            return Err((intent, Refusal::Closed));
        }
        let start = if is_delayed { starts_later(&intent) } else { None };
        let job = Job { intent, number };
        let refused = match start {
            None => self.queue.0.try_send(job).map_err(TrySendError::into_inner),
            Some(at) => {
                let mut delayed = self.delayed();
                delayed.insert(at, job, self.limits.delayed.saturating_sub(self.due.1.len()), alarm)
            }
        };
        refused.map_err(|job| {
            self.finish(1);
            (job.intent, Refusal::Full)
        })
    }

    /// Moves what is due to where it is taken next.
    pub(super) fn release_due(&self, alarm: &Waker) {
        let mut delayed = self.delayed();
        while let Some(job) = delayed.pop_due() {
            // Never full and never without a receiver.
            let _ = self.due.0.send(job);
        }
        delayed.set_alarm(alarm);
    }

    /// The next to be started, if there is one.
    pub(super) fn next(&self) -> Option<Job> {
        if let Ok(job) = self.due.1.try_recv() {
            self.delayed_room.wake_one();
            return Some(job);
        }
        let job = self.queue.1.try_recv().ok()?;
        self.room.wake_one();
        Some(job)
    }

    /// The next to be started, once there is one; `None` when there will be no more.
    #[cfg(feature = "threads")]
    pub(super) fn wait_for_next(&self) -> Option<Job> {
        loop {
            if let Some(job) = self.next() {
                return Some(job);
            }
            crossbeam_channel::select! {
                recv(self.due.1) -> job => {
                    self.delayed_room.wake_one();
                    return job.ok();
                }
                recv(self.queue.1) -> job => {
                    self.room.wake_one();
                    return job.ok();
                }
                recv(self.end.1) -> _ => {
                    // It may have ended, and something offered since then not been refused yet.
                    if self.outstanding() == 0 {
                        return None;
                    }
                }
            }
        }
    }

    /// Whether nothing waits to be started now.
    #[cfg(feature = "tokio")]
    pub(super) fn is_empty(&self) -> bool {
        self.due.1.is_empty() && self.queue.1.is_empty()
    }

    /// Takes back what was not started after all, and says how much waits to be.
    #[cfg(feature = "tokio")]
    pub(super) fn put_back(&self, job: Option<Job>) -> usize {
        if let Some(job) = job {
            // Never full and never without a receiver.
            let _ = self.due.0.send(job);
        }
        self.due.1.len() + self.queue.1.len()
    }

    /// Accepts nothing more. What was accepted is run all the same.
    pub(super) fn close(&self) {
        self.closed.0.store(true, Ordering::SeqCst);
        self.room.wake_all();
        self.delayed_room.wake_all();
        self.finish(0);
    }

    /// Closes, waits until all is done that can be, up to the deadline, and takes out the rest.
    pub(super) async fn shutdown(&self, deadline: Deadline) -> Unfinished {
        self.close();
        let mut waiting = self.idle.waiter();
        let all_done = poll_fn(|cx| {
            waiting.wait(cx.waker());
            // What starts after the deadline is not waited for.
            let late = self.delayed().after(deadline);
            if self.outstanding() <= late as u64 { Poll::Ready(()) } else { Poll::Pending }
        });
        timer::until(deadline, all_done).await;
        let mut jobs = self.take_all();
        let running = usize::try_from(self.outstanding()).unwrap_or(usize::MAX).saturating_sub(jobs.len());
        self.finish(jobs.len() as u64);
        jobs.sort_by_key(|job| job.number);
        Unfinished { intents: jobs.into_iter().map(|job| job.intent).collect(), running }
    }

    fn take_all(&self) -> Vec<Job> {
        let mut jobs: Vec<_> = self.delayed().take_all();
        jobs.extend(self.due.1.try_iter());
        jobs.extend(self.queue.1.try_iter());
        jobs
    }

    /// Notes that so many are done, whichever way.
    fn finish(&self, count: u64) {
        self.finished.0.fetch_add(count, Ordering::SeqCst);
        if self.closed.0.load(Ordering::SeqCst) {
            if self.outstanding() == 0 {
                drop(self.end.0.lock().unwrap_or_else(PoisonError::into_inner).take());
            }
            self.idle.wake_all();
        }
    }

    /// How many were accepted and are not done.
    fn outstanding(&self) -> u64 {
        // In this order: read the other way round, one that came and went in between would count as minus one.
        let finished = self.finished.0.load(Ordering::SeqCst);
        self.offered.0.load(Ordering::SeqCst).saturating_sub(finished)
    }

    fn delayed(&self) -> std::sync::MutexGuard<'_, Delayed> {
        self.delayed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn is_closed(&self) -> DispatchError {
        DispatchError::unavailable(format!("{} was shut down; it takes nothing more", self.limits.title()))
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

/// When a delayed intent may start, if that is not yet.
fn starts_later(intent: &Intent) -> Option<SystemTime> {
    intent.options().get_start()?;
    let now = SystemTime::now();
    intent.starts_at(now).filter(|start| *start > now)
}

impl Drop for Backlog {
    /// Only what no runtime was left for is still here: it is told, and handed to `on_lost`.
    fn drop(&mut self) {
        let mut jobs = self.take_all();
        if jobs.is_empty() {
            return;
        }
        jobs.sort_by_key(|job| job.number);
        let intents: Vec<_> = jobs.into_iter().map(|job| job.intent).collect();
        let _ = catch_panic(|| {
            for intent in &intents {
                let (task, id, location) = (intent.name(), intent.id(), intent.location());
                tracing::error!(target: "airlock", task, %id, %location, executor = self.limits.title(), "accepted work was lost");
            }
        });
        intents.iter().for_each(Intent::give_back);
        if let Some(on_lost) = &settings::snapshot().on_lost.value {
            let location = intents.first().map_or_else(Location::caller, Intent::location);
            let info = ScopeInfo::new(Some(self.limits.title().into()), location);
            let _ = catch_panic(|| on_lost(Lost::new(info, intents)));
        }
    }
}

/// An intent that waits for room. Dropped while it does, it is known not to have been accepted.
struct NotAccepted<'a> {
    backlog: &'a Backlog,
    intent: Option<Intent>,
    ticket: Option<Ticket>,
}

impl Drop for NotAccepted<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let Limits { queue, delayed, .. } = self.backlog.limits;
            let error = DispatchError::unavailable(format!(
                "{} had no room until the flush ended (it holds {queue}, and {delayed} delayed); raise its limits, or \
                 the flush's deadline",
                self.backlog.limits.title(),
            ));
            ticket.settle_with(Err(error), self.intent.take());
        }
    }
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog")
            .field("limits", &self.limits)
            .field("outstanding", &self.outstanding())
            .field("closed", &self.closed.0)
            .finish_non_exhaustive()
    }
}
