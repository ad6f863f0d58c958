//! Work that was accepted and has not been started.
//!
//! It waits in one of three places: the queue; until its time, among the delayed; and from then on, before the queue, as
//! due. The queue has two halves with a lock each, so that those who fill it and those who empty it seldom meet: whoever
//! finds nothing at the exit takes over all that has come in. None of it has memory before there is work in it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::SystemTime;
use std::{iter, mem, vec};

use super::delayed::Delayed;
use super::job::Job;
use super::options::Limits;
use super::queue::Queue;
use crate::intent::Intent;
use crate::runtime::Deadline;

/// The locks are held for moments, and never while foreign code runs. Whoever needs both takes the exit first.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    entrance: Apart<Mutex<Entrance>>,
    /// How much of the queue is at the entrance, for those who look before they lock.
    at_entrance: Apart<AtomicUsize>,
    exit: Apart<Mutex<Exit>>,
    /// How much of the queue is at the exit, and how much is due. They grow only with both locks held, so that at the
    /// entrance it is known how much room there is at least.
    at_exit: Apart<AtomicUsize>,
    due: AtomicUsize,
}

/// In cache lines of its own: one side writes what the other has no business with, all the time.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Apart<T>(pub(super) T);

/// Nothing gets in, and no thread falls asleep, but by whoever has locked it.
#[derive(Debug, Default)]
pub(super) struct Entrance {
    queue: Queue,
    delayed: Delayed,
    /// How many were accepted, ever, which numbers them.
    pub(super) accepted: u64,
    /// How many threads have found nothing to do.
    #[cfg(feature = "threads")]
    pub(super) asleep: usize,
    /// Whether one of those was woken and has not looked yet.
    #[cfg(feature = "threads")]
    pub(super) waking: bool,
}

#[derive(Debug, Default)]
struct Exit {
    queue: Queue,
    /// Bounded by the limit of the delayed: it is where they go when it is their time.
    due: VecDeque<Job>,
}

/// Where work waited, and now there is room for other work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Queue,
    Due,
}

impl Waiting {
    pub(super) fn entrance(&self) -> MutexGuard<'_, Entrance> {
        self.entrance.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exit(&self) -> MutexGuard<'_, Exit> {
        self.exit.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many more the queue takes. More room may come while the entrance is locked, never less.
    pub(super) fn room(&self, entrance: &Entrance, limits: &Limits) -> usize {
        limits.queue.saturating_sub(entrance.queue.len() + self.at_exit.0.load(Ordering::Relaxed))
    }

    /// Takes an intent that has a time to start at, if there is room for it.
    pub(super) fn accept_delayed(
        &self,
        entrance: &mut Entrance,
        intent: Intent,
        start: SystemTime,
        limits: &Limits,
        alarm: &Waker,
    ) -> Result<(), Intent> {
        let limit = limits.delayed.saturating_sub(self.due.load(Ordering::Relaxed));
        let job = Job { intent, number: entrance.accepted };
        // Counted first: to set the alarm may fail, with the job in its place.
        entrance.accepted += 1;
        let Err(refused) = entrance.delayed.insert(start, job, limit, alarm) else { return Ok(()) };
        entrance.accepted -= 1;
        Err(refused.intent)
    }

    /// Takes intents that there is room for.
    pub(super) fn accept(&self, entrance: &mut Entrance, intents: vec::IntoIter<Intent>) {
        let number = entrance.accepted;
        entrance.accepted += intents.len() as u64;
        entrance.queue.push(intents, number);
        self.at_entrance.0.store(entrance.queue.len(), Ordering::Relaxed);
    }

    /// How many could be started now.
    pub(super) fn ready(&self, entrance: &Entrance) -> usize {
        entrance.queue.len() + self.at_exit.0.load(Ordering::Relaxed) + self.due.load(Ordering::Relaxed)
    }

    /// The next to be started. What came in a moment ago may be overlooked: whoever is to sleep then asks
    /// [`ready`](Self::ready).
    pub(super) fn pop(&self) -> Option<(Job, Place)> {
        let counts = [&self.at_exit.0, &self.at_entrance.0, &self.due];
        if counts.iter().all(|count| count.load(Ordering::Relaxed) == 0) {
            return None;
        }
        let mut exit = self.exit();
        if let Some(job) = exit.due.pop_front() {
            self.due.store(exit.due.len(), Ordering::Relaxed);
            return Some((job, Place::Due));
        }
        if exit.queue.len() == 0 {
            let mut entrance = self.entrance();
            if entrance.queue.len() == 0 {
                return None;
            }
            mem::swap(&mut exit.queue, &mut entrance.queue);
            entrance.queue.shrink();
            self.at_exit.0.store(exit.queue.len(), Ordering::Relaxed);
            self.at_entrance.0.store(0, Ordering::Relaxed);
        }
        let (job, emptied) = exit.queue.pop()?;
        self.at_exit.0.store(exit.queue.len(), Ordering::Relaxed);
        drop(exit);
        drop(emptied);
        Some((job, Place::Queue))
    }

    /// Moves what is due to where it is taken next.
    pub(super) fn release_due(&self, alarm: &Waker) {
        let (mut exit, mut entrance) = (self.exit(), self.entrance());
        while let Some(job) = entrance.delayed.pop_due() {
            exit.due.push_back(job);
        }
        self.due.store(exit.due.len(), Ordering::Relaxed);
        entrance.delayed.set_alarm(alarm);
    }

    /// Takes back what was not started after all.
    #[cfg(feature = "tokio")]
    pub(super) fn put_back(&self, job: Job) {
        let (mut exit, _entrance) = (self.exit(), self.entrance());
        exit.due.push_back(job);
        self.due.store(exit.due.len(), Ordering::Relaxed);
    }

    /// All there is, in order of acceptance, and how many were accepted, ever.
    pub(super) fn take_all(&self) -> (Vec<Job>, u64) {
        let (mut exit, mut entrance) = (self.exit(), self.entrance());
        let mut jobs: Vec<_> = entrance.delayed.take_all();
        jobs.extend(mem::take(&mut exit.due));
        for mut queue in [mem::take(&mut exit.queue), mem::take(&mut entrance.queue)] {
            jobs.extend(iter::from_fn(|| queue.pop()).map(|(job, _)| job));
        }
        self.due.store(0, Ordering::Relaxed);
        self.at_exit.0.store(0, Ordering::Relaxed);
        self.at_entrance.0.store(0, Ordering::Relaxed);
        jobs.sort_by_key(|job| job.number);
        (jobs, entrance.accepted)
    }
}

impl Entrance {
    /// How many start after the deadline.
    pub(super) fn after(&self, deadline: Deadline) -> usize {
        self.delayed.after(deadline)
    }
}
