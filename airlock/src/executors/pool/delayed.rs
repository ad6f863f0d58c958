//! Jobs whose time has not come.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

use super::jobs::PoolJob;
use crate::runtime::Deadline;
use crate::runtime::timer::AlarmClock;

/// By the time of their start, and in order of acceptance where that is the same.
#[derive(Debug, Default)]
pub(super) struct Delayed {
    jobs: BTreeMap<(Instant, u64), PoolJob>,
    alarm: AlarmClock,
}

impl Delayed {
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn insert(&mut self, at: SystemTime, job: PoolJob, alarm: &Waker) {
        // From here on it is the monotonic clock that counts: a wall clock that is set sets off no alarm.
        let wait = at.duration_since(SystemTime::now()).unwrap_or_default();
        let now = Instant::now();
        let start = now.checked_add(wait).unwrap_or_else(|| now + Duration::from_secs(1 << 32));
        let key = (start, job.number);
        self.jobs.insert(key, job);
        if self.jobs.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.alarm.set(start, alarm);
        }
    }

    pub(super) fn pop_due(&mut self) -> Option<PoolJob> {
        let first = self.jobs.first_entry()?;
        (first.key().0 <= Instant::now()).then(|| first.remove())
    }

    /// Has the alarm go off for the next one.
    pub(super) fn set_alarm(&mut self, alarm: &Waker) {
        match self.jobs.first_key_value() {
            Some((&(start, _), _)) => self.alarm.set(start, alarm),
            None => self.alarm.unset(),
        }
    }

    /// How many start after the deadline.
    pub(super) fn after(&self, deadline: Deadline) -> usize {
        deadline.instant().map_or(0, |deadline| self.jobs.range((deadline, u64::MAX)..).count())
    }

    pub(super) fn take_all(&mut self) -> Vec<PoolJob> {
        self.alarm.unset();
        std::mem::take(&mut self.jobs).into_values().collect()
    }
}
