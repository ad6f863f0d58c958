//! A scope that is open, and the promise that it ends.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use super::handle::Scope;
use crate::context::frame::Frame;
use crate::context::judging::Judging;
use crate::context::scope_state::ScopeState;
use crate::context::stack::{Entered, GuardsStayOnTheirThreadUseOpen};
use crate::flush::{Discarded, Flush, FlushError, FlushReport, Sealed, seal};
use crate::lifecycle::ScopeEnd;
use crate::runtime::Deadline;
use crate::runtime::panics::catch_panic;

/// A scope that has an owner, who ends it. Dropped, it discards.
#[derive(Debug)]
pub(super) struct OwnedScope {
    frame: Arc<Frame>,
    ended: bool,
    failed: OnceLock<Discarded>,
}

impl OwnedScope {
    pub(super) fn new(frame: Arc<Frame>) -> Self {
        Self { frame, ended: false, failed: OnceLock::new() }
    }

    /// It can't end well any more. The first reason stays.
    pub(super) fn fail(&self, reason: Discarded) {
        let _ = self.failed.set(reason);
    }

    /// Why it can't end well any more.
    pub(super) fn failed(&self) -> Option<Discarded> {
        self.failed.get().copied()
    }

    pub(super) fn frame(&self) -> &Arc<Frame> {
        &self.frame
    }

    /// Whether this end of the body is one to flush on.
    pub(super) fn should_flush(&self, succeeded: bool) -> bool {
        let Some(scope) = self.frame.as_scope() else { return false };
        let end = ScopeEnd { succeeded, scope };
        let _judging = Judging::enter();
        scope.lifecycle().should_flush(&end)
    }

    /// Ends a scope that succeeded and holds nothing, at no cost; gives it back if there is more to do. A scope that is
    /// to be discarded is, even if there is nothing to discard: nested scopes that end later ask how this one did.
    pub(super) fn end_if_empty(mut self, succeeded: bool) -> Option<Self> {
        let unasked = |scope: &ScopeState| !scope.lifecycle().may_refuse_success();
        self.ended = succeeded && self.frame.as_scope().is_some_and(unasked) && seal::close_if_empty(&self.frame);
        if self.ended { None } else { Some(self) }
    }

    /// Judges what the scope holds, and closes it.
    pub(super) fn seal(mut self, reported: bool) -> Result<Flush, FlushError> {
        self.ended = true;
        seal::seal(&self.frame, reported)
    }

    pub(super) fn deadline(&self) -> Deadline {
        seal::deadline(&self.frame)
    }

    /// Judges what the scope holds, for a transaction; the scopes around capture nothing of it.
    pub(super) fn seal_for_commit(mut self) -> Result<Flush, FlushError> {
        self.ended = true;
        seal::seal_for_commit(&self.frame)
    }

    /// Closes the scope, with what it holds in an error.
    pub(super) fn give_back(mut self) -> FlushError {
        self.ended = true;
        seal::give_back(&self.frame)
    }

    /// Closes what ended badly; there is nothing to hand over, and the report says so.
    pub(super) fn seal_discarded(mut self, reason: Discarded) -> Flush {
        self.ended = true;
        seal::seal_discarded(&self.frame, reason)
    }

    pub(super) fn discard(mut self, reason: Discarded, reported: bool) -> FlushReport {
        self.ended = true;
        seal::discard(&self.frame, reason, reported)
    }
}

impl Drop for OwnedScope {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let unwinding = if std::thread::panicking() { Discarded::Panicked } else { Discarded::Dropped };
        let reason = self.failed().unwrap_or(unwinding);
        let report = seal::discard(&self.frame, reason, false);
        if self.failed().is_none() && report.counts().enqueued > 0 {
            crate::flush::note_abandoned(&self.frame, reason, report.counts().enqueued);
            let scope = self.frame.as_scope().map(ScopeState::info);
            // A drop doesn't panic, whatever the subscriber does.
            let _ = catch_panic(|| {
                tracing::warn!(
                    target: "airlock",
                    scope = scope.map(tracing::field::display),
                    intents = report.counts().enqueued,
                    reason = %reason,
                    "a scope was dropped with intents in it; they are discarded"
                );
            });
        }
    }
}

/// A scope entered by hand: it is current on this thread until the guard goes.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// let scope = airlock::scope().enter();
/// send_email::enqueue(42)?;
/// let report = scope.flush()?;
/// println!("{report}");
/// # Ok::<(), airlock::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping the guard discards what the scope holds"]
pub struct ScopeGuard {
    // First, so that the scope is no longer current when what it holds is discarded.
    entered: Entered,
    owned: OwnedScope,
    // The entry is on this thread's stack.
    not_send: PhantomData<*const GuardsStayOnTheirThreadUseOpen>,
}

impl ScopeGuard {
    pub(super) fn new(owned: OwnedScope) -> Self {
        let entered = Entered::new(Arc::clone(owned.frame()));
        Self { entered, owned, not_send: PhantomData }
    }

    /// A handle to the scope.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::of(self.owned.frame())
    }

    /// Ends the scope well: judges, and hands over what may escape, or gives it to the scope around.
    ///
    /// # Errors
    /// Something that was to escape didn't, or may not have: the error says what, and owns it.
    pub fn flush(self) -> Result<FlushReport, FlushError> {
        let mut flush = self.leave().seal(true)?;
        flush.run_here()?;
        Ok(flush.report())
    }

    /// Ends the scope badly: nothing escapes.
    pub fn discard(self) -> FlushReport {
        self.leave().discard(Discarded::ByHand, true)
    }

    /// Judges and closes, and holds what may escape until [`Sealed::dispatch`]: the hook for "after the transaction
    /// commits". Intents that the scope around captures go there at once.
    ///
    /// # Errors
    /// As [`flush`](Self::flush), as far as it can be known before anything is handed over.
    pub fn seal(self) -> Result<Sealed, FlushError> {
        let mut flush = self.leave().seal(true)?;
        flush.check()?;
        Ok(Sealed::new(flush))
    }

    /// No longer current, and still open.
    pub(super) fn leave(self) -> OwnedScope {
        let Self { entered, owned, .. } = self;
        drop(entered);
        owned
    }
}
