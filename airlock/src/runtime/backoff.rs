//! Pauses between attempts.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(20);
const MOST: Duration = Duration::from_secs(1);

/// Pauses that grow, each drawn anew from nothing to what it has grown to ("full jitter").
#[derive(Debug)]
pub(crate) struct Pauses {
    up_to: Duration,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Self { up_to: FIRST }
    }

    /// How long to wait now.
    pub(crate) fn next(&mut self) -> Duration {
        let up_to = self.up_to;
        self.up_to = (up_to * 2).min(MOST);
        full_jitter(up_to)
    }
}

/// Any time up to the bound, so that many that fail together don't try again together.
pub(crate) fn full_jitter(bound: Duration) -> Duration {
    // Each state is seeded anew, which is all the chance that is needed here.
    let chance = RandomState::new().hash_one(0_u8);
    bound.mul_f64(chance as f64 / u64::MAX as f64)
}
