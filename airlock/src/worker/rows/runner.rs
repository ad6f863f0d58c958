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

    /// Until when it wants no rows, if it does.
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
