//! How an intent of a scope ended.

use std::fmt;

use crate::context::Phase;
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::scope_info::ScopeInfo;

/// How one intent ended. Every intent of a scope ends in exactly one way.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// It was written into the transaction that has been committed.
    Written,
    /// The executor has it, and said so.
    Dispatched,
    /// A policy refused it in the flush.
    Dropped {
        /// The policy's name.
        policy: String,
    },
    /// A scope around took it over, and will judge it.
    Captured {
        /// That scope.
        scope: ScopeInfo,
    },
    /// Its scope ended badly.
    Discarded {
        /// In which way.
        reason: Discarded,
    },
    /// It was refused, could not be handed over, or ran and failed: see the error's kind.
    Failed {
        /// Why.
        error: DispatchError,
    },
    /// It was begun, and it isn't known whether it was accepted.
    Unconfirmed {
        /// What is known.
        error: DispatchError,
    },
    /// It was not begun.
    Unattempted {
        /// Why not.
        reason: Unattempted,
    },
}

impl Outcome {
    pub(crate) fn of_error(error: DispatchError) -> Self {
        if error.kind() == DispatchErrorKind::Unconfirmed {
            Self::Unconfirmed { error }
        } else {
            Self::Failed { error }
        }
    }

    /// Whether it was to escape and did not, or may not have.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Unconfirmed { .. } | Self::Unattempted { .. })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => f.write_str("written"),
            Self::Dispatched => f.write_str("dispatched"),
            Self::Dropped { policy } => write!(f, "dropped by {policy}"),
            Self::Captured { scope } => match scope.name() {
                Some(name) => write!(f, "captured by scope `{name}`"),
                None => write!(f, "captured by {scope}"),
            },
            Self::Discarded { reason } => write!(f, "discarded: {reason}"),
            Self::Failed { error } | Self::Unconfirmed { error } => write!(f, "{error}: {}", error.reason()),
            Self::Unattempted { reason } => write!(f, "unattempted: {reason}"),
        }
    }
}

/// Why a scope's intents were discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discarded {
    /// The body returned an error.
    BodyFailed,
    /// The body panicked.
    Panicked,
    /// The guard, the future or the sealed scope was dropped.
    Dropped,
    /// The code said so.
    ByHand,
    /// The lifecycle said so after a success.
    ByLifecycle,
    /// The scope that was to capture them had been discarded.
    ParentDiscarded,
}

impl fmt::Display for Discarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodyFailed => "the body failed",
            Self::Panicked => "the body panicked",
            Self::Dropped => "dropped before its end",
            Self::ByHand => "by hand",
            Self::ByLifecycle => "by the lifecycle",
            Self::ParentDiscarded => "parent discarded",
        })
    }
}

/// Why an intent was not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unattempted {
    /// An earlier one failed, and the scope fails fast.
    FailedFast,
    /// The executor was unavailable for an earlier one.
    Unavailable,
    /// The flush's deadline passed.
    Deadline,
    /// The executor stopped asking for more.
    ExecutorEnded,
    /// The executor panicked.
    ExecutorPanicked(String),
    /// The flush's future was dropped.
    Cancelled,
    /// Another intent of the flush was refused.
    OtherRefused,
    /// A policy or lifecycle panicked.
    JudgePanicked(String),
    /// The scope that was to capture it had ended already.
    ParentEnded(Phase),
    /// The transaction that it belongs to was not committed.
    NotCommitted,
}

impl fmt::Display for Unattempted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailedFast => f.write_str("an earlier one failed, and the scope fails fast"),
            Self::Unavailable => f.write_str("the executor was unavailable for an earlier one"),
            Self::Deadline => f.write_str("the deadline passed"),
            Self::ExecutorEnded => f.write_str("the executor ended early"),
            Self::ExecutorPanicked(message) => write!(f, "the executor panicked: {message}"),
            Self::Cancelled => f.write_str("the flush was dropped"),
            Self::OtherRefused => f.write_str("another intent of this flush was refused"),
            Self::JudgePanicked(message) => f.write_str(message),
            Self::NotCommitted => f.write_str("the transaction was not committed"),
            Self::ParentEnded(phase) => {
                write!(f, "the scope around had ended before ({})", format!("{phase:?}").to_lowercase())
            }
        }
    }
}

/// How many intents ended in which way. They add up to `enqueued`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the outcome of its name")]
pub struct Counts {
    pub enqueued: usize,
    pub written: usize,
    pub dispatched: usize,
    pub dropped: usize,
    pub captured: usize,
    pub discarded: usize,
    pub failed: usize,
    pub unconfirmed: usize,
    pub unattempted: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        self.add_many(outcome, 1);
    }

    pub(crate) fn add_many(&mut self, outcome: &Outcome, count: usize) {
        self.enqueued += count;
        *match outcome {
            Outcome::Written => &mut self.written,
            Outcome::Dispatched => &mut self.dispatched,
            Outcome::Dropped { .. } => &mut self.dropped,
            Outcome::Captured { .. } => &mut self.captured,
            Outcome::Discarded { .. } => &mut self.discarded,
            Outcome::Failed { .. } => &mut self.failed,
            Outcome::Unconfirmed { .. } => &mut self.unconfirmed,
            Outcome::Unattempted { .. } => &mut self.unattempted,
        } += count;
    }
}

impl fmt::Display for Counts {
    /// `3 enqueued: 2 dispatched, 1 dropped`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} enqueued", self.enqueued)?;
        let named = [
            (self.written, "written"),
            (self.dispatched, "dispatched"),
            (self.dropped, "dropped"),
            (self.captured, "captured"),
            (self.discarded, "discarded"),
            (self.failed, "failed"),
            (self.unconfirmed, "unconfirmed"),
            (self.unattempted, "unattempted"),
        ];
        for (index, (count, name)) in named.iter().filter(|(count, _)| *count > 0).enumerate() {
            write!(f, "{} {count} {name}", if index == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}
