//! Tasks that an executor doesn't take now: none of their rows is claimed but one, now and then, to see whether it does again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::registry::{names_of, registry};
use crate::runtime::Pauses;

/// How soon a task is tried again, at the least.
const SHORTEST: Duration = Duration::from_millis(10);

/// By the name of the task.
#[derive(Debug, Default)]
pub(super) struct RestingTasks(BTreeMap<&'static str, Rest>);

#[derive(Debug)]
struct Rest {
    until: Instant,
    pauses: Pauses,
}

impl RestingTasks {
    /// None of the rows of the task was taken.
    pub(super) fn rest(&mut self, task: &'static str) {
        let now = Instant::now();
        let rest = self.0.entry(task).or_insert_with(|| Rest { until: now, pauses: Pauses::new() });
        rest.until = now + rest.pauses.next().max(SHORTEST);
    }

    /// The task is taken. Whether it rested.
    pub(super) fn end(&mut self, task: &str) -> bool {
        self.0.remove(task).is_some()
    }

    /// The task that was to be tried has no rows. Whether there was one.
    pub(super) fn end_next(&mut self) -> bool {
        let next = self.next();
        next.is_some_and(|task| self.end(task))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is no other task.
    pub(super) fn are_all(&self) -> bool {
        !self.is_empty() && registry().iter().all(|task| self.0.contains_key(task.name))
    }

    /// The names of all other tasks as JSON, if some rest.
    pub(super) fn others(&self) -> Option<Arc<str>> {
        (!self.is_empty()).then(|| names_of(|task| !self.0.contains_key(task.name)).into())
    }

    /// The names of the task of which one row is to be tried now.
    pub(super) fn next_probe(&self, now: Instant) -> Option<Arc<str>> {
        let next = self.next().filter(|task| self.0[task].until <= now)?;
        Some(names_of(|task| task.name == next).into())
    }

    /// When there is one.
    pub(super) fn until(&self) -> Option<Instant> {
        self.0.values().map(|rest| rest.until).min()
    }

    fn next(&self) -> Option<&'static str> {
        self.0.iter().min_by_key(|(_, rest)| rest.until).map(|(task, _)| *task)
    }
}
