//! What becomes of claimed rows: they run here, or are handed on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::attempt::{FinishedRow, ReadyRow};

/// Takes claimed rows, and gives back how each has ended.
pub(super) trait RowRunner: Send + Sync {
    /// How many more rows it would take now.
    fn room(&self) -> usize;

    /// How full it is.
    fn occupancy(&self) -> Occupancy;

    /// The names of the tasks of which it takes rows, as JSON, if they are not those of the worker's claims.
    fn tasks(&self) -> Option<Arc<str>> {
        None
    }

    /// Those of the tasks of which it takes one row, to see what becomes of it.
    fn probe(&self) -> Option<Arc<str>> {
        None
    }

    /// Begins with the row that it has asked for, or hears that there is none.
    fn add_probe(&self, rows: Vec<ReadyRow>) {
        let _ = rows;
    }

    /// Begins with the rows, in their order.
    fn add(self: Arc<Self>, rows: Vec<ReadyRow>);

    /// Takes out what has ended.
    fn take_finished(&self) -> Vec<FinishedRow>;

    /// Takes out what has not started, to be handed back.
    fn take_ready(&self) -> Vec<FinishedRow>;

    /// The same, if it has waited for longer than that: the rows before it have become slow.
    fn take_overdue(&self, longest: Duration) -> Vec<FinishedRow>;

    /// Is told when a row has ended, or there is room.
    fn changed(&self) -> &Notify;

    /// Whether there may be more rows for it than there were.
    fn take_news(&self) -> bool {
        false
    }

    /// When it asks for the next row to be tried, if it does.
    fn rests_until(&self) -> Option<Instant> {
        None
    }

    /// Ends what can be ended.
    fn stop(&self) {}
}

/// How many rows are where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occupancy {
    pub(super) ready: usize,
    pub(super) running: usize,
    pub(super) finished: usize,
}
