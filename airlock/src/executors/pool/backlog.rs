//! The lock around the queue of a pool, and who hears of its changes.

use std::fmt;
use std::hint;
use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use event_listener::{Event, IntoNotification};

use super::limits::Limits;
use super::run_queue::{Place, RunQueue};
use crate::error::DispatchError;

/// How often a thread looks whether the queue is free before it sleeps until it is.
const LOOKS: u32 = 64;

pub(in crate::executors) struct Backlog {
    pub(super) limits: Limits,
    /// The process whose threads run the jobs: a forked child has a copy of the jobs and none of the threads.
    process: u32,
    queue: Mutex<RunQueue>,
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
            queue: Mutex::new(RunQueue::new(limits.queue, limits.delayed)),
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

    /// Whether this process is a forked child of the one that runs the jobs. Asked before the queue is locked: the
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

    /// Locks the queue. A thread that sleeps at the lock costs far more than the moment for which it is held, and has
    /// every other one sleep there too: so this looks a few times first.
    pub(super) fn queue(&self) -> MutexGuard<'_, RunQueue> {
        for _ in 0..LOOKS {
            if let Ok(queue) = self.queue.try_lock() {
                return queue;
            }
            hint::spin_loop();
        }
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unlocks the queue, and wakes a thread if one is parked while there are jobs. That one wakes the next as it takes
    /// its job: no flush is held up by waking more than one.
    pub(super) fn unlock(&self, mut queue: MutexGuard<'_, RunQueue>) {
        if queue.parked > 0 && !queue.unparking && queue.ready() > 0 {
            queue.unparking = true;
            drop(queue);
            self.work.notify_one();
        }
    }

    /// Unlocks the queue after a job was taken out, and has a flush look for room if there was none before.
    ///
    /// One is enough, as a flush that found room has the next one look. Relaxed, since the lock orders it: a flush that
    /// saw the queue full listened before it locked it, and so before this.
    pub(super) fn unlock_after_pop(&self, queue: MutexGuard<'_, RunQueue>, place: Place) {
        let was_full = queue.room(place) == 1;
        self.unlock(queue);
        if was_full {
            self.room(place).notify(1.relaxed());
        }
    }

    /// What flushes listen to that find no room there.
    pub(super) fn room(&self, place: Place) -> &Event {
        match place {
            Place::Ready => &self.room,
            Place::Delayed => &self.delayed_room,
        }
    }

    /// Moves delayed jobs whose time has come to where they are taken next. Called by the alarm, which is set again.
    pub(in crate::executors) fn release_due(&self, alarm: &Waker) {
        let mut queue = self.queue();
        queue.release_due(alarm);
        self.unlock(queue);
    }
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog").field("limits", &self.limits).finish_non_exhaustive()
    }
}
