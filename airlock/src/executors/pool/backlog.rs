//! The lock around the jobs of a pool, and who hears of their changes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::{fmt, hint, process};

use event_listener::{Event, IntoNotification};

use super::jobs::{Jobs, Lane};
use super::limits::Limits;
use crate::dispatch::DispatchError;

/// How often a thread looks whether the lock is free before it sleeps until it is.
const LOOKS: u32 = 64;

pub(in crate::executors) struct Backlog {
    pub(super) limits: Limits,
    /// The process whose threads run the jobs: a forked child has a copy of the jobs and none of the threads.
    process: u32,
    jobs: Mutex<Jobs>,
    /// Where threads wait for jobs, and for the end of them.
    pub(super) work: Condvar,
    room: Event,
    delayed_room: Event,
    /// What shutdowns wait for: a job is done, or a runtime is gone.
    pub(super) progress: Event,
}

impl Backlog {
    /// For the threads of this `process`.
    pub(in crate::executors) fn new(limits: Limits, process: u32) -> Self {
        Self {
            process,
            jobs: Mutex::new(Jobs::new(limits.queue, limits.delayed)),
            limits,
            work: Condvar::new(),
            room: Event::new(),
            delayed_room: Event::new(),
            progress: Event::new(),
        }
    }

    pub(in crate::executors) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether this process is a forked child of the one that runs the jobs. Asked before the jobs are locked: the
    /// thread that held the lock when the process was forked does not exist in the child.
    pub(super) fn is_inherited(&self) -> bool {
        self.process != process::id()
    }

    /// Why this process can't hand anything over, if it can't.
    pub(in crate::executors) fn check_process(&self) -> Result<(), DispatchError> {
        if !self.is_inherited() {
            return Ok(());
        }
        Err(DispatchError::unavailable(format!(
            "this process was forked from the one that runs the tasks of {}; make an executor after the fork",
            self.limits.title(),
        )))
    }

    /// Locks the jobs. A thread that sleeps at the lock costs far more than the moment for which it is held, and has
    /// every other one sleep there too: so this looks a few times first.
    pub(super) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        for _ in 0..LOOKS {
            if let Ok(jobs) = self.jobs.try_lock() {
                return jobs;
            }
            hint::spin_loop();
        }
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unlocks the jobs, and wakes a thread if one is parked while some can be started. That one wakes the next as it takes
    /// its job: no flush is held up by waking more than one.
    pub(super) fn unlock(&self, mut jobs: MutexGuard<'_, Jobs>) {
        if jobs.parked > 0 && !jobs.unparking && jobs.ready() > 0 {
            jobs.unparking = true;
            drop(jobs);
            self.work.notify_one();
        }
    }

    /// Unlocks the jobs after one was taken out, and has one more flush look for room if any waits for it.
    ///
    /// Relaxed, since the lock orders it: a flush counts itself as waiting, and listens, before it finds no room.
    pub(super) fn unlock_after_pop(&self, jobs: MutexGuard<'_, Jobs>, place: Lane) {
        let is_awaited = jobs.waiting > 0;
        self.unlock(jobs);
        if is_awaited {
            self.room(place).notify(1.additional().relaxed());
        }
    }

    /// What flushes listen to that find no room there.
    pub(super) fn room(&self, place: Lane) -> &Event {
        match place {
            Lane::Ready => &self.room,
            Lane::Delayed => &self.delayed_room,
        }
    }

    /// Moves delayed jobs whose time has come to where they are taken next. Called by the alarm, which is set again.
    pub(in crate::executors) fn release_due(&self, alarm: &Waker) {
        let mut jobs = self.jobs();
        jobs.release_due(alarm);
        self.unlock(jobs);
    }
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog").field("limits", &self.limits).finish_non_exhaustive()
    }
}
