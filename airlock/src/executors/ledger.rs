//! The outcomes of one batch. The flush owns them; the executor, on whatever thread, only adds to them.
//!
//! `progress` counts what was begun and carries the bit that ends the batch, in one atomic: once the flush has closed
//! the ledger, nothing more can begin, and what had begun is known.
//!
//! An executor made of others gives each of them a ledger of its own, which is a part of this one: see [`parts`].

mod parts;

use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::OnFailure;
use crate::dispatch::DispatchErrorKind;
use crate::intent::{Failure, Intent};
use crate::runtime::Deadline;

use parts::SubBatchRecord;
pub(crate) use parts::{AttemptOutcome, SubBatch, Tries};

const CLOSED: usize = 1 << (usize::BITS - 1);

const BEGUN: u8 = 0;
const DISPATCHED: u8 = 1;
const FAILED: u8 = 2;

/// Why a batch ends before its last intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stop {
    Failure = 1,
    Unavailable,
    Deadline,
}

/// How the executor's future came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DispatchEnd {
    Returned,
    DeadlinePassed,
    Dropped,
    Panicked(String),
}

/// Why an intent was not begun, if it lay in a part of the batch whose end is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    Stopped(Stop),
    Ended(DispatchEnd),
}

#[derive(Debug)]
pub(crate) struct Ledger {
    progress: AtomicUsize,
    stop: AtomicU8,
    states: Box<[AtomicU8]>,
    on_failure: OnFailure,
    deadline: Deadline,
    /// The ledger this one is a part of.
    parent: Option<Parent>,
    cold: Mutex<ColdState>,
}

#[derive(Debug)]
struct Parent {
    ledger: Arc<Ledger>,
    tries: Tries,
}

/// What only exceptions touch.
#[derive(Debug, Default)]
struct ColdState {
    failures: Vec<(usize, Failure)>,
    /// What the batch still held when it was dropped.
    returned: Vec<Intent>,
    timings: Vec<(usize, Duration)>,
    parts: Vec<SubBatchRecord>,
    closed: bool,
}

/// The state of one intent once the ledger is closed.
#[derive(Debug)]
pub(crate) enum ItemState {
    Dispatched,
    Failed(Failure),
    /// Begun, and not settled by the executor. Without a handle the failure is among the failed ones.
    Unsettled,
    /// With the cause, if it is another than that of the whole batch.
    NotBegun(Option<Cause>),
}

/// All there is to know of a batch once its ledger is closed.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) begun: usize,
    states: Vec<u8>,
    failures: Vec<(usize, Failure)>,
    pub(crate) stop: Option<Stop>,
    pub(crate) returned: Vec<Intent>,
    pub(crate) timings: Vec<(usize, Duration)>,
    parts: Vec<parts::Closed>,
}

impl Ledger {
    pub(crate) fn new(len: usize, on_failure: OnFailure, deadline: Deadline) -> Self {
        Self::with_parent(None, len, on_failure, deadline)
    }

    fn with_parent(parent: Option<Parent>, len: usize, on_failure: OnFailure, deadline: Deadline) -> Self {
        Self {
            progress: AtomicUsize::new(0),
            stop: AtomicU8::new(0),
            states: (0..len).map(|_| AtomicU8::new(BEGUN)).collect(),
            on_failure,
            deadline,
            parent,
            cold: Mutex::default(),
        }
    }

    /// Claims the next intent, if one may still begin.
    pub(crate) fn begin(&self) -> Option<usize> {
        if self.is_over() {
            return None;
        }
        let index = self.progress.fetch_add(1, Ordering::Relaxed);
        (index & CLOSED == 0).then_some(index)
    }

    /// Claims the next intents all at once, if they may still begin.
    pub(crate) fn begin_several(&self, count: usize) -> Option<Range<usize>> {
        if count == 0 || self.is_over() {
            return None;
        }
        let first = self.progress.fetch_add(count, Ordering::Relaxed);
        (first & CLOSED == 0).then_some(first..first + count)
    }

    /// Whether nothing more may begin, also because it is too late; and notes why.
    fn is_over(&self) -> bool {
        // Said here too, where it may come from elsewhere: it is why the rest of this part is not begun.
        let stop = self.stopped().or_else(|| self.deadline.has_passed().then_some(Stop::Deadline));
        if let Some(stop) = stop {
            self.stop_for(stop);
        }
        stop.is_some()
    }

