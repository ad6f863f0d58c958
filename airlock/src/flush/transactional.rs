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
        let waiting = std::mem::take(&mut self.waiting);
        let answered = waiting.into_iter().zip(refused).map(|(intent, is_refused)| {
            let rejection = is_refused.then(|| outside(&intent, executor));
            (intent, rejection)
        });
        self.unsent.refused(answered, &mut self.report);
        Err(self.fail_all(&Unattempted::OtherRefused))
    }
}

fn outside(intent: &Intent, executor: &dyn Executor) -> Rejection {
    let why = match intent.task().local {
        true => "a `local` task runs outside of any transaction".to_owned(),
        false => format!("{} would not write it into the transaction of a commit", redact_text(executor.name())),
    };
    Rejection::new(format!(
        "{why}, and its scope is `transactional`; end the scope with `commit`, with an executor of the transaction's database"
    ))
}
