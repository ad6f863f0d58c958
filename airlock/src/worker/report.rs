//! What a worker has done.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a worker has done since it started: what [`Worker::run_until`](crate::Worker::run_until) gives at its end, and
/// [`WorkerCounters::now`] before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerReport {
    /// Rows that ended *done*.
    pub done: u64,
    /// Runs that failed and are tried again.
    pub retried: u64,
    /// Rows that ended *dead*: failed for good, or lost too many workers.
    pub dead: u64,
    /// Rows that were past their expiry when their turn came.
    pub expired: u64,
    /// Runs whose lease was lost before their end was recorded: cancelled, or rescued by another worker.
    pub stale: u64,
    /// Rows of lost workers that were given back.
    pub rescued: u64,
    /// Rows that were claimed and handed back without an attempt, at the shutdown for one.
    pub released: u64,
    /// Runs of plain functions that went on when the worker ended, or rows that a relay was handing on. They are rescued when their leases end.
    pub abandoned: u64,
}

impl fmt::Display for WorkerReport {
    /// `3 done, 1 retried`: what there is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.done, "done"),
            (self.retried, "retried"),
            (self.dead, "dead"),
            (self.expired, "expired"),
            (self.stale, "stale"),
            (self.rescued, "rescued"),
            (self.released, "released"),
            (self.abandoned, "abandoned"),
        ];
        let told: Vec<_> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if told.is_empty() { f.write_str("nothing was run") } else { f.write_str(&told.join(", ")) }
    }
}

/// What a worker is counting: [`Worker::counters`](crate::Worker::counters).
#[derive(Debug, Clone, Default)]
pub struct WorkerCounters(Arc<AtomicCounts>);

#[derive(Debug, Default)]
struct AtomicCounts([AtomicU64; 8]);

/// What is counted, in the order of the report's fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunCount {
    Done,
    Retried,
    Dead,
    Expired,
    Stale,
    Rescued,
    Released,
    Abandoned,
}

impl WorkerCounters {
    /// The counts of this moment.
    #[must_use]
    pub fn now(&self) -> WorkerReport {
        let [done, retried, dead, expired, stale, rescued, released, abandoned] =
            std::array::from_fn(|at| self.0.0[at].load(Ordering::Relaxed));
        WorkerReport { done, retried, dead, expired, stale, rescued, released, abandoned }
    }

    pub(super) fn add(&self, what: RunCount, count: usize) {
        self.0.0[what as usize].fetch_add(count as u64, Ordering::Relaxed);
    }
}
