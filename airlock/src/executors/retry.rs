//! Once more, a little later.

use std::fmt;
use std::time::{Duration, Instant};

use super::batch::SplitBatch;
use super::ledger::{AttemptOutcome, SubBatch, Tries};
use super::{Batch, Capabilities, DispatchEnd, Executor, FlushContext, Unfinished, shut_down};
use crate::dispatch::{DispatchErrorKind, OpenTransaction, Rejection, SqlKind};
use crate::intent::Intent;
use crate::runtime::{BoxFuture, Deadline, full_jitter, timer};

/// Hands over once more what an executor could not take because it was unavailable, after a pause.
///
/// Only `Unavailable` is tried again, with what was held back because of it: the executor has not accepted those. What
/// is `Unconfirmed` may have been accepted, so that another try may run it twice: say
/// [`unconfirmed`](Self::unconfirmed) if tasks can bear that. A task that ran and failed is never run again.
///
/// Before the second try it waits a random time up to the first pause (50 ms), before each further one up to twice as
/// much as before, at most the longest pause (1 s): programs that lost the same broker don't come back all at once. It
/// never waits past the flush's deadline; a pause that would is not begun.
///
/// ```
/// use std::time::Duration;
/// use airlock::{LogExecutor, Retry};
///
/// let executor = Retry::new(LogExecutor::new()).attempts(5).pauses(Duration::from_millis(20), Duration::from_millis(500));
/// airlock::scope().executor(executor).run(|| {})?;
/// # Ok::<(), airlock::FlushError>(())
/// ```
#[must_use = "it does nothing until a scope has it as its executor"]
pub struct Retry<E> {
    executor: E,
    name: String,
    attempts: u32,
    first: Duration,
    longest: Duration,
    unconfirmed: bool,
}

impl<E: Executor> Retry<E> {
    /// Three attempts, the first one counted.
    pub fn new(executor: E) -> Self {
        let name = format!("retry({})", executor.name());
        let (first, longest) = (Duration::from_millis(50), Duration::from_secs(1));
        Self { executor, name, attempts: 3, first, longest, unconfirmed: false }
    }

    /// How often it tries, the first time counted; 1 never tries again, and so does 0.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The bounds of the random pauses: the one before the second attempt, and the longest.
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.first, self.longest) = (first, longest);
        self
    }

    /// Tries again what may have been accepted too, which may run it twice.
    pub fn unconfirmed(mut self) -> Self {
        self.unconfirmed = true;
        self
    }

    fn is_tried_again(&self, outcomes: AttemptOutcome) -> bool {
        match outcomes {
            AttemptOutcome::HeldBack | AttemptOutcome::Failed(DispatchErrorKind::Unavailable) => true,
            AttemptOutcome::Failed(DispatchErrorKind::Unconfirmed) => self.unconfirmed,
            AttemptOutcome::Failed(_)
            | AttemptOutcome::Done
            | AttemptOutcome::OutOfTime
            | AttemptOutcome::Unattempted => false,
        }
    }

    /// Before the next attempt.
    fn pause(&self, attempt: u32) -> Duration {
        let bound = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(self.longest);
        full_jitter(bound)
    }
}

impl<E: Executor> Executor for Retry<E> {
    fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.executor.accepts(intent, flush)
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let SplitBatch { ledger, timings, mut items } = batch.divide();
            for number in 1.. {
                let (attempt, batch) = SubBatch::new(&ledger, items, Tries::OneOfSeveral(ledger.deadline()), timings);
                // A panic is one of this executor, and nothing is tried again after it.
                self.executor.dispatch(batch).await;
                let outcomes = attempt.finish(DispatchEnd::Returned);
                // A failure that stays is one of the whole batch, which is what fail-fast looks at.
                let stays = |outcomes: AttemptOutcome| {
                    matches!(outcomes, AttemptOutcome::Failed(_)) && !self.is_tried_again(outcomes)
                };
                if outcomes.iter().any(|(_, _, outcomes)| stays(*outcomes)) {
                    ledger.fail_fast();
                }
                let failed = outcomes.iter().any(|(_, _, outcomes)| matches!(outcomes, AttemptOutcome::Failed(_)));
                items = outcomes
                    .into_iter()
                    .filter(|(_, _, outcomes)| self.is_tried_again(*outcomes))
                    .map(|(at, intent, _)| (at, intent))
                    .collect();
                if items.is_empty() || ledger.is_stopped() {
                    return;
                }
                let next = Instant::now() + self.pause(number);
                let too_late = ledger.deadline().instant().is_some_and(|deadline| deadline <= next);
                if number >= self.attempts || too_late || !failed {
                    return ledger.fail_fast();
                }
                timer::sleep_until(next).await;
            }
        })
    }

    /// Once: what a transaction refuses, it refuses again.
    fn write<'a>(&'a self, batch: Batch, transaction: &'a mut OpenTransaction<'_>) -> BoxFuture<'a, ()> {
        self.executor.write(batch, transaction)
    }

    fn writes_to(&self, intent: &Intent, kind: SqlKind) -> bool {
        self.executor.writes_to(intent, kind)
    }

    fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
        shut_down(&self.executor, deadline)
    }

    fn tables(&self) -> Vec<String> {
        self.executor.tables()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { inline: false, returns_unsent: false, keeps_deadlines: true, ..self.executor.capabilities() }
    }
}

impl<E> fmt::Debug for Retry<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("name", &self.name).field("attempts", &self.attempts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executors::LogExecutor;

    #[test]
    fn pauses_are_any_time_up_to_a_bound_that_doubles_up_to_the_longest() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(5));
        let retry = Retry::new(LogExecutor::new()).pauses(first, longest);
        for (attempt, bound) in [(1, 1), (2, 2), (3, 4), (4, 5), (40, 5), (u32::MAX, 5)] {
            let bound = Duration::from_secs(bound);
            let pauses: Vec<_> = (0..2000).map(|_| retry.pause(attempt)).collect();
            assert!(pauses.iter().all(|pause| *pause <= bound), "{attempt}");
            // Every tenth of it has its share, near 200.
            for tenth in 0..10 {
                let from = bound * tenth / 10;
                let count = pauses.iter().filter(|pause| **pause >= from && **pause < from + bound / 10).count();
                assert!(count > 100, "{attempt}: {count} of 2000 in tenth {tenth}");
            }
        }
    }
}
