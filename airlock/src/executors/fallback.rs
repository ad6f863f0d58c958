//! Another one if the first can't be reached.

use std::fmt;

use super::batch::Divided;
use super::ledger::{Attempt, Go, Left};
use super::{Batch, BoxFuture, Deadline, Ending, Executor, ExecutorTraits, FlushContext, Rejection, Unfinished};
use crate::error::DispatchErrorKind;
use crate::intent::Intent;

/// Hands to a second executor what the first could not take because it was unavailable.
///
/// It accepts what both accept, and moves on for `Unavailable` alone, with what was held back because of it: what may
/// have been accepted by the first is not given to the second. The order stays: nothing is moved on before the first
/// has ended. A first executor that hangs uses up the flush's deadline, and then nothing is left for the second.
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
}

impl<A: Executor, B: Executor> Fallback<A, B> {
    /// The first, and the one for when it is unavailable.
    pub fn new(first: A, second: B) -> Self {
        let name = format!("fallback({}, {})", first.name(), second.name());
        Self { first, second, name }
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
            let Divided { ledger, timings, items } = batch.divide();
            let (first, batch) = Attempt::new(&ledger, items, Go::OneOfSeveral, timings);
            self.first.dispatch(batch).await;
            let left = first.finish(Ending::Returned);
            let moves_on = |left: Left| matches!(left, Left::HeldBack | Left::Failed(DispatchErrorKind::Unavailable));
            if left.iter().any(|(_, _, left)| matches!(left, Left::Failed(_)) && !moves_on(*left)) {
                ledger.fail_fast();
            }
            let unavailable = left.iter().any(|(_, _, left)| *left == Left::Failed(DispatchErrorKind::Unavailable));
            if !unavailable || ledger.is_stopped() {
                return;
            }
            let items = left.into_iter().filter(|(_, _, left)| moves_on(*left)).map(|(at, intent, _)| (at, intent));
            let (second, batch) = Attempt::new(&ledger, items.collect(), Go::Only, timings);
            self.second.dispatch(batch).await;
            second.finish(Ending::Returned);
        })
    }

    fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
        super::join::shutdown_all(vec![&self.first, &self.second], deadline)
    }

    fn traits(&self) -> ExecutorTraits {
        let (first, second) = (self.first.traits(), self.second.traits());
        ExecutorTraits {
            takes_local: first.takes_local && second.takes_local,
            no_deadline: first.no_deadline && second.no_deadline,
            inline: false,
            gives_back: false,
        }
    }
}

impl<A, B> fmt::Debug for Fallback<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fallback").field(&self.name).finish()
    }
}
