//! A scope that is kept across awaits, and is current only in what is wrapped in it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::guard::OwnedScope;
use super::handle::{Carried, Scope};
use super::run::ScopeBody;
use crate::context::frame::{Frame, frames};
use crate::context::stack;
use crate::executors::FlushMode;
use crate::flush::{Discarded, Flush, FlushError, FlushReport, Sealed};
use crate::runtime::Deadline;

/// A scope that is current nowhere but in what [`run`](Self::run) and [`wrap`](Self::wrap) put into it, and may be kept
/// across awaits: [`ScopeBuilder::open`](crate::ScopeBuilder::open) makes one.
///
/// It ends once, by a method that takes it. It ends well only if everything that was wrapped in it ended well: after a body
/// that failed or panicked, or a wrapped future that was dropped before its end, [`flush`](Self::flush),
/// [`flush_async`](Self::flush_async) and [`seal`](Self::seal) discard, and say so in their report. Side work, and futures
/// that may lose a race, go through a [`handle`](Self::handle), whose end decides nothing.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// async fn place_order(id: u64) -> airlock::Result<u64> {
///     send_email::enqueue(id)?;
///     Ok(id)
/// }
///
/// # futures_executor(async {
/// let scope = airlock::scope().name("checkout").open();
/// let id = scope.wrap(place_order(42)).await?;
/// scope.run(|| send_email::enqueue(id + 1))?;
/// let report = scope.flush_async().await?;
/// assert_eq!(report.counts().dispatched, 2);
/// # Ok::<(), airlock::Error>(())
/// # }).unwrap();
/// # fn futures_executor<F: Future>(future: F) -> F::Output {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
/// # }
/// ```
#[must_use = "a scope that is dropped discards what it holds"]
pub struct OpenScope {
    owned: OwnedScope,
}

impl OpenScope {
    pub(super) fn new(owned: OwnedScope) -> Self {
        Self { owned }
    }

    /// Runs the closure in the scope and returns what it returns. The local policies around the call hold in it too.
    pub fn run<R: ScopeBody>(&self, body: impl FnOnce() -> R) -> R {
        let body_end = BodyEnd { scope: self, has_ended: false };
        let output = self.handle().run(body);
        body_end.ended(output.succeeded());
        output
    }

    /// The future in the scope: it is current in each poll, with the local policies around this call. Of futures that are
    /// wrapped at the same time, intents lie in the order of the enqueue calls.
    ///
    /// Dropped before its end, even before its first poll, the future keeps the scope from ending well.
    pub fn wrap<F>(&self, future: F) -> Wrapped<'_, F, F::Output>
    where
        F: Future<Output: ScopeBody>,
    {
        let body_end = Some(BodyEnd { scope: self, has_ended: false });
        Wrapped { future: self.handle().carry(future), body_end, succeeded: F::Output::succeeded }
    }

    /// A handle to the scope, for threads, spawned tasks and side work. How that ends does not matter to the scope.
    #[must_use]
    pub fn handle(&self) -> Scope {
        Scope::of(&self.frame_here())
    }

    /// Ends the scope: judges, and hands over what may escape, or gives it to the scope around; waits for that on this
    /// thread. Discards if something in the scope ended badly.
    ///
    /// # Errors
    /// Something that was to escape didn't, or may not have: the error says what, and owns it.
    pub fn flush(self) -> Result<FlushReport, FlushError> {
        let mut flush = self.close()?;
        flush.run_here()?;
        Ok(flush.report())
    }

