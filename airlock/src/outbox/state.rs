//! What became of a row.

use std::fmt;

/// The state of a row, as the table has it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OutboxState {
    /// It is to run, now or when it is due.
    Waiting,
    /// A worker has it, and runs it or is about to.
    Running,
    /// It ran and ended well.
    Done,
    /// It failed for good: its last attempt, or one that says so; or it lost too many workers.
    Dead,
    /// It was past its expiry when its turn came.
    Expired,
    /// It was called off.
    Cancelled,
}

impl OutboxState {
    /// In the order in which a row may go through them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Waiting, Self::Running, Self::Done, Self::Dead, Self::Expired, Self::Cancelled];

    /// The word in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for OutboxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
