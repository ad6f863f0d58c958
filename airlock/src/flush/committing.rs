//! The flush of a scope that ends with a transaction: a part is written into it, the rest follows its commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::hand_over::{Flush, fail, scope_of, unattempted};
use super::outcome::{Outcome, Unattempted};
use super::{FlushError, FlushReport};
use crate::context::frame::frames;
use crate::context::futures::InContext;
use crate::context::judging::Judging;
use crate::context::scope_state::ScopeState;
use crate::dispatch::{DispatchError, DispatchErrorKind, OpenTransaction, SqlKind};
use crate::executors::{Batch, Cause, Executor, FlushMode, ItemState, Ledger, OnFailure, drive_write};
use crate::intent::Intent;
use crate::runtime::Deadline;
use crate::runtime::panics::catch_panic;
use crate::text::redact::redact_text;

/// Until COMMIT is asked for, dropping it discards; until the answer, what it holds is unconfirmed; then it is a flush like
/// any other.
pub(crate) struct CommittingFlush {
    /// What follows the commit waits in it.
    flush: Flush,
    executor: Arc<dyn Executor>,
    /// Handles of what is written into the transaction.
    inside: Vec<Intent>,
    /// How long each took, by its place among them.
    timings: BTreeMap<usize, Duration>,
    stage: CommitStage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitStage {
    Writing,
    Committing,
    /// Committed, rolled back, or accounted for otherwise.
    Settled,
}

/// What a scope held whose transaction was not committed.
pub(crate) struct GivenBack {
    pub(crate) report: FlushReport,
    pub(crate) intents: Vec<Intent>,
}

impl From<FlushError> for GivenBack {
    fn from(error: FlushError) -> Self {
        let (report, intents) = error.give_back();
        Self { report, intents }
    }
}

impl CommittingFlush {
    /// Of a scope that is sealed. A dry run, or a test, around the scope stays in force: the outermost scope that names an
    /// executor decides.
    pub(crate) fn new(flush: Flush) -> Self {
        let named =
            frames(Some(&flush.frame)).filter_map(|frame| frame.as_scope()).filter_map(ScopeState::own_executor);
        let executor = Arc::clone(named.last().unwrap_or_else(|| scope_of(&flush.frame).executor()));
        Self { flush, executor, inside: Vec::new(), timings: BTreeMap::new(), stage: CommitStage::Writing }
    }

    /// Asks the executor about every intent, and splits off what it writes into a transaction of this kind.
    pub(crate) fn split(&mut self, kind: SqlKind) -> Result<(), FlushError> {
        if self.flush.waiting.is_empty() {
            return Ok(());
        }
        let executor = Arc::clone(&self.executor);
        let takes_local = executor.capabilities().takes_local;
        let asked = catch_panic(|| {
            let _judging = Judging::enter();
            let is_inside = |intent: &Intent| (takes_local || !intent.task().local) && executor.writes_to(intent, kind);
            self.flush.waiting.iter().map(is_inside).collect::<Vec<_>>()
        });
        let is_inside = match asked {
            Ok(is_inside) => is_inside,
            Err(message) => return Err(self.flush.fail_all(&Unattempted::ExecutorPanicked(message))),
        };
        self.flush.refuse_outside(&*executor, |index| is_inside[index])?;
        self.flush.ask_executor(&*executor, FlushMode::Async, Deadline::NONE)?;
        let (inside, outside): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.flush.waiting).into_iter().zip(is_inside).partition(|(_, is_inside)| *is_inside);
        let intents = |part: Vec<(Intent, bool)>| part.into_iter().map(|(intent, _)| intent).collect();
        (self.inside, self.flush.waiting) = (intents(inside), intents(outside));
        Ok(())
    }

