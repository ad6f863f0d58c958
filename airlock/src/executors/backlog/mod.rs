//! What an executor that runs tasks in this process has accepted: bounded, in order, and accounted for to the last. Each
//! intent that was accepted is run, dropped as expired and reported, or handed back by a shutdown.

mod delayed;
mod job;
mod lost;
mod options;
mod waiters;
mod waiting;

use std::fmt;
use std::future::poll_fn;
use std::iter;
use std::process;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
#[cfg(feature = "threads")]
use std::sync::{Condvar, PoisonError};
use std::task::{Poll, Waker};
use std::time::SystemTime;

use super::{Batch, Begun, Deadline, Ticket, Unfinished};
use crate::error::{DispatchError, Failure};
use crate::intent::Intent;
use crate::panics::catch_panic;
use crate::timer;

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

/// How many intents are taken between two looks at the clock, all under one lock.
const AT_ONCE: usize = 128;

enum Refusal {
    Full,
    Closed,
}

/// Why no more was taken at once.
enum Stop {
    Enough,
    Ended,
    Refused(Begun, Refusal),
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

    /// Accepts what the batch has, waiting for room up to the flush's deadline. `accepted` is called with how many were,
    /// again and again; the alarm is called when delayed work is due.
    pub(super) async fn accept(&self, mut batch: Batch, alarm: &Waker, accepted: impl Fn(usize)) {
        loop {
            let (taken, stop) = self.take(&mut batch, alarm);
            if taken > 0 {
                accepted(taken);
            }
            let (begun, refusal) = match stop {
                Stop::Enough => continue,
                Stop::Ended => return,
                Stop::Refused(begun, refusal) => (begun, refusal),
            };
            let (intent, ticket) = begun.into_parts();
            let mut waits = NotAccepted { backlog: self, intent: Some(intent), ticket: Some(ticket) };
            let result = match refusal {
                Refusal::Full => self.wait_for_room(&mut waits.intent, alarm).await,
                Refusal::Closed => Err(self.is_closed()),
            };
            let is_accepted = result.is_ok();
            if let Some(ticket) = waits.ticket.take() {
                ticket.settle_with(result, waits.intent.take());
            }
            // Only now: should it panic, what was accepted has been said to be.
            if is_accepted {
                accepted(1);
            }
        }
    }

    /// Takes what there is room for, up to so many at once.
    fn take(&self, batch: &mut Batch, alarm: &Waker) -> (usize, Stop) {
        let mut way_in = self.way_in();
        way_in.entrance.expect(batch.remaining().min(way_in.room));
        let mut taken = 0;
        while taken < AT_ONCE {
            let limit = way_in.room.min(AT_ONCE - taken);
            let plain = batch.hand_over_at_once(limit, |intents| way_in.entrance.accept(intents));
            way_in.room -= plain;
            taken += plain;
            if taken == AT_ONCE {
                break;
            }
            // One that is delayed, or too many, or none.
            match batch.hand_over_next(|intent, is_delayed| way_in.offer(intent, is_delayed, alarm)) {
                Some(Ok(())) => taken += 1,
                None => return (taken, Stop::Ended),
                Some(Err((begun, refusal))) => return (taken, Stop::Refused(begun, refusal)),
            }
        }
        (taken, Stop::Enough)
    }

    async fn wait_for_room(&self, waits: &mut Option<Intent>, alarm: &Waker) -> Result<(), DispatchError> {
        let delayed = waits.as_ref().and_then(starts_later).is_some();
        let mut place = if delayed { &self.delayed_room } else { &self.room }.waiter();
        poll_fn(|cx| {
            // Once more after the place in the line is taken: room may have come in between.
            for registered in [false, true] {
                if registered {
                    place.wait(cx.waker());
                }
                let Some(offered) = waits.take() else { unreachable!("polled after it was ready") };
                let answer = self.way_in().offer(offered, true, alarm);
                match answer {
                    Ok(()) => {
                        place.served();
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

    fn way_in(&self) -> WayIn<'_> {
        let entrance = self.waiting.entrance();
        // Once it is locked: whoever closes, and locks it afterwards, has seen the last that was accepted.
        let is_closed = self.closed.0.load(Ordering::SeqCst);
        let room = if is_closed { 0 } else { self.waiting.room(&entrance, &self.limits) };
        WayIn { backlog: self, entrance, room, is_closed }
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

    /// The next to be started, once there is one; `None` when there will be no more.
    #[cfg(feature = "threads")]
    pub(super) fn wait_for_next(&self) -> Option<Job> {
        if let Some(job) = self.next() {
            return Some(job);
        }
        let mut entrance = self.waiting.entrance();
        loop {
            if self.waiting.ready(&entrance) > 0 {
                // Others take from it too, without a lock.
                drop(entrance);
                if let Some(job) = self.next() {
                    self.wake_threads();
                    return Some(job);
                }
                entrance = self.waiting.entrance();
                continue;
            }
            if self.closed.0.load(Ordering::SeqCst) && self.outstanding(&entrance) == 0 {
                return None;
            }
            entrance.asleep += 1;
            entrance = self.work.wait(entrance).unwrap_or_else(PoisonError::into_inner);
            entrance.asleep -= 1;
            entrance.waking = false;
        }
    }

    /// Wakes a thread if there is work. It wakes the next one if there is more: whoever hands over is not held up for each
    /// of them.
    #[cfg(feature = "threads")]
    pub(super) fn wake_threads(&self) {
        let mut entrance = self.waiting.entrance();
        if entrance.asleep > 0 && !entrance.waking && self.waiting.ready(&entrance) > 0 {
            entrance.waking = true;
            drop(entrance);
            self.work.notify_one();
        }
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

/// The entrance, locked for a few intents.
struct WayIn<'a> {
    backlog: &'a Backlog,
    entrance: MutexGuard<'a, Entrance>,
    /// How many more the queue takes. More room may come meanwhile, never less.
    room: usize,
    is_closed: bool,
}

impl WayIn<'_> {
    fn offer(&mut self, intent: Intent, is_delayed: bool, alarm: &Waker) -> Result<(), (Intent, Refusal)> {
        if self.is_closed {
            return Err((intent, Refusal::Closed));
        }
        if is_delayed && let Some(start) = starts_later(&intent) {
            let Backlog { waiting, limits, .. } = self.backlog;
            let accepted = waiting.accept_delayed(&mut self.entrance, intent, start, limits, alarm);
            return accepted.map_err(|intent| (intent, Refusal::Full));
        }
        let Some(left) = self.room.checked_sub(1) else { return Err((intent, Refusal::Full)) };
        self.room = left;
        self.entrance.accept(iter::once(intent));
        Ok(())
    }
}

/// When a delayed intent may start, if that is not yet.
fn starts_later(intent: &Intent) -> Option<SystemTime> {
    intent.options().get_start()?;
    let now = SystemTime::now();
    intent.starts_at(now).filter(|start| *start > now)
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
            .field("finished", &self.finished.0)
            .field("closed", &self.closed.0)
            .finish_non_exhaustive()
    }
}
