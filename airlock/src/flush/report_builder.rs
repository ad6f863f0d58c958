//! The running account of one flush.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::report::{FlushReport, ReportEntry};
use super::{Counts, Outcome};
use crate::context::frame::{Frame, nearest_scope};
use crate::intent::{Failure, Intent};

/// Counts every intent; keeps the outcome of each if a report was asked for, and of the troubled ones in any case.
#[derive(Debug)]
pub(crate) struct ReportBuilder {
    reported: bool,
    counts: Counts,
    entries: Vec<ReportEntry>,
    executor: Option<Cow<'static, str>>,
    started: Instant,
}

impl ReportBuilder {
    pub(crate) fn new(reported: bool) -> Self {
        Self { reported, counts: Counts::default(), entries: Vec::new(), executor: None, started: Instant::now() }
    }

    pub(crate) fn is_reported(&self) -> bool {
        self.reported
    }

    pub(crate) fn handed_to(&mut self, executor: Cow<'static, str>) {
        self.executor = Some(match self.executor.take() {
            None => executor,
            // Its first share was written into a transaction.
            Some(same) if same == executor => same,
            Some(first) => format!("{first}, then {executor}").into(),
        });
    }

    /// One intent and how it ended; the intent goes on into the report or is dropped.
    pub(crate) fn add(&mut self, intent: Intent, outcome: impl FnOnce() -> Outcome) {
        let outcome = outcome();
        self.counts.add(&outcome);
        if self.reported || outcome.is_failure() {
            self.entries.push(ReportEntry::of(intent, outcome));
        }
    }

    /// Intents that ended well, where no report was asked for.
    pub(crate) fn add_unseen(&mut self, outcome: &Outcome, count: usize) {
        self.counts.add_many(outcome, count);
    }

    /// An intent that moved into its task.
    pub(crate) fn add_moved(&mut self, failure: &Failure, outcome: Outcome) {
        self.counts.add(&outcome);
        self.entries.push(ReportEntry::moved(failure, outcome));
    }

    /// How long the last one took that was added.
    pub(crate) fn time_last(&mut self, time: Duration) {
        if let Some(entry) = self.entries.last_mut().filter(|_| self.reported) {
            entry.time = Some(time);
        }
    }

    /// The account so far, as the report of the scope `frame`. Not made for those who would only drop it: taking the
    /// time costs as much as a small task.
    pub(crate) fn take_report(&mut self, frame: &Arc<Frame>) -> FlushReport {
        self.entries.sort_by_key(ReportEntry::order);
        FlushReport {
            counts: self.counts,
            entries: mem::take(&mut self.entries),
            complete: self.reported,
            executor: self.executor.take(),
            duration: self.started.elapsed(),
            own: nearest_scope(Some(frame)).cloned(),
        }
    }
}
