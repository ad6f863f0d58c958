//! What became of each intent.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::{Counts, Outcome, tree};
use crate::context::frame::Frame;
use crate::intent::{Failure, Intent, IntentId};
use crate::scope_info::ScopeInfo;

/// One intent of a report.
#[derive(Debug, Clone)]
pub struct ReportEntry {
    id: IntentId,
    name: &'static str,
    location: &'static Location<'static>,
    outcome: Outcome,
    intent: Option<Intent>,
    pub(crate) time: Option<Duration>,
}

impl ReportEntry {
    pub(crate) fn of(intent: Intent, outcome: Outcome) -> Self {
        let (id, name, location) = (intent.id(), intent.name(), intent.location());
        Self { id, name, location, outcome, intent: Some(intent), time: None }
    }

    pub(crate) fn moved(failure: &Failure, outcome: Outcome) -> Self {
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
    pub(crate) fn order(&self) -> u64 {
        self.intent.as_ref().map_or(u64::MAX, |intent| intent.order)
    }
}

impl fmt::Display for ReportEntry {
    /// ``send_email (src/orders.rs:12:9): unavailable: connection refused``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.name, self.location, self.outcome)
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
    pub(crate) counts: Counts,
    pub(crate) entries: Vec<ReportEntry>,
    pub(crate) complete: bool,
    pub(crate) executor: Option<Cow<'static, str>>,
    pub(crate) duration: Duration,
    pub(crate) own: Option<Arc<Frame>>,
}

impl FlushReport {
    /// The scope.
    ///
    /// # Panics
    /// Never: a report is always one of a scope.
    #[must_use]
    pub fn scope(&self) -> &ScopeInfo {
        match self.own.as_ref().and_then(|frame| frame.as_scope()) {
            Some(scope) => scope.info(),
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
