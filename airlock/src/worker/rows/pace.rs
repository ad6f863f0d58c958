//! How fast runs end.

use std::time::{Duration, Instant};

/// Rows a second, as far as is known.
pub(super) struct Pace {
    since: Instant,
    ended: u64,
    /// Rows a second.
    rate: f64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), ended: 0, rate: 0.0 }
    }

    /// How many end in such a time.
    pub(super) fn within(&self, time: Duration) -> usize {
        (self.rate * time.as_secs_f64()) as usize
    }

    /// Counts over a few milliseconds at a time; the pace of before counts for half.
    pub(super) fn note(&mut self, ended: u64) {
        let took = self.since.elapsed();
        if took < Duration::from_millis(2) {
            return;
        }
        let rate = (ended - self.ended) as f64 / took.as_secs_f64();
        *self = Self { since: Instant::now(), ended, rate: (self.rate + rate) / 2.0 };
    }
}
