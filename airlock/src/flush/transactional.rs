//! What a scope that is `transactional` doesn't let out.

use super::hand_over::Flush;
use super::{FlushError, Unattempted};
use crate::dispatch::Rejection;
use crate::executors::Executor;
use crate::intent::Intent;
use crate::text::redact::redact_text;

impl Flush {
    /// Refuses what a scope that is `transactional` holds and `is_inside` doesn't, unless the executor only notes it.
    pub(super) fn refuse_outside(
        &mut self,
        executor: &dyn Executor,
        is_inside: &dyn Fn(&Intent) -> bool,
    ) -> Result<(), FlushError> {
        if !self.transactional || executor.capabilities().records_only {
            return Ok(());
        }
        let refused: Vec<_> = self.waiting.iter().map(|intent| !is_inside(intent)).collect();
        if !refused.contains(&true) {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        let answered = waiting.into_iter().zip(refused).map(|(intent, is_refused)| {
            let rejection = is_refused.then(|| outside(&intent, executor));
            (intent, rejection)
        });
        self.unsent.refused(answered.collect::<Vec<_>>().into_iter(), &mut self.report);
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
