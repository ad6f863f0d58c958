//! What did not go out, and who owns it now.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::{Flush, FlushReport, Outcome, ReportBuilder, ReportEntry, Unsent, block_on_flush, judge};
use crate::context::{Frame, Phase};
use crate::executors::{Executor, FlushMode};
use crate::intent::{Failure, Intent, IntentId};
use crate::lost::Lost;
use crate::runtime::panics::catch_panic;

/// A flush in which something that was to escape didn't, or may not have. It owns what did not go out.
///
/// Dropped with intents in it, it writes one error event a task and gives them to
/// [`on_lost`](crate::Settings::on_lost): nothing is lost silently.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::{DispatchError, FlushError, InlineExecutor, Intent};
///
/// let down = |_: Intent| Err(DispatchError::unavailable("connection refused"));
/// let error: FlushError = airlock::scope().executor(down).run(|| { send_email::enqueue(42).unwrap(); }).unwrap_err();
/// assert_eq!(error.undispatched().len(), 1);
///
/// // The same intent, with the same id, another way:
/// let report = error.dispatch(&InlineExecutor::new())?;
/// assert_eq!(report.counts().dispatched, 1);
/// # Ok::<(), FlushError>(())
/// ```
pub struct FlushError {
    inner: Box<FlushErrorState>,
}

struct FlushErrorState {
    frame: Arc<Frame>,
    report: FlushReport,
    unsent: Unsent,
    resend_unconfirmed: bool,
    /// Of a transaction of which it isn't known whether it was committed: how many intents were written into it.
    of_unknown_commit: Option<usize>,
}

impl FlushError {
    pub(crate) fn new(frame: Arc<Frame>, report: FlushReport, mut unsent: Unsent) -> Self {
        // Several batches of one flush end one after the other; people expect the order of the calls.
        unsent.undispatched.sort_by_key(|intent| intent.order);
        Self {
            inner: Box::new(FlushErrorState {
                frame,
                report,
                unsent,
                resend_unconfirmed: false,
                of_unknown_commit: None,
            }),
        }
    }

    /// What it holds belongs to a transaction of which it isn't known whether it was committed; so many of it were written
    /// into that, and come first.
    pub(crate) fn of_unknown_commit(mut self, written: usize) -> Self {
        self.inner.of_unknown_commit = Some(written);
        self
    }

    /// What it holds, which the caller accounts for: its scope is a discarded one.
    pub(crate) fn give_back(mut self) -> (FlushReport, Vec<Intent>) {
        let mut intents = self.inner.unsent.take_intents();
        intents.sort_by_key(|intent| intent.order);
        self.inner.unsent = Unsent::default();
        if let Some(scope) = self.inner.frame.as_scope() {
            scope.buffer().conclude(Phase::Discarded);
        }
        (self.inner.report.clone(), intents)
    }

    /// What went wrong with the first intent of which that is known, which says more than what was kept in because of it.
    pub(crate) fn cause(&self) -> Option<&ReportEntry> {
        let failures = || self.report().entries().iter().filter(|entry| entry.outcome().is_failure());
        let is_telling = |entry: &&ReportEntry| !matches!(entry.outcome(), Outcome::Unattempted { .. });
        failures().find(is_telling).or_else(|| failures().next())
    }

    /// What became of each intent.
    #[must_use]
    pub fn report(&self) -> &FlushReport {
        &self.inner.report
    }

    /// What was not accepted by anyone: rejected, unavailable or unattempted, in order.
    #[must_use]
    pub fn undispatched(&self) -> &[Intent] {
        &self.inner.unsent.undispatched
    }

    /// What may have been accepted.
    #[must_use]
    pub fn unconfirmed(&self) -> &[Failure] {
        &self.inner.unsent.unconfirmed
    }

    /// Tasks that ran and failed.
    #[must_use]
    pub fn failed(&self) -> &[Failure] {
        &self.inner.unsent.failed
    }

    /// Every intent still held: the undispatched ones, then the unconfirmed, then those that failed. They may be pushed
    /// into another scope, which judges them anew.
    #[must_use]
    pub fn into_intents(mut self) -> Vec<Intent> {
        let intents = self.inner.unsent.take_intents();
        self.inner.unsent = Unsent::default();
        intents
    }

    /// Lets a following [`dispatch`](Self::dispatch) send the unconfirmed ones too, which may run them twice.
    #[must_use]
    pub fn including_unconfirmed(mut self) -> Self {
        self.inner.resend_unconfirmed = true;
        self
    }

    /// Hands the undispatched intents to an executor: the same ids, not judged again. A task that ran and failed is
    /// never run again.
    ///
    /// If the flush failed before the policies had their say (one of them panicked, or the scope around had ended),
    /// they have it now: this way out isn't one around them.
    ///
    /// # Errors
    /// Something still did not go out; or there were unconfirmed or failed intents, which stay as they were. The report is
    /// that of the second attempt.
    pub fn dispatch(self, executor: &dyn Executor) -> Result<FlushReport, Self> {
        let frame = Arc::clone(&self.inner.frame);
        block_on_flush(&frame, self.resend(executor, FlushMode::Sync))
    }

    /// Like [`dispatch`](Self::dispatch), and awaits it.
    ///
    /// # Errors
    /// As [`dispatch`](Self::dispatch).
    pub async fn dispatch_async(self, executor: &dyn Executor) -> Result<FlushReport, Self> {
        self.resend(executor, FlushMode::Async).await
    }

