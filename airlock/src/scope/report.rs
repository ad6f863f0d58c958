//! What became of each intent.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::buffer::Phase;
use super::core::ScopeInfo;
use super::frame::Frame;
use super::tree;
use crate::error::{DispatchError, DispatchErrorKind, Failure};
use crate::intent::{Intent, IntentId};

/// How one intent ended. Every intent of a scope ends in exactly one way.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
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
    /// It was begun, and nobody knows whether it was accepted.
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
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Unconfirmed { .. } | Self::Unattempted { .. })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
    pub dispatched: usize,
    pub dropped: usize,
    pub captured: usize,
    pub discarded: usize,
    pub failed: usize,
    pub unconfirmed: usize,
    pub unattempted: usize,
}

impl Counts {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.add_many(outcome, 1);
    }

    pub(super) fn add_many(&mut self, outcome: &Outcome, count: usize) {
        self.enqueued += count;
        *match outcome {
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

/// One intent of a report.
#[derive(Debug, Clone)]
pub struct ReportEntry {
    id: IntentId,
    name: &'static str,
    location: &'static Location<'static>,
    outcome: Outcome,
    intent: Option<Intent>,
    pub(super) time: Option<Duration>,
}

impl ReportEntry {
    pub(super) fn of(intent: Intent, outcome: Outcome) -> Self {
        let (id, name, location) = (intent.id(), intent.name(), intent.location());
        Self { id, name, location, outcome, intent: Some(intent), time: None }
    }

    pub(super) fn moved(failure: &Failure, outcome: Outcome) -> Self {
        Self { id: failure.id, name: failure.name, location: failure.location, outcome, intent: None, time: None }
    }

    /// The intent's id.
    #[must_use]
    pub fn id(&self) -> IntentId {
        self.id
    }

    /// The task's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it was enqueued.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The intent, unless it moved into its task.
    #[must_use]
    pub fn intent(&self) -> Option<&Intent> {
        self.intent.as_ref()
    }

    /// How long its dispatch took, if the scope takes [`timings`](crate::ScopeBuilder::timings).
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Its place among its siblings; those that moved into their tasks stay behind the others.
    pub(super) fn order(&self) -> u64 {
        self.intent.as_ref().map_or(u64::MAX, |intent| intent.order)
    }
}

/// What a flush, or the lack of one, did with each intent.
///
/// `Display` is a tree: the scope, its intents with what became of them and where they were enqueued, nested scopes,
/// and the counts. It shows no argument values unless asked to [`with_arguments`](Self::with_arguments).
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// let ended = airlock::scope().name("migration").policy(airlock::DropAll).run_reported(|| {
///     send_email::enqueue(42).map(drop)
/// });
/// let report = ended.flush?;
/// assert!(report.to_string().contains("send_email: dropped by DropAll"));
/// assert!(report.with_arguments().to_string().contains("send_email(order_id=42): dropped by DropAll"));
/// # Ok::<(), airlock::FlushError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FlushReport {
    pub(super) counts: Counts,
    pub(super) entries: Vec<ReportEntry>,
    pub(super) complete: bool,
    pub(super) executor: Option<Cow<'static, str>>,
    pub(super) duration: Duration,
    pub(super) own: Option<Arc<Frame>>,
}

impl FlushReport {
    /// The scope.
    ///
    /// # Panics
    /// Never: a report is always one of a scope.
    #[must_use]
    pub fn scope(&self) -> &ScopeInfo {
        match self.own.as_ref().and_then(|frame| frame.as_scope()) {
            Some(core) => core.info(),
            None => unreachable!("a report is made for a scope"),
        }
    }

    /// How many intents ended in which way.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The intents with their outcomes, in order: all of them from `flush` and `run_reported`, the troubled ones
    /// from `run`.
    #[must_use]
    pub fn entries(&self) -> &[ReportEntry] {
        &self.entries
    }

    /// Whether every intent is in [`entries`](Self::entries), or only the troubled ones.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The executor that was handed something.
    #[must_use]
    pub fn executor(&self) -> Option<&str> {
        self.executor.as_deref()
    }

    /// How long judging and handing over took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// The tree with argument values, except those marked `#[redact]`.
    pub fn with_arguments(&self) -> impl fmt::Display {
        tree::Tree { report: self, arguments: true }
    }
}

impl fmt::Display for FlushReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tree::Tree { report: self, arguments: false }.fmt(f)
    }
}
