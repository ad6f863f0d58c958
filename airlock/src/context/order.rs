//! The order of the enqueue calls in all scopes under one root.

use super::sync::{AtomicU64, Ordering};

/// How many of an order's bits count within a run.
const PLACE_BITS: u32 = 24;
const LAST_PLACE: u64 = (1 << PLACE_BITS) - 1;

/// Gives each intent its order: the run it belongs to, and its place in that. A scope's run lasts until another scope
/// under the same root begins one, so a scope that enqueues by itself reads the shared counter and need not write it.
#[derive(Debug, Default)]
pub(crate) struct Runs(AtomicU64);

impl Runs {
    /// The order after `last`, which is the one this scope got before, or 0. Called under that scope's lock.
    pub(crate) fn next(&self, last: u64) -> u64 {
        let current = self.0.load(Ordering::Relaxed);
        if current != 0 && last >> PLACE_BITS == current && last & LAST_PLACE != LAST_PLACE {
            return last + 1;
        }
        (self.0.fetch_add(1, Ordering::Relaxed) + 1) << PLACE_BITS
    }
}
