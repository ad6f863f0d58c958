//! The hand-over of what may escape, and the account of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::report::FlushReport;
use super::report_builder::ReportBuilder;
use super::{Discarded, FlushError, Outcome, Unattempted, Unsent, block_on_flush, note_abandoned};
use crate::context::buffer::Phase;
use crate::context::frame::Frame;
use crate::context::futures::InContext;
use crate::context::scope_state::ScopeState;
use crate::executors::{
    Batch, Cause, DispatchEnd, Executor, FlushMode, InlineExecutor, ItemState, Ledger, OnFailure, Stop, drive,
};
use crate::intent::Intent;
use crate::runtime::Deadline;
use crate::runtime::panics::catch_panic;
use crate::scope_info::ScopeInfo;
use crate::text::redact::redact_text;

/// How long a flush waits for what lies outside this process, unless the scope or the settings say otherwise.
pub(super) const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// One hand-over. Dropped before its end, it accounts for everything and lets the loss be known.
#[derive(Debug)]
pub(crate) struct Flush {
    pub(super) frame: Arc<Frame>,
    /// What has not been given to an executor.
    pub(super) waiting: Vec<Intent>,
    /// What runs here once the executor has had its share: kept where a dropped flush finds it.
    pub(super) local: Vec<Intent>,
    pub(super) may_have_options: bool,
    /// Whether it may only be handed over by what writes it into a transaction.
    pub(super) transactional: bool,
    current: Option<Current>,
    pub(super) report: ReportBuilder,
    pub(super) unsent: Unsent,
    finished: bool,
}

/// The batch an executor has.
#[derive(Debug)]
struct Current {
    ledger: Arc<Ledger>,
    /// A handle of each intent, unless the executor gives back what it couldn't hand over.
    kept: Option<Vec<Intent>>,
}

impl Flush {
    pub(crate) fn new(frame: Arc<Frame>, intents: Vec<Intent>, may_have_options: bool, report: ReportBuilder) -> Self {
        let (local, unsent) = (Vec::new(), Unsent::default());
        let transactional = scope_of(&frame).is_transactional();
        Self {
            frame,
            waiting: intents,
            local,
            may_have_options,
            transactional,
            current: None,
            report,
            unsent,
            finished: false,
        }
    }

    /// A second attempt with what an error holds; what the first one settled otherwise is carried over.
    pub(crate) fn resending(frame: Arc<Frame>, intents: Vec<Intent>, carried: Unsent) -> Self {
        let mut flush = Self::new(frame, intents, true, ReportBuilder::new(true));
        flush.unsent = carried;
        flush.may_be_outside();
        flush
    }

    /// The caller knows that it is not for a transaction any more.
    pub(super) fn may_be_outside(&mut self) {
        self.transactional = false;
    }

    /// What may escape, until it is handed over.
    pub(crate) fn intents(&self) -> &[Intent] {
        &self.waiting
    }

    /// What became of it all, once it has ended.
    pub(crate) fn report(&mut self) -> FlushReport {
        self.report.take_report(&self.frame)
    }

    /// Hands over, and waits for that on this thread.
    pub(crate) fn run_here(&mut self) -> Result<(), FlushError> {
        if self.call_if_plain() {
            return self.finish();
        }
        let frame = Arc::clone(&self.frame);
        block_on_flush(&frame, self.run(FlushMode::Sync))
    }

    pub(crate) async fn run(&mut self, mode: FlushMode) -> Result<(), FlushError> {
        if self.call_if_plain() {
            return self.finish();
        }
        let executor = Arc::clone(scope_of(&self.frame).executor());
        self.run_with(&*executor, mode).await
    }

    pub(crate) async fn run_with(&mut self, executor: &dyn Executor, mode: FlushMode) -> Result<(), FlushError> {
        if self.waiting.is_empty() {
            return self.finish();
        }
        let deadline = self.deadline(executor);
        self.refuse_outside(executor, |_| executor.capabilities().writes_rows)?;
        self.ask_executor(executor, mode, deadline)?;
        self.run_accepted(executor, deadline).await
    }

