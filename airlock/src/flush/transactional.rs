//! What a scope that is `transactional` doesn't let out.

use super::hand_over::Flush;
use super::{FlushError, Unattempted};
use crate::dispatch::Rejection;
use crate::executors::Executor;
use crate::intent::Intent;
use crate::text::redact::redact_text;

impl Flush {
    /// Refuses what a scope that is `transactional` holds and that is not written inside of its transaction, by its place,
    /// unless the executor only notes it.
    pub(super) fn refuse_outside(
        &mut self,
        executor: &dyn Executor,
        is_inside: impl Fn(usize) -> bool,
    ) -> Result<(), FlushError> {
        if !self.transactional || executor.capabilities().records_only {
            return Ok(());
        }
        let refused: Vec<_> = (0..self.waiting.len()).map(|index| !is_inside(index)).collect();
        if !refused.contains(&true) {
            return Ok(());
        }
        let name = redact_text(executor.name());
        let why = format!("{name} would not write it into the transaction of a commit");
        Err(self.refuse(|index| refused[index], &why))
    }

    /// Refuses all of it, as the scope around would hand it over, which is no transaction.
    pub(super) fn refuse_captured(mut self) -> FlushError {
        self.refuse(|_| true, "the scope around would capture it, and hand it over outside of any transaction")
    }

    fn refuse(&mut self, is_refused: impl Fn(usize) -> bool, why: &str) -> FlushError {
        let waiting = std::mem::take(&mut self.waiting);
        let answered = waiting.into_iter().enumerate().map(|(index, intent)| {
            let rejection = is_refused(index).then(|| outside(&intent, why));
            (intent, rejection)
        });
        self.unsent.refused(answered, &mut self.report);
        self.fail_all(&Unattempted::OtherRefused)
    }
}

fn outside(intent: &Intent, why: &str) -> Rejection {
    let why = if intent.task().local { "a `local` task runs outside of any transaction" } else { why };
    Rejection::new(format!(
        "{why}, and its scope is `transactional`; end the scope with `commit`, with an executor of the transaction's database"
    ))
}
