//! A point in time after which waiting ends.

use std::time::{Duration, Instant};

/// A point in time after which waiting ends, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline: wait as long as it takes.
    pub const NONE: Self = Self(None);

    /// This long from now.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now().checked_add(duration))
    }

    /// At this instant.
    #[must_use]
    pub fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// The instant, if there is a deadline.
    #[must_use]
    pub fn instant(self) -> Option<Instant> {
        self.0
    }

    /// How much time is left: zero when it has passed, `None` without a deadline.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|instant| instant.saturating_duration_since(Instant::now()))
    }

    /// A little sooner, so that there is time left to say what happened.
    pub(crate) fn with_margin(self) -> Self {
        /// What is kept back, at most.
        const SPARE: Duration = Duration::from_millis(100);
        self.remaining().map_or(self, |left| Self::after(left - (left / 20).min(SPARE)))
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.0.is_some_and(|instant| instant <= Instant::now())
    }
}
