//! A queue of runs: intents that were flushed together stay in the memory of their flush, so that to accept 10,000 of
//! them takes no longer than to accept one. Those of small flushes are put together.

use std::collections::VecDeque;
use std::{mem, vec};

use super::jobs::PoolJob;
use crate::intent::Intent;

/// For how many runs memory is kept, however few there are.
const KEPT: usize = 1024;

/// Intents that come in fewer at a time than this are moved to others of their kind: a run of their own would take more
/// memory than they do.
const FEW: usize = 64;

#[derive(Debug, Default)]
pub(super) struct RunQueue {
    /// None of them is empty.
    runs: VecDeque<NumberedRun>,
    /// The last run, while intents may be added to it.
    last: Vec<Intent>,
    /// The number of the first of those.
    last_number: u64,
    len: usize,
}

/// Intents and the number of the first; the others count up from it.
#[derive(Debug)]
pub(super) struct NumberedRun {
    intents: vec::IntoIter<Intent>,
    number: u64,
}

impl RunQueue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts them behind all others. `number` is that of the first.
    pub(super) fn push(&mut self, intents: vec::IntoIter<Intent>, number: u64) {
        self.len += intents.len();
        let follows = number == self.last_number + self.last.len() as u64;
        if !follows || intents.len() >= FEW {
            self.close_last_run();
        }
        if intents.len() >= FEW {
            self.runs.push_back(NumberedRun { intents, number });
            return;
        }
        if self.last.is_empty() {
            self.last_number = number;
        }
        self.last.extend(intents);
    }

    fn close_last_run(&mut self) {
        if !self.last.is_empty() {
            let intents = mem::take(&mut self.last).into_iter();
            self.runs.push_back(NumberedRun { intents, number: self.last_number });
        }
    }

    /// The first job, and its run if it was the last of that: to free memory takes longer than the lock should be held.
    pub(super) fn pop(&mut self) -> Option<(PoolJob, Option<NumberedRun>)> {
        if self.runs.is_empty() {
            self.close_last_run();
        }
        let run = self.runs.front_mut()?;
        let intent = run.intents.next()?;
        let job = PoolJob { intent, number: run.number };
        run.number += 1;
        self.len -= 1;
        if run.intents.len() > 0 {
            return Some((job, None));
        }
        let emptied = self.runs.pop_front();
        // Memory of a time when there was far more to do.
        if self.runs.is_empty() {
            self.runs.shrink_to(KEPT);
        }
        Some((job, emptied))
    }
}