    /// Whether nothing more may begin, here or in all that this is a part of.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped().is_some()
    }

    fn stopped(&self) -> Option<Stop> {
        let own = match self.stop.load(Ordering::Relaxed) {
            0 => None,
            stop if stop == Stop::Failure as u8 => Some(Stop::Failure),
            stop if stop == Stop::Unavailable as u8 => Some(Stop::Unavailable),
            _ => Some(Stop::Deadline),
        };
        own.or_else(|| self.parent.as_ref()?.ledger.stopped())
    }

    /// Whether other executors have their parts of the batch at the same time.
    pub(crate) fn is_beside_others(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.tries == Tries::Beside || parent.ledger.is_beside_others())
    }

    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    pub(crate) fn dispatched(&self, index: usize) {
        self.states[index].store(DISPATCHED, Ordering::Release);
    }

    pub(crate) fn dispatched_several(&self, indexes: Range<usize>) {
        self.states[indexes].iter().for_each(|state| state.store(DISPATCHED, Ordering::Release));
    }

    pub(crate) fn failed(&self, index: usize, failure: Failure) {
        let kind = failure.error.kind();
        self.cold().failures.push((index, failure));
        self.states[index].store(FAILED, Ordering::Release);
        if kind == DispatchErrorKind::Unavailable {
            self.stop_for(Stop::Unavailable);
        }
        self.fail_fast();
    }

    /// Ends everything after a failure, if the scope wants that.
    pub(crate) fn fail_fast(&self) {
        if self.on_failure == OnFailure::FailFast {
            self.stop_for(Stop::Failure);
            if let Some(Parent { ledger, tries: Tries::Only | Tries::Beside }) = &self.parent {
                ledger.fail_fast();
            }
        }
    }

    pub(crate) fn took(&self, index: usize, time: Duration) {
        self.cold().timings.push((index, time));
    }

    pub(crate) fn give_back(&self, intents: impl Iterator<Item = Intent>) {
        self.cold().returned.extend(intents);
    }

    /// Ends the batch and reads its outcomes. What an executor that is still running says later changes nothing.
    pub(crate) fn close(&self) -> Settled {
        let begun = self.progress.fetch_or(CLOSED, Ordering::AcqRel) & !CLOSED;
        let states: Vec<_> = self.states.iter().map(|state| state.load(Ordering::Acquire)).collect();
        let mut cold = self.cold();
        cold.closed = true;
        let mut parts: Vec<_> = std::mem::take(&mut cold.parts).into_iter().map(SubBatchRecord::close).collect();
        let mut timings = std::mem::take(&mut cold.timings);
        parts::add_timings(&mut parts, &mut timings);
        cold.failures.sort_by_key(|(index, _)| *index);
        Settled {
            begun: begun.min(states.len()),
            states,
            failures: std::mem::take(&mut cold.failures),
            stop: self.stopped(),
            returned: std::mem::take(&mut cold.returned),
            timings,
            parts,
        }
    }

    fn stop_for(&self, stop: Stop) {
        // The first reason stays: it is the one that kept the rest in.
        let _ = self.stop.compare_exchange(0, stop as u8, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn cold(&self) -> MutexGuard<'_, ColdState> {
        self.cold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settled {
    /// Whether every intent was dispatched.
    pub(crate) fn is_clean(&self) -> bool {
        self.begun == self.states.len() && self.parts.is_empty() && self.states.iter().all(|&state| state == DISPATCHED)
    }

    /// The states, in the order of the batch.
    pub(crate) fn into_states(mut self) -> Box<dyn Iterator<Item = ItemState>> {
        let parts = std::mem::take(&mut self.parts);
        let own = self.into_own_states();
        if parts.is_empty() { Box::new(own) } else { Box::new(parts::overlay(own.collect(), parts).into_iter()) }
    }

    fn into_own_states(self) -> impl Iterator<Item = ItemState> {
        let (begun, mut failures) = (self.begun, self.failures.into_iter().peekable());
        self.states.into_iter().enumerate().map(move |(index, state)| {
            // One that was settled just as the ledger closed may have left its failure and not its state; it stays
            // unsettled, and must not hide the failures after it.
            let failure = failures.next_if(|(at, _)| *at == index);
            match (state, failure) {
                _ if index >= begun => ItemState::NotBegun(None),
                (DISPATCHED, _) => ItemState::Dispatched,
                (FAILED, Some((_, failure))) => ItemState::Failed(failure),
                _ => ItemState::Unsettled,
            }
        })
    }
}
