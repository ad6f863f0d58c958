//! What a shutdown leaves.

use std::fmt;

use crate::intent::Intent;

/// What an executor had accepted and did not finish before its shutdown's deadline.
#[derive(Debug, Default)]
#[must_use = "it says what was accepted and is not done: report it unless `is_empty()`, or drop it with `let _ = …`"]
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

impl fmt::Display for Unfinished {
    /// `2 intents were not started, and 1 task was still running`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (intents, running) = (self.intents.len(), self.running);
        let (s, were) = if intents == 1 { ("", "was") } else { ("s", "were") };
        write!(f, "{intents} intent{s} {were} not started, and ")?;
        let (s, were) = if running == 1 { ("", "was") } else { ("s", "were") };
        write!(f, "{running} task{s} {were} still running")
    }
}
