//! Another one if the first can't be reached.

use std::fmt;
use std::time::Duration;

use super::batch::SplitBatch;
use super::ledger::{AttemptOutcome, SubBatch, Tries};
use super::{Batch, Capabilities, DispatchEnd, Executor, FlushContext, Unfinished, drive};
use crate::dispatch::{DispatchErrorKind, OpenTransaction, Rejection, SqlKind};
use crate::intent::Intent;
use crate::runtime::{BoxFuture, Deadline};

/// Hands to a second executor what the first could not take because it was unavailable.
///
/// It accepts what both accept, and moves on with what was `Unavailable` and what was held back because of that: what
/// may have been accepted by the first is not given to the second. The order stays: nothing is moved on before the
/// first has ended.
///
/// A first executor that does not answer, or has no room, is left behind after half of the flush's time, or after what
/// [`move_on_after`](Self::move_on_after) says. What it has begun without saying how that went is then `Unconfirmed`,
/// and what it has not begun goes to the second. So give a first that is slow with much to send a longer time.
///
/// Three in a row are a fallback of a fallback.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::{DispatchError, Fallback, InlineExecutor, Intent};
///
/// let down = |_: Intent| Err(DispatchError::unavailable("connection refused"));
/// let executor = Fallback::new(down, InlineExecutor::new());
/// airlock::scope().executor(executor).run(|| send_email::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// # Ok::<(), airlock::Error>(())
/// ```
#[must_use = "it does nothing until a scope has it as its executor"]
pub struct Fallback<A, B> {
    first: A,
    second: B,
    name: String,
    first_has: Option<Duration>,
}

impl<A: Executor, B: Executor> Fallback<A, B> {
    /// The first, and the one for when it is unavailable.
    pub fn new(first: A, second: B) -> Self {
        let name = format!("fallback({}, {})", first.name(), second.name());
        Self { first, second, name, first_has: None }
    }

    /// How long the first has in each flush, at most up to the deadline; otherwise that is half of the flush's time, and
    /// without a deadline as long as it takes.
    pub fn move_on_after(mut self, time: Duration) -> Self {
        self.first_has = Some(time);
        self
    }

    /// When the first has had its time.
    fn until(&self, deadline: Deadline) -> Deadline {
        let time = self.first_has.or_else(|| deadline.remaining().map(|outcomes| outcomes / 2));
        match (time.map(Deadline::after), deadline.instant()) {
            (None, _) => deadline,
            (Some(own), Some(instant)) if own.instant().is_none_or(|own| own > instant) => deadline,
            (Some(own), _) => own,
        }
    }
}

impl<A: Executor, B: Executor> Executor for Fallback<A, B> {
    fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.first.accepts(intent, flush)?;
        self.second.accepts(intent, flush)
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let SplitBatch { ledger, timings, items } = batch.divide();
            let until = self.until(ledger.deadline());
            let (first, batch) = SubBatch::new(&ledger, items, Tries::OneOfSeveral(until), timings);
            let outcomes = first.finish(drive(&self.first, batch, until).await);
            if outcomes
                .iter()
                .any(|(_, _, outcomes)| matches!(outcomes, AttemptOutcome::Failed(_)) && !moves_on(*outcomes))
            {
                ledger.fail_fast();
            }
            if ledger.is_stopped() {
                return;
            }
            let items =
                outcomes.into_iter().filter(|(_, _, outcomes)| moves_on(*outcomes)).map(|(at, intent, _)| (at, intent));
            let items: Vec<_> = items.collect();
            if items.is_empty() {
                return;
            }
            let (second, batch) = SubBatch::new(&ledger, items, Tries::Only, timings);
            // A panic of the last one is a panic of this executor.
            self.second.dispatch(batch).await;
            second.finish(DispatchEnd::Returned);
        })
    }

    fn writes_to(&self, intent: &Intent, kind: SqlKind) -> bool {
        self.first.writes_to(intent, kind)
    }

    /// By the first alone: a database that doesn't answer can't commit either.
    fn write<'a>(&'a self, batch: Batch, transaction: &'a mut OpenTransaction<'_>) -> BoxFuture<'a, ()> {
        self.first.write(batch, transaction)
    }

    fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
        super::join::shutdown_all(vec![&self.first, &self.second], deadline)
    }

    fn tables(&self) -> Vec<String> {
        [self.first.tables(), self.second.tables()].concat()
    }

    fn capabilities(&self) -> Capabilities {
        let (first, second) = (self.first.capabilities(), self.second.capabilities());
        Capabilities {
            takes_local: first.takes_local && second.takes_local,
            no_deadline: first.no_deadline && second.no_deadline,
            runs_on_caller: first.runs_on_caller || second.runs_on_caller,
            accepts_by_task: first.accepts_by_task && second.accepts_by_task,
            keeps_deadlines: true,
            records_only: first.records_only && second.records_only,
            inline: false,
            returns_unsent: false,
            writes_rows: false,
            keeps_in_memory: first.keeps_in_memory || second.keeps_in_memory,
            records_some: first.records_some || second.records_some,
            all_or_nothing: first.all_or_nothing || second.all_or_nothing,
        }
    }
}

/// Whether the first is known not to have accepted it, for want of the first and not because of the intent.
fn moves_on(outcomes: AttemptOutcome) -> bool {
    matches!(
        outcomes,
        AttemptOutcome::HeldBack | AttemptOutcome::OutOfTime | AttemptOutcome::Failed(DispatchErrorKind::Unavailable)
    )
}

impl<A, B> fmt::Debug for Fallback<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fallback").field(&self.name).finish()
    }
}
