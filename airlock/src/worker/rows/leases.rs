//! The rows that a worker holds.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::outbox::RowKey;

/// All rows of one worker, from their claim until their end is recorded.
#[derive(Debug, Default)]
pub(super) struct Leases {
    rows: Mutex<HashMap<Arc<str>, Arc<HeldRow>>>,
}

/// A row that is held, and whether its run is to go on.
#[derive(Debug)]
pub(super) struct HeldRow {
    pub(super) key: RowKey,
    stop: AtomicU8,
    stopped: Notify,
}

/// Why a run is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopReason {
    /// The row is another worker's, or was called off.
    Lost = 1,
    /// The worker ends, and hands it back.
    Shutdown = 2,
}

impl Leases {
    pub(super) fn hold(&self, key: RowKey) -> Arc<HeldRow> {
        let id = Arc::clone(&key.id);
        let row = Arc::new(HeldRow { key, stop: AtomicU8::new(0), stopped: Notify::new() });
        let replaced = self.lock().insert(id, Arc::clone(&row));
        // Its lease had ended, and this worker has claimed it again.
        replaced.inspect(|replaced| replaced.stop(StopReason::Lost));
        row
    }

    /// The end of its run is recorded, or can't be.
    pub(super) fn end(&self, key: &RowKey) {
        let mut rows = self.lock();
        let Entry::Occupied(row) = rows.entry(Arc::clone(&key.id)) else { return };
        // The row may have been claimed again meanwhile.
        if row.get().key == *key {
            row.remove();
        }
    }

    /// Those of the rows whose lease is not known to be lost, in the order in which they lie in the table.
    pub(super) fn keys(&self) -> Vec<RowKey> {
        let rows = self.lock();
        let held = rows.values().filter(|row| row.stop_reason() != Some(StopReason::Lost));
        let mut keys: Vec<_> = held.map(|row| row.key.clone()).collect();
        drop(rows);
        keys.sort_unstable_by_key(|key| key.seq);
        keys
    }

    /// The lease of the row is lost.
    pub(super) fn lose(&self, key: &RowKey) {
        let row = self.lock().get(&key.id).filter(|row| row.key == *key).cloned();
        if let Some(row) = row {
            row.stop(StopReason::Lost);
        }
    }

    /// All that runs is to stop, as far as it can.
    pub(super) fn stop_all(&self) {
        let rows: Vec<_> = self.lock().values().cloned().collect();
        rows.iter().for_each(|row| row.stop(StopReason::Shutdown));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<HeldRow>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldRow {
    fn stop(&self, reason: StopReason) {
        let _ = self.stop.compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Relaxed);
        self.stopped.notify_one();
    }

    /// Why its run is to stop, if it is.
    pub(super) fn stop_reason(&self) -> Option<StopReason> {
        match self.stop.load(Ordering::Acquire) {
            1 => Some(StopReason::Lost),
            2 => Some(StopReason::Shutdown),
            _ => None,
        }
    }

    /// Waits until it is to stop. One future at a time waits.
    pub(super) async fn stopped(&self) -> StopReason {
        loop {
            if let Some(reason) = self.stop_reason() {
                return reason;
            }
            self.stopped.notified().await;
        }
    }
}