    /// How long the executor has, from now.
    pub(super) fn deadline(&self, executor: &dyn Executor) -> Deadline {
        match scope_of(&self.frame).deadline() {
            Some(set) => Deadline::after(set),
            None if executor.capabilities().no_deadline => Deadline::NONE,
            None => Deadline::after(DEFAULT_DEADLINE),
        }
    }

    /// The rest of it, once the executor has accepted everything.
    pub(super) async fn run_accepted(&mut self, executor: &dyn Executor, deadline: Deadline) -> Result<(), FlushError> {
        let scope = scope_of(&self.frame);
        let (has_deadline, on_failure, carried) = (scope.deadline().is_some(), scope.on_failure(), self.unsent.len());
        self.split_off_local(executor);
        if !self.waiting.is_empty() {
            self.hand_over(executor, deadline).await;
        }
        self.waiting = std::mem::take(&mut self.local);
        let stops = on_failure == OnFailure::FailFast && self.unsent.len() > carried;
        if !self.waiting.is_empty() && !stops {
            // What waits on a network has had its time; what runs here has none, unless the scope sets one.
            self.hand_over(&InlineExecutor::new(), if has_deadline { deadline } else { Deadline::NONE }).await;
        }
        self.finish()
    }

    async fn hand_over(&mut self, executor: &dyn Executor, deadline: Deadline) {
        let scope = scope_of(&self.frame);
        let reported = self.report.is_reported();
        self.report.handed_to(redact_text(executor.name()).into_owned().into());
        let intents = std::mem::take(&mut self.waiting);
        if !executor.capabilities().inline {
            self.note_hand_over(&intents);
        }
        let kept = (reported || !executor.capabilities().returns_unsent).then(|| intents.clone());
        let ledger = Arc::new(Ledger::new(intents.len(), scope.on_failure(), deadline));
        let batch = Batch::new(intents, Arc::clone(&ledger), scope.timings());
        let batch = if self.may_have_options { batch } else { batch.without_call_options() };
        self.current = Some(Current { ledger, kept });
        let ending = InContext::empty(drive(executor, batch, deadline)).await;
        self.settle(ending);
    }

    /// From now on, what has durations counts them.
    pub(super) fn note_hand_over(&self, intents: &[Intent]) {
        let now = SystemTime::now();
        // Without call options anywhere, it is known without a look at each intent's own memory.
        let dated = intents.iter().filter(|intent| self.may_have_options || intent.task().options.has_durations());
        dated.for_each(|intent| intent.hand_over(now));
    }

    /// Closes the ledger of the current batch and enters every intent of it.
    fn settle(&mut self, ending: DispatchEnd) {
        let Some(Current { ledger, kept }) = self.current.take() else { return };
        let report = &mut self.report;
        let mut settled = ledger.close();
        if kept.is_none() && settled.is_clean() {
            report.add_unseen(&Outcome::Dispatched, settled.begun);
            return;
        }
        let reason = unattempted(settled.stop.map_or(Cause::Ended(ending), Cause::Stopped));
        let mut timings = std::mem::take(&mut settled.timings);
        // An executor may settle in any order.
        timings.sort_unstable_by_key(|(index, _)| *index);
        let mut timings = timings.into_iter().peekable();
        let mut returned = std::mem::take(&mut settled.returned).into_iter();
        let mut kept = kept.map(Vec::into_iter);
        for (index, state) in settled.into_states().enumerate() {
            let handle = kept.as_mut().and_then(Iterator::next);
            match (state, handle) {
                (ItemState::Dispatched, Some(intent)) => report.add(intent, || Outcome::Dispatched),
                (ItemState::Dispatched, None) => report.add_unseen(&Outcome::Dispatched, 1),
                (ItemState::Failed(failure), handle) => self.unsent.failed(failure, handle, report),
                (ItemState::Unsettled, Some(intent)) => self.unsent.unsettled(intent, report),
                // Who gives back settles each ticket as it goes, even when dropped.
                (ItemState::Unsettled, None) => {}
                (ItemState::NotBegun(cause), handle) => {
                    let intent = handle.or_else(|| returned.next());
                    let own = cause.map(unattempted);
                    self.unsent.unattempted(intent, own.as_ref().unwrap_or(&reason), report);
                }
            }
            if let Some((_, time)) = timings.next_if(|(timed, _)| *timed == index) {
                report.time_last(time);
            }
        }
    }