    /// [`flush`](Self::flush), awaiting the hand-over.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn flush_async(self) -> Result<FlushReport, FlushError> {
        let mut flush = self.close()?;
        flush.run(FlushMode::Async).await?;
        Ok(flush.report())
    }

    /// Judges and closes, and holds what may escape until [`Sealed::dispatch`]. Intents that the scope around captures go
    /// there at once. If something in the scope ended badly, it discards, and what is sealed holds nothing.
    ///
    /// # Errors
    /// As [`flush`](Self::flush), as far as it can be known before anything is handed over.
    pub fn seal(self) -> Result<Sealed, FlushError> {
        let mut flush = self.close()?;
        flush.check()?;
        Ok(Sealed::new(flush))
    }

    /// Ends the scope badly: nothing escapes.
    pub fn discard(self) -> FlushReport {
        let reason = self.owned.failed().unwrap_or(Discarded::ByHand);
        self.owned.discard(reason, true)
    }

    /// Ends the scope because of how its body ended, and reports that.
    pub(crate) fn discard_failed(self) -> FlushReport {
        self.owned.fail(Discarded::BodyFailed);
        self.discard()
    }

    /// Judged and closed, to be handed over.
    pub(crate) fn close(self) -> Result<Flush, FlushError> {
        match self.owned.failed() {
            Some(reason) => Ok(self.owned.seal_discarded(reason)),
            None => self.owned.seal(true),
        }
    }

    /// When the hand-over of what it holds is given up, counted from now.
    pub(crate) fn deadline(&self) -> Deadline {
        self.owned.deadline()
    }

    /// Why it can't end well any more.
    pub(crate) fn failed(&self) -> Option<Discarded> {
        self.owned.failed()
    }

    /// Judged and closed, to be written into a transaction and handed over after its commit.
    pub(crate) fn seal_for_commit(self) -> Result<Flush, FlushError> {
        self.owned.seal_for_commit()
    }

    /// Closed, with what it holds in an error.
    pub(crate) fn give_back(self) -> FlushError {
        self.owned.give_back()
    }

    /// The scope's own frame, below the local policies that are in force here and not around it as well.
    fn frame_here(&self) -> Arc<Frame> {
        let own = self.owned.frame();
        let Some(here) = stack::current() else { return Arc::clone(own) };
        let is_in = |inner: &Arc<Frame>, frame: &Arc<Frame>| frames(Some(inner)).any(|known| Arc::ptr_eq(known, frame));
        if is_in(&here, own) {
            return here;
        }
        let added: Vec<_> =
            frames(Some(&here)).filter(|frame| !is_in(own, frame)).filter_map(|frame| frame.local_policy()).collect();
        added
            .into_iter()
            .rev()
            .fold(Arc::clone(own), |frame, policy| Arc::new(Frame::local(Arc::clone(policy), Some(frame))))
    }
}

impl fmt::Debug for OpenScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenScope")
            .field("scope", &Scope::of(self.owned.frame()))
            .field("failed", &self.owned.failed())
            .finish()
    }
}

/// What is wrapped in a scope, until it has ended; one that never does has been dropped, or has panicked.
struct BodyEnd<'a> {
    scope: &'a OpenScope,
    has_ended: bool,
}

impl BodyEnd<'_> {
    fn ended(mut self, succeeded: bool) {
        self.has_ended = true;
        if !succeeded {
            self.scope.owned.fail(Discarded::BodyFailed);
        }
    }
}

impl Drop for BodyEnd<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.scope.owned.fail(if std::thread::panicking() { Discarded::Panicked } else { Discarded::Dropped });
        }
    }
}

pin_project! {
    /// The future of [`OpenScope::wrap`]. It doesn't ask for a `ScopeBody` once more: that would be an error of its own.
    #[must_use = "futures do nothing unless polled"]
    pub struct Wrapped<'a, F, R> {
        #[pin]
        future: Carried<F>,
        body_end: Option<BodyEnd<'a>>,
        succeeded: fn(&R) -> bool,
    }
}

impl<R, F: Future<Output = R>> Future for Wrapped<'_, F, R> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        // A panic in the poll ends the body, also if the caller catches it and keeps the future.
        let body_end = this.body_end.take();
        let polled = this.future.poll(cx);
        if polled.is_pending() {
            *this.body_end = body_end;
            return Poll::Pending;
        }
        let output = ready!(polled);
        if let Some(body_end) = body_end {
            body_end.ended((this.succeeded)(&output));
        }
        Poll::Ready(output)
    }
}

impl<F, R> fmt::Debug for Wrapped<'_, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped").finish_non_exhaustive()
    }
}
