//! How a task ended that a worker ran in a test.

use std::error::Error;
use std::fmt;

use crate::dispatch::DispatchError;
use crate::intent::Intent;
use crate::testing::drain::Drained;
use crate::testing::recording::Recorded;
use crate::worker::RunFailure;

/// What a run left behind that ended well.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) intents: Vec<Intent>,
    pub(super) dropped: Vec<(Intent, String)>,
}

/// A task that ended well in [`TestWorker::perform`](super::TestWorker::perform). What the run that ended well left can be
/// asserted on.
#[derive(Debug)]
pub struct Performed {
    pub(super) failures: Vec<RunFailure>,
    pub(super) left: Left,
}

impl Performed {
    /// How many runs it took.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.failures.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The runs that failed before, in order.
    #[must_use]
    pub fn failures(&self) -> &[RunFailure] {
        &self.failures
    }
}

impl Recorded for Performed {
    fn recorded(&self) -> Vec<Intent> {
        self.left.intents.clone()
    }

    fn refused(&self) -> Vec<(Intent, String)> {
        self.left.dropped.clone()
    }
}

/// A task that failed for good in [`TestWorker::perform`](super::TestWorker::perform): a worker's row would be *dead*.
pub struct PerformError {
    failures: Vec<RunFailure>,
    last: Box<RunFailure>,
}

impl PerformError {
    pub(super) fn new(before: Vec<RunFailure>, last: Box<RunFailure>) -> Self {
        Self { failures: before.into_iter().chain([(*last).clone()]).collect(), last }
    }

    /// How many runs it took.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.last.attempt
    }

    /// All its runs, in order: none of them ended well.
    #[must_use]
    pub fn failures(&self) -> &[RunFailure] {
        &self.failures
    }

    /// What went wrong in the last one.
    #[must_use]
    pub fn error(&self) -> &DispatchError {
        &self.last.error
    }
}

impl fmt::Display for PerformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RunFailure { task, attempt, error, .. } = &*self.last;
        write!(f, "`{task}` failed for good at attempt {attempt}: {error}: {}", error.reason())
    }
}

impl fmt::Debug for PerformError {
    /// As `Display`: an `unwrap` in a test prints it like this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for PerformError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.last.error.source()
    }
}

impl Drained {
    /// The runs that failed in [`TestWorker::drain`](super::TestWorker::drain), in order; those that were tried again with
    /// the others. Empty after a [`drain`](crate::testing::drain()) without a worker.
    #[must_use]
    pub fn failures(&self) -> &[RunFailure] {
        &self.failures
    }
}
