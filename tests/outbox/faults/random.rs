//! Chance that can be had again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Numbers that follow from a seed (splitmix64).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The seed of the environment, or another one each time; printed, so that a failure can be had again.
    pub(super) fn seeded(what: &str) -> Self {
        let given = std::env::var("AIRLOCK_FAULT_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(what));
        println!("{what}: AIRLOCK_FAULT_SEED={seed}");
        Self(seed)
    }

    /// One that goes its own way from here.
    pub(super) fn after(other: &mut Self) -> Self {
        Self(other.below(u64::MAX))
    }

    /// A number below the limit.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(super) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).expect("few choices")]
    }
}