    async fn resend(mut self, executor: &dyn Executor, mode: FlushMode) -> Result<FlushReport, Self> {
        let mut carried = std::mem::take(&mut self.inner.unsent);
        let mut intents = std::mem::take(&mut carried.undispatched);
        if self.inner.resend_unconfirmed {
            let held =
                std::mem::take(&mut carried.unconfirmed).into_iter().partition(|failure| failure.intent.is_some());
            let (resent, moved): (Vec<_>, Vec<_>) = held;
            intents.extend(resent.into_iter().filter_map(|failure| failure.intent));
            intents.sort_by_key(|intent| intent.order);
            carried.unconfirmed = moved;
        }
        let frame = &self.inner.frame;
        let mut flush = if carried.unjudged {
            let mut report = ReportBuilder::new(true);
            let allowed = judge(frame, intents, &mut report)?;
            let mut flush = Flush::new(Arc::clone(frame), allowed, true, report);
            flush.may_be_outside();
            flush
        } else {
            Flush::resending(Arc::clone(frame), intents, carried)
        };
        flush.run_with(executor, mode).await?;
        Ok(flush.report())
    }
}

impl Drop for FlushError {
    fn drop(&mut self) {
        let FlushErrorState { frame, unsent, of_unknown_commit, .. } = &mut *self.inner;
        if unsent.is_empty() {
            return;
        }
        let Some(scope) = frame.as_scope() else { return };
        // A drop doesn't panic, whatever the subscriber does.
        let _ = catch_panic(|| log(scope.info(), unsent, of_unknown_commit.is_some()));
        let mut unsent = std::mem::take(unsent);
        // Those that ran and failed are not lost: they are done.
        unsent.failed.clear();
        let intents = unsent.take_intents();
        if intents.is_empty() {
            return;
        }
        if let Some(on_lost) = &scope.settings().on_lost.value {
            let lost = Lost::of_flush_error(scope.info().clone(), intents, *of_unknown_commit);
            if let Err(panicked) = catch_panic(|| on_lost(lost)) {
                tracing::error!(target: "airlock", panicked, "the `on_lost` hook panicked");
            }
        }
    }
}

/// How many tasks are logged one by one.
const LOGGED_TASKS: usize = 20;
/// How many intents `Debug` shows.
const DEBUG_INTENTS: usize = 50;
/// How many ids are logged of each.
const LOGGED_IDS: usize = 3;

fn log(scope: &impl fmt::Display, unsent: &Unsent, of_unknown_commit: bool) {
    let mut tasks: BTreeMap<(&str, &str), Vec<IntentId>> = BTreeMap::new();
    for intent in &unsent.undispatched {
        tasks.entry((intent.name(), "not dispatched")).or_default().push(intent.id());
    }
    for failure in &unsent.unconfirmed {
        let what = if of_unknown_commit { "of a commit without an answer" } else { "unconfirmed" };
        tasks.entry((failure.name, what)).or_default().push(failure.id);
    }
    for failure in &unsent.failed {
        tasks.entry((failure.name, "failed")).or_default().push(failure.id);
    }
    let more = tasks.len().saturating_sub(LOGGED_TASKS);
    for ((task, what), ids) in tasks.into_iter().take(LOGGED_TASKS) {
        let (intents, first) = (ids.len(), &ids[..ids.len().min(LOGGED_IDS)]);
        tracing::error!(target: "airlock", %scope, task, what, intents, ids = ?first, "a flush error was dropped with intents in it");
    }
    if more > 0 {
        tracing::error!(target: "airlock", %scope, more, "and intents of more tasks");
    }
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the flush of {} failed: {}", self.report().scope(), self.report().counts())?;
        if let Some(entry) = self.cause() {
            return write!(f, "; {entry}");
        }
        // A second attempt may have gone well; what the first one left is why there still is an error.
        let Unsent { unconfirmed, failed, .. } = &self.inner.unsent;
        match unconfirmed.iter().chain(failed).next() {
            Some(first) => {
                let (unconfirmed, failed) = (unconfirmed.len(), failed.len());
                write!(f, "; {unconfirmed} unconfirmed and {failed} failed are left from the attempt before; {first}")
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for FlushError {
    /// What `unwrap` shows, and a `main` that returns it: with each intent, why it is here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FlushErrorState { report, unsent, .. } = &*self.inner;
        let mut shown = f.debug_struct("FlushError");
        shown.field("scope", &format_args!("{}", report.scope()));
        shown.field("counts", &format_args!("{}", report.counts()));
        let failures: Vec<_> = report.entries().iter().filter(|entry| entry.outcome().is_failure()).collect();
        if failures.is_empty() {
            // A second attempt went well, and the first one left something.
            shown.field("unconfirmed", &First(&unsent.unconfirmed)).field("failed", &First(&unsent.failed));
        } else {
            shown.field("intents", &First(&failures));
        }
        shown.finish()
    }
}

/// The first few of a list, and how many more there are.
struct First<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Debug for First<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for item in self.0.iter().take(DEBUG_INTENTS) {
            list.entry(&format_args!("{item}"));
        }
        match self.0.len().saturating_sub(DEBUG_INTENTS) {
            0 => list.finish(),
            more => list.entry(&format_args!("and {more} more")).finish(),
        }
    }
}

impl StdError for FlushError {}
