//! What happened to an intent so far, in one atomic beside its arguments.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

const TAKEN: u64 = 1;

/// Whether a scope has taken the intent (the lowest bit), and when it was first handed over (microseconds since 1970
/// above it; none while they are 0). Together they are as large as a flag beside a pointer is anyway.
#[derive(Debug)]
pub(crate) struct Marks(AtomicU64);

impl Marks {
    /// Those of an intent that no scope has. As a constant, which needs no call: what makes intents is compiled again for
    /// each type of arguments.
    #[allow(clippy::declare_interior_mutable_const, reason = "a new one is what each use of it asks for")]
    pub(crate) const NEW: Self = Self(AtomicU64::new(0));

    /// Those of an intent that is made for a scope.
    #[allow(clippy::declare_interior_mutable_const, reason = "a new one is what each use of it asks for")]
    pub(crate) const TAKEN: Self = Self(AtomicU64::new(TAKEN));

    /// Marks it as taken; false if it was before: the same intent in two places would run twice.
    pub(crate) fn claim(&self) -> bool {
        self.0.fetch_or(TAKEN, Ordering::Relaxed) & TAKEN == 0
    }

    pub(crate) fn release(&self) {
        self.0.fetch_and(!TAKEN, Ordering::Relaxed);
    }

    /// Notes the first hand-over; later ones change nothing.
    pub(crate) fn hand_over(&self, now: SystemTime) {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX).clamp(1, u64::MAX >> 1);
        let note = |marks: u64| (marks >> 1 == 0).then_some(marks | micros << 1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, note);
    }

    pub(crate) fn handed_over(&self) -> Option<SystemTime> {
        let micros = self.0.load(Ordering::Relaxed) >> 1;
        (micros != 0).then(|| SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros))).flatten()
    }
}
