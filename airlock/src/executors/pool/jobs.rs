//! The jobs of a pool, and the counts that go with them: all that its lock protects.
//!
//! A job waits in one of three places: ready; until its time, among the delayed; and from then on, before the ready
//! ones, as due. None of them has memory before there is a job in it.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::SystemTime;
use std::{iter, mem, vec};

use super::delayed::Delayed;
use super::run_queue::{NumberedRun, RunQueue};
use crate::intent::Intent;
use crate::runtime::Deadline;
use crate::task::TaskKind;

/// One accepted intent.
#[derive(Debug)]
pub(in crate::executors) struct PoolJob {
    pub(super) intent: Intent,
    /// Its place among all that were accepted.
    pub(super) number: u64,
}

impl PoolJob {
    pub(in crate::executors) fn is_async(&self) -> bool {
        self.intent.task().kind == TaskKind::Async
    }
}

#[derive(Debug, Default)]
pub(super) struct Jobs {
    ready: RunQueue,
    /// How many may be ready.
    limit: usize,
    /// Counts towards the limit of the delayed: it is where they go when it is their time.
    due: VecDeque<PoolJob>,
    delayed: Delayed,
    delayed_limit: usize,
    /// How many jobs were accepted, ever, which numbers them.
    accepted: u64,
    /// How many workers or threads have taken out a job and not come back for the next one: so many jobs run.
    pub(super) busy: usize,
    /// Whether no more is accepted. What was accepted is run all the same.
    pub(super) closed: bool,
    /// How many threads wait for a job.
    pub(super) parked: usize,
    /// Whether one of those was woken and has not looked yet.
    pub(super) unparking: bool,
    /// How many flushes wait for room.
    pub(super) waiting: usize,
    /// How many shutdowns wait for the end.
    pub(super) shutdowns: usize,
}

/// Each has room of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Ready,
    /// Until its time, and from then on as due.
    Delayed,
}

impl Lane {
    /// Where a job waits that is to be started then, or at once.
    pub(super) fn of(start: Option<SystemTime>) -> Self {
        if start.is_some() { Self::Delayed } else { Self::Ready }
    }
}

/// Why a job is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushError {
    Full,
    Closed,
}

impl Jobs {
    pub(super) fn new(limit: usize, delayed_limit: usize) -> Self {
        Self { limit, delayed_limit, ..Self::default() }
    }

    /// How many jobs could be started now.
    pub(super) fn ready(&self) -> usize {
        self.ready.len() + self.due.len()
    }

    /// How many more jobs there is room for.
    pub(super) fn room(&self, place: Lane) -> usize {
        match place {
            _ if self.closed => 0,
            Lane::Ready => self.limit.saturating_sub(self.ready.len()),
            Lane::Delayed => self.delayed_limit.saturating_sub(self.delayed.len() + self.due.len()),
        }
    }

    /// Accepts intents that are to be started at once and have [`room`](Self::room).
    pub(super) fn push_all(&mut self, intents: vec::IntoIter<Intent>) {
        let number = self.accepted;
        self.accepted += intents.len() as u64;
        self.ready.push(intents, number);
    }

    /// Accepts an intent that is to be started then, or at once.
    pub(super) fn push(
        &mut self,
        intent: Intent,
        start: Option<SystemTime>,
        alarm: &Waker,
    ) -> Result<(), (Intent, PushError)> {
        if self.room(Lane::of(start)) == 0 {
            return Err((intent, if self.closed { PushError::Closed } else { PushError::Full }));
        }
        match start {
            Some(start) => {
                let job = PoolJob { intent, number: self.accepted };
                self.accepted += 1;
                self.delayed.insert(start, job, alarm);
            }
            None => self.push_all(vec![intent].into_iter()),
        }
        Ok(())
    }

    /// The next job to be started; its worker or thread counts itself as busy. What is left of the job's run, if it was
    /// the last of that, is to be dropped after the lock.
    pub(super) fn pop(&mut self) -> Option<(PoolJob, Lane, Option<NumberedRun>)> {
        if let Some(job) = self.due.pop_front() {
            return Some((job, Lane::Delayed, None));
        }
        let (job, emptied) = self.ready.pop()?;
        Some((job, Lane::Ready, emptied))
    }

    /// Takes back a job that was not started after all.
    pub(super) fn put_back(&mut self, job: PoolJob) {
        self.due.push_back(job);
    }

    /// Moves the delayed jobs whose time has come.
    pub(super) fn release_due(&mut self, alarm: &Waker) {
        while let Some(job) = self.delayed.pop_due() {
            self.due.push_back(job);
        }
        self.delayed.set_alarm(alarm);
    }

    /// How many jobs wait or run.
    pub(super) fn unfinished(&self) -> usize {
        self.ready() + self.delayed.len() + self.busy
    }

    /// How many of those can be done by the deadline: what starts after it is not waited for.
    pub(super) fn unfinished_by(&self, deadline: Deadline) -> usize {
        self.unfinished() - self.delayed.after(deadline)
    }

    /// Whether a job that is done makes a difference to threads and shutdowns.
    pub(super) fn may_be_over(&self) -> bool {
        self.closed && (self.shutdowns > 0 || self.unfinished() == 0)
    }

    /// All jobs that wait, in the order they were accepted.
    pub(super) fn take_all(&mut self) -> Vec<PoolJob> {
        let mut jobs = self.delayed.take_all();
        jobs.extend(mem::take(&mut self.due));
        jobs.extend(iter::from_fn(|| self.ready.pop()).map(|(job, _)| job));
        jobs.sort_by_key(|job| job.number);
        jobs
    }
}
