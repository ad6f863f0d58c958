//! The running account of one flush.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::frame::{Frame, nearest_scope};
use super::report::{Counts, FlushReport, Outcome, ReportEntry};
use crate::error::Failure;
use crate::intent::Intent;

/// Counts every intent; keeps the outcome of each if a report was asked for, and of the troubled ones in any case.
#[derive(Debug)]
pub(crate) struct Tally {
    frame: Arc<Frame>,
    reported: bool,
    counts: Counts,
    entries: Vec<ReportEntry>,
    executor: Option<String>,
    started: Instant,
}

impl Tally {
    pub(crate) fn new(frame: &Arc<Frame>, reported: bool) -> Self {
        Self {
            frame: Arc::clone(frame),
            reported,
            counts: Counts::default(),
            entries: Vec::new(),
            executor: None,
            started: Instant::now(),
        }
    }

    pub(crate) fn is_reported(&self) -> bool {
        self.reported
    }

    pub(crate) fn handed_to(&mut self, executor: &str) {
        self.executor = Some(match self.executor.take() {
            None => executor.to_owned(),
            Some(first) => format!("{first}, then {executor}"),
        });
    }

    /// One intent and how it ended; the intent goes on into the report or is dropped.
    pub(crate) fn add(&mut self, intent: Intent, outcome: impl FnOnce() -> Outcome) {
        let outcome = outcome();
        self.counts.add(&outcome);
        if self.reported || outcome.is_trouble() {
            self.entries.push(ReportEntry::of(intent, outcome));
        }
    }

    /// Intents that ended well and of which nobody wants to know more.
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

    pub(crate) fn into_report(mut self) -> FlushReport {
        self.entries.sort_by_key(ReportEntry::order);
        FlushReport {
            counts: self.counts,
            entries: self.entries,
            complete: self.reported,
            executor: self.executor,
            duration: self.started.elapsed(),
            own: nearest_scope(Some(&self.frame)).cloned(),
        }
    }
}
