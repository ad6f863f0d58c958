//! A queue of runs: intents that came in together lie where they lay before, and to take over a whole flush is to take
//! over its memory.

use std::collections::VecDeque;
use std::vec;

use super::job::Job;
use crate::intent::Intent;

/// For how many runs memory is kept, however few there are.
const KEPT: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// None of them is empty.
    runs: VecDeque<Run>,
    len: usize,
}

/// Intents and the number of the first; the others count up from it.
#[derive(Debug)]
pub(super) struct Run {
    intents: vec::IntoIter<Intent>,
    number: u64,
}

impl Run {
    pub(super) fn new(intents: vec::IntoIter<Intent>, number: u64) -> Self {
        Self { intents, number }
    }
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, run: Run) {
        self.len += run.intents.len();
        if run.intents.len() > 0 {
            self.runs.push_back(run);
        }
    }

    /// The first, and its run if it was the last of that: to free memory takes longer than a lock should be held.
    pub(super) fn pop(&mut self) -> Option<(Job, Option<Run>)> {
        let run = self.runs.front_mut()?;
        let intent = run.intents.next()?;
        let job = Job { intent, number: run.number };
        run.number += 1;
        self.len -= 1;
        let emptied = if run.intents.len() == 0 { self.runs.pop_front() } else { None };
        Some((job, emptied))
    }

    /// Lets go of memory that is from a time when there was far more to do.
    pub(super) fn shrink(&mut self) {
        if self.runs.capacity() > KEPT.max(self.runs.len().saturating_mul(4)) {
            self.runs.shrink_to(KEPT);
        }
    }
}
