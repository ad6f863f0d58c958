//! How long a run that failed waits for the next one.

use std::time::Duration;

use crate::runtime::full_jitter;

/// Pauses between the runs of a task that fails, each drawn from nothing to what it has grown to, so that many that fail
/// together don't come back together.
///
/// ```
/// use std::time::Duration;
/// use airlock::Backoff;
///
/// let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(3600));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// The first pause is at most `first`, and each may be twice as long as the one before, up to `longest`.
    #[must_use]
    pub const fn exponential(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after so many failed runs before this one.
    pub(super) fn pause(self, failed_before: u32) -> Duration {
        let factor = 2_u32.checked_pow(failed_before).unwrap_or(u32::MAX);
        full_jitter(self.first.saturating_mul(factor).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_no_further() {
        let backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1));
        for (failed, most) in [(0, 100), (1, 200), (2, 400), (3, 800), (4, 1000), (5, 1000), (u32::MAX, 1000)] {
            let pauses: Vec<_> = (0..100).map(|_| backoff.pause(failed)).collect();
            assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(most)), "{failed}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(most / 2)), "{failed}: {pauses:?}");
        }
    }
}