    /// Has the executor write its part. Whatever of it is not written keeps the transaction from being committed; what is
    /// known of each intent is in the report then.
    pub(crate) async fn write(
        &mut self,
        transaction: &mut OpenTransaction<'_>,
        deadline: Deadline,
    ) -> Result<(), String> {
        if self.inside.is_empty() {
            return Ok(());
        }
        self.flush.report.handed_to(redact_text(self.executor.name()).into_owned().into());
        let intents = self.inside.clone();
        self.flush.note_hand_over(&intents);
        // One failure is enough to roll all of it back.
        let ledger = Arc::new(Ledger::new(intents.len(), OnFailure::FailFast, deadline));
        let batch = Batch::new(intents, Arc::clone(&ledger), scope_of(&self.flush.frame).timings());
        let executor = Arc::clone(&self.executor);
        let ending = InContext::empty(drive_write(&*executor, batch, transaction, deadline)).await;
        let mut settled = ledger.close();
        self.timings = std::mem::take(&mut settled.timings).into_iter().collect();
        let rest = unattempted(settled.stop.map_or(Cause::Ended(ending), Cause::Stopped));
        let states: Vec<_> = settled.into_states().collect();
        if states.iter().all(|state| matches!(state, ItemState::Dispatched)) {
            return Ok(());
        }
        let outcome = |state| match state {
            ItemState::Failed(failure) => Outcome::Failed { error: not_accepted(failure.error) },
            ItemState::NotBegun(own) => Outcome::Unattempted { reason: own.map_or_else(|| rest.clone(), unattempted) },
            ItemState::Unsettled => Outcome::Unattempted { reason: rest.clone() },
            ItemState::Dispatched => Outcome::Unattempted { reason: Unattempted::NotCommitted },
        };
        let ended: Vec<_> = self.inside.drain(..).zip(states.into_iter().map(outcome)).collect();
        // What was refused for itself says more than what was given up because of that, and that more than what never began.
        let cause = ended.iter().min_by_key(|(_, outcome)| match outcome {
            Outcome::Failed { error } if error.kind() == DispatchErrorKind::Rejected => 0,
            Outcome::Failed { .. } => 1,
            Outcome::Unattempted { reason: Unattempted::NotCommitted } => 3,
            _ => 2,
        });
        let cause = cause.map(|(intent, outcome)| format!("{} ({}): {outcome}", intent.name(), intent.location()));
        for (intent, outcome) in ended {
            self.flush.unsent.undispatched.push(intent.clone());
            self.flush.report.add(intent, || outcome);
        }
        Err(cause.unwrap_or_default())
    }

    /// From here on it is not known whether the data is there, until [`hand_over`](Self::hand_over) or
    /// [`rolled_back`](Self::rolled_back) says so.
    pub(crate) fn asks_to_commit(&mut self) {
        self.stage = CommitStage::Committing;
    }

    /// The transaction is not committed: gives everything back.
    pub(crate) fn rolled_back(mut self) -> GivenBack {
        self.stage = CommitStage::Settled;
        let left = std::mem::take(&mut self.inside).into_iter().chain(std::mem::take(&mut self.flush.waiting));
        let (unsent, report) = (&mut self.flush.unsent, &mut self.flush.report);
        unsent.unattempted(left, &Unattempted::NotCommitted, report);
        self.flush.fail_all(&Unattempted::NotCommitted).into()
    }

    /// The answer to the COMMIT didn't come. Gives how many of the intents were written into the transaction as well.
    pub(crate) fn unknown(mut self, error: &DispatchError) -> (FlushError, usize) {
        self.unconfirmed(error)
    }

    fn unconfirmed(&mut self, error: &DispatchError) -> (FlushError, usize) {
        self.stage = CommitStage::Settled;
        let inside = std::mem::take(&mut self.inside);
        let (written, following) = (inside.len(), std::mem::take(&mut self.flush.waiting));
        let waited = DispatchError::unconfirmed(
            "it was to follow a commit that got no answer, and was not handed over; send it if the data is there",
        );
        for (index, intent) in inside.into_iter().chain(following).enumerate() {
            let own = if index < written { error } else { &waited };
            let failure = intent.identity().failure(own.clone(), None);
            self.flush.unsent.failed(failure, Some(intent), &mut self.flush.report);
        }
        let unsent = std::mem::take(&mut self.flush.unsent);
        let error = fail(&self.flush.frame, unsent, &mut self.flush.report).of_unknown_commit(written);
        (error, written)
    }

    /// The transaction is committed: hands over the rest.
    pub(crate) async fn hand_over(mut self) -> Result<FlushReport, FlushError> {
        self.stage = CommitStage::Settled;
        for (index, intent) in std::mem::take(&mut self.inside).into_iter().enumerate() {
            self.flush.report.add(intent, || Outcome::Written);
            if let Some(time) = self.timings.get(&index) {
                self.flush.report.time_last(*time);
            }
        }
        let executor = Arc::clone(&self.executor);
        // It was asked before the COMMIT, which can't be taken back.
        let deadline = self.flush.deadline(&*executor);
        self.flush.run_accepted(&*executor, deadline).await?;
        Ok(self.flush.report())
    }
}

impl Drop for CommittingFlush {
    fn drop(&mut self) {
        match self.stage {
            CommitStage::Writing => {
                self.flush.waiting.append(&mut self.inside);
                self.flush.discard_dropped();
            }
            CommitStage::Committing => {
                let error = DispatchError::unconfirmed("the future of its commit was dropped before the answer came");
                // Dropping the error lets the loss be known.
                drop(self.unconfirmed(&error));
            }
            CommitStage::Settled => {}
        }
    }
}

/// As nothing of a transaction is there that is rolled back, whatever the database said.
fn not_accepted(error: DispatchError) -> DispatchError {
    match error.kind() {
        DispatchErrorKind::Unconfirmed => {
            DispatchError::unavailable(format!("{}, and the transaction is rolled back", error.reason()))
        }
        _ => error,
    }
}
