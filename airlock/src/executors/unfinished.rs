//! What a shutdown leaves.

use crate::intent::Intent;

/// What an executor had accepted and did not finish before its shutdown's deadline.
#[derive(Debug, Default)]
#[must_use = "these intents were accepted, and run only if somebody sees to it"]
#[non_exhaustive]
pub struct Unfinished {
    /// The intents that had not started, in the order they were accepted. They will not run any more.
    pub intents: Vec<Intent>,
    /// How many tasks were still running. They go on, unless the process ends.
    pub running: usize,
}

impl Unfinished {
    /// Whether everything that was accepted is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.intents.is_empty() && self.running == 0
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.intents.extend(other.intents);
        self.running += other.running;
    }
}
