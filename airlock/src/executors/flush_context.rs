//! What executors hear of a flush.

use std::time::SystemTime;

use crate::runtime::Deadline;
use crate::state::State;

/// Whether a flush blocks its thread or is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushMode {
    /// The calling thread waits.
    Sync,
    /// A future waits.
    Async,
}

/// What [`Executor::accepts`](crate::Executor::accepts) hears about the flush.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FlushContext {
    /// Whether the flush blocks its thread or is awaited.
    pub mode: FlushMode,
    /// The time that delays count from.
    pub now: SystemTime,
    /// When the flush gives up.
    pub deadline: Deadline,
    /// What the tasks of the scope that flushes get for their `#[state]` parameters.
    pub state: State,
    /// Whether an intent may have options of its call over those of its task.
    pub(crate) may_have_options: bool,
}

impl FlushContext {
    /// For what is asked without a flush.
    pub(crate) fn outside(now: SystemTime) -> Self {
        Self { mode: FlushMode::Sync, now, deadline: Deadline::NONE, state: State::default(), may_have_options: true }
    }
}
