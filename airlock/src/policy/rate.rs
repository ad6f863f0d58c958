//! A limit on how many intents escape in a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Policy;
use crate::intent::Intent;

/// Lets `limit` intents escape at once and as many again in each `per`; drops the rest.
///
/// The bucket is shared by clones, so a limit stays one limit however many scopes use it.
///
/// ```
/// use std::time::Duration;
/// use airlock::RateLimit;
///
/// let ten_a_minute = RateLimit::new(10, Duration::from_secs(60));
/// # let _ = ten_a_minute;
/// ```
#[derive(Debug, Clone)]
pub struct RateLimit {
    burst: f64,
    per: Duration,
    bucket: Arc<Mutex<Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl RateLimit {
    /// `limit` intents in each `per`. A limit of 0 drops everything; a `per` of zero limits nothing.
    #[must_use]
    pub fn new(limit: u32, per: Duration) -> Self {
        let burst = f64::from(limit);
        Self { burst, per, bucket: Arc::new(Mutex::new(Bucket { tokens: burst, filled: Instant::now() })) }
    }

    fn take(&self, now: Instant) -> bool {
        if self.per.is_zero() {
            return self.burst > 0.0;
        }
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let periods = now.saturating_duration_since(bucket.filled).div_duration_f64(self.per);
        bucket.tokens = (bucket.tokens + periods * self.burst).min(self.burst);
        bucket.filled = bucket.filled.max(now);
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

impl Policy for RateLimit {
    fn name(&self) -> &str {
        "RateLimit"
    }

    fn allows(&self, _intent: &Intent) -> bool {
        self.take(Instant::now())
    }

    fn judges_enqueue(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_fills_with_time_up_to_the_limit_and_is_shared_by_clones() {
        let limit = RateLimit::new(2, Duration::from_secs(1));
        let clone = limit.clone();
        let start = Instant::now();
        assert!(limit.take(start) && clone.take(start), "two at once");
        assert!(!limit.take(start) && !clone.take(start), "the third is over the limit, through either clone");
        let half = start + Duration::from_millis(501);
        assert!(clone.take(half), "half a period gives one of two");
        assert!(!limit.take(half));
        let later = start + Duration::from_secs(60);
        assert!(limit.take(later) && limit.take(later), "an idle minute fills the bucket");
        assert!(!limit.take(later), "but not past its size");
    }
}
