//! What people are told of the table.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::state::OutboxState;
use crate::intent::IntentId;

/// How much lies in the table: [`Outbox::stats`](crate::Outbox::stats).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OutboxStats {
    /// Each queue in each state, as far as there are rows.
    pub queues: Vec<QueueStats>,
    /// For how long the oldest run has been going on.
    pub longest_run: Option<Duration>,
    /// Tasks with rows that wait and that this program has no body for, and how many rows.
    pub unknown: Vec<(String, u64)>,
}

/// The rows of one queue in one state.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct QueueStats {
    /// The queue.
    pub queue: String,
    /// The state.
    pub state: OutboxState,
    /// How many rows.
    pub count: u64,
    /// Of rows that wait: for how long the oldest that is due has been.
    pub oldest_due: Option<Duration>,
}

impl OutboxStats {
    /// How many rows are in a state, in all queues.
    #[must_use]
    pub fn count(&self, state: OutboxState) -> u64 {
        self.queues.iter().filter(|queue| queue.state == state).map(|queue| queue.count).sum()
    }
}

/// Which rows to look for: [`Outbox::find`](crate::Outbox::find).
///
/// ```
/// use airlock::{OutboxFilter, OutboxState};
///
/// let dead_mail = OutboxFilter::new().state(OutboxState::Dead).queue("mail").limit(20);
/// ```
#[derive(Debug, Clone)]
#[must_use = "it does nothing until `find` has it"]
pub struct OutboxFilter {
    pub(super) state: Option<OutboxState>,
    pub(super) queue: Option<String>,
    pub(super) task: Option<String>,
    pub(super) id: Option<IntentId>,
    pub(super) limit: usize,
}

impl OutboxFilter {
    /// The first hundred rows, in the order of insertion.
    pub fn new() -> Self {
        Self { state: None, queue: None, task: None, id: None, limit: 100 }
    }

    /// Those in this state.
    pub fn state(self, state: OutboxState) -> Self {
        Self { state: Some(state), ..self }
    }

    /// Those of this queue.
    pub fn queue(self, queue: impl Into<String>) -> Self {
        Self { queue: Some(queue.into()), ..self }
    }

    /// Those of this task.
    pub fn task(self, task: impl Into<String>) -> Self {
        Self { task: Some(task.into()), ..self }
    }

    /// That of this intent.
    pub fn id(self, id: IntentId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// How many at most; 100 unless set.
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

impl Default for OutboxFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// A row, without its arguments.
#[derive(Clone)]
#[non_exhaustive]
pub struct OutboxRow {
    /// The intent's id.
    pub id: IntentId,
    /// What became of it.
    pub state: OutboxState,
    /// The task's name.
    pub task: String,
    /// Its queue.
    pub queue: String,
    /// 0 to 9, higher is sooner.
    pub priority: u8,
    /// How many runs have ended.
    pub attempts: u32,
    /// How many workers were lost with it.
    pub rescues: u32,
    /// When it may run, or might have.
    pub due: SystemTime,
    /// When it was written.
    pub enqueued: SystemTime,
    /// When it ended, if it has.
    pub ended: Option<SystemTime>,
    /// Where it was enqueued.
    pub location: Option<String>,
    /// The worker that claimed it last.
    pub worker: Option<String>,
    /// What its last failed run said.
    pub error: Option<String>,
}

impl fmt::Debug for OutboxRow {
    /// Who it is and how it fared. An error is in its task's own words, which are not for every log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxRow")
            .field("id", &format_args!("{}", self.id))
            .field("task", &self.task)
            .field("queue", &self.queue)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("rescues", &self.rescues)
            .finish_non_exhaustive()
    }
}