    /// With nothing left to hand over, says how it went.
    pub(crate) fn finish(&mut self) -> Result<(), FlushError> {
        if self.unsent.is_empty() && self.waiting.is_empty() {
            self.finished = true;
            scope_of(&self.frame).buffer().conclude(Phase::Flushed);
            return Ok(());
        }
        // Only fail-fast leaves anything waiting.
        Err(self.fail_all(&Unattempted::FailedFast))
    }

    pub(super) fn fail_all(&mut self, reason: &Unattempted) -> FlushError {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.append(&mut self.local);
        self.finished = true;
        self.unsent.unattempted(waiting, reason, &mut self.report);
        fail(&self.frame, std::mem::take(&mut self.unsent), &mut self.report)
    }

    /// Lets nothing escape after all.
    pub(crate) fn discard(&mut self, reason: Discarded) -> FlushReport {
        self.finished = true;
        for intent in std::mem::take(&mut self.waiting) {
            self.report.add(intent, || Outcome::Discarded { reason });
        }
        scope_of(&self.frame).buffer().conclude(Phase::Discarded);
        self.report()
    }

    /// Discards because what held it was dropped, and says so if there was something in it.
    pub(super) fn discard_dropped(&mut self) {
        let intents = self.waiting.len();
        if intents > 0 {
            // A drop doesn't panic, whatever the subscriber does.
            let _ = catch_panic(|| {
                tracing::warn!(
                    target: "airlock",
                    scope = %self.scope(),
                    intents,
                    "a sealed scope was dropped without being dispatched; its intents are discarded"
                );
            });
        }
        let report = self.discard(Discarded::Dropped);
        if let Some(frame) = report.own.as_ref().filter(|_| intents > 0) {
            note_abandoned(frame, Discarded::Dropped, intents);
        }
    }

    pub(crate) fn scope(&self) -> &ScopeInfo {
        scope_of(&self.frame).info()
    }

    /// Asks the executor before it is known in which mode the flush will be: what it refuses even in the more lenient
    /// one can be reported at once.
    pub(crate) fn check(&mut self) -> Result<(), FlushError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let executor = Arc::clone(scope_of(&self.frame).executor());
        self.ask_executor(&*executor, FlushMode::Async, Deadline::NONE)
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        if !self.finished {
            self.settle(DispatchEnd::Dropped);
            // Dropping the error lets the loss be known.
            drop(self.fail_all(&Unattempted::Cancelled));
        }
    }
}

/// A closed scope whose flush failed.
pub(crate) fn fail(frame: &Arc<Frame>, unsent: Unsent, report: &mut ReportBuilder) -> FlushError {
    scope_of(frame).buffer().conclude(Phase::Flushed);
    FlushError::new(Arc::clone(frame), report.take_report(frame), unsent)
}

pub(super) fn unattempted(cause: Cause) -> Unattempted {
    match cause {
        Cause::Stopped(Stop::Failure) => Unattempted::FailedFast,
        Cause::Stopped(Stop::Unavailable) => Unattempted::Unavailable,
        Cause::Stopped(Stop::Deadline) | Cause::Ended(DispatchEnd::DeadlinePassed) => Unattempted::Deadline,
        Cause::Ended(DispatchEnd::Returned) => Unattempted::ExecutorEnded,
        Cause::Ended(DispatchEnd::Dropped) => Unattempted::Cancelled,
        Cause::Ended(DispatchEnd::Panicked(message)) => Unattempted::ExecutorPanicked(message),
    }
}

pub(super) fn scope_of(frame: &Frame) -> &ScopeState {
    frame.as_scope().unwrap_or_else(|| unreachable!("only scopes flush"))
}
