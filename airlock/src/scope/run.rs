//! Scopes around a closure or a future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::builder::ScopeBuilder;
use super::guard::OwnedScope;
use crate::context::futures::InContext;
use crate::executors::FlushMode;
use crate::flush::{Discarded, FlushError, FlushReport};

/// What the body of a reported scope may return: it knows whether the body succeeded.
///
/// Implement it for a response type, so that a scope can be put around a handler:
///
/// ```
/// struct Response { status: u16 }
///
/// impl airlock::ScopeBody for Response {
///     fn succeeded(&self) -> bool {
///         self.status < 400
///     }
/// }
///
/// let ended = airlock::scope().run_reported(|| Response { status: 404 });
/// assert_eq!(ended.result.status, 404);
/// # ended.flush.unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` doesn't say whether the body succeeded",
    label = "not `()`, `Result`, or a type with `airlock::ScopeBody`",
    note = "return `()` or a `Result`, or implement `airlock::ScopeBody` for the type"
)]
pub trait ScopeBody {
    /// Whether the scope is to flush.
    fn succeeded(&self) -> bool;
}

impl ScopeBody for () {
    fn succeeded(&self) -> bool {
        true
    }
}

impl<T, E> ScopeBody for Result<T, E> {
    fn succeeded(&self) -> bool {
        self.is_ok()
    }
}

/// What the body of [`run`](ScopeBuilder::run) may return: `()`, or a `Result` that can take a [`FlushError`].
#[diagnostic::on_unimplemented(
    message = "the body of a scope can't return `{Self}`",
    label = "not `()`, and not a `Result` whose error takes a `FlushError`",
    note = "return `()`, `airlock::Result<T>`, or `Result<T, E>` with `E: From<airlock::FlushError>`",
    note = "for anything else there is `run_reported`, which returns the body's value and the flush's result side by side"
)]
pub trait ScopeOutput: ScopeBody {
    /// The body's type with room for a flush error.
    type Output;

    #[doc(hidden)]
    #[track_caller]
    fn after(self, flush: Result<(), FlushError>) -> Self::Output;
}

impl ScopeOutput for () {
    type Output = Result<(), FlushError>;

    fn after(self, flush: Result<(), FlushError>) -> Self::Output {
        flush
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: From<FlushError>> ScopeOutput for Result<T, E> {
    type Output = Self;

    #[track_caller]
    fn after(self, flush: Result<(), FlushError>) -> Self {
        let value = self?;
        // After a body's own error, a flush error is dropped, and with that it is logged and handed to `on_lost`.
        flush?;
        Ok(value)
    }
}

/// The end of a reported scope: the body's value, and what became of its intents.
#[derive(Debug)]
#[must_use = "the flush may have failed"]
pub struct Ended<R> {
    /// What the body returned.
    pub result: R,
    /// What became of the intents: a report even if they were discarded, an error if something didn't go out.
    pub flush: Result<FlushReport, FlushError>,
}

impl ScopeBuilder {
    /// Runs the closure in the scope; flushes if it succeeds and discards if it fails or panics.
    ///
    /// ```
    /// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
    /// airlock::scope().run(|| -> airlock::Result<()> {
    ///     send_email::enqueue(42)?;
    ///     Ok(())
    /// })?;
    /// # Ok::<(), airlock::Error>(())
    /// ```
    ///
    /// # Errors
    /// The body's own error, or else the flush's. If both fail, the flush error is logged and its intents go to
    /// [`on_lost`](crate::Settings::on_lost).
    #[track_caller]
    pub fn run<R: ScopeOutput>(self, body: impl FnOnce() -> R) -> R::Output {
        let guard = self.enter();
        let output = body();
        let flush = end(guard.leave(), output.succeeded());
        output.after(flush)
    }

    /// Runs the future in the scope; flushes if it succeeds and discards if it fails, panics or is dropped.
    ///
    /// The scope opens at the first poll, inside the scope that is current then. It needs no particular runtime, and
    /// the future is `Send` if the body and its output are.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_async<R: ScopeOutput, F: Future<Output = R>>(self, body: F) -> impl Future<Output = R::Output> {
        Outgoing {
            flushed: async move {
                let owned = self.begin();
                let output = InContext::only(Arc::clone(owned.frame()), body).await;
                let flush = end_async(owned, output.succeeded()).await;
                (output, flush)
            },
        }
    }

    /// Like [`run`](Self::run) for any [`ScopeBody`], and gives the body's value and the report of the flush.
    pub fn run_reported<R: ScopeBody>(self, body: impl FnOnce() -> R) -> Ended<R> {
        let guard = self.enter();
        let result = body();
        let owned = guard.leave();
        let flush = match discard_reason(&owned, result.succeeded()) {
            Some(reason) => Ok(owned.discard(reason, true)),
            None => owned.seal(true).and_then(|mut flush| flush.run_here().map(|()| flush.report())),
        };
        Ended { result, flush }
    }

    /// Like [`run_async`](Self::run_async) for any [`ScopeBody`], and gives the body's value and the report.
    pub async fn run_reported_async<R: ScopeBody, F: Future<Output = R>>(self, body: F) -> Ended<R> {
        let owned = self.begin();
        let result = InContext::only(Arc::clone(owned.frame()), body).await;
        let flush = match discard_reason(&owned, result.succeeded()) {
            Some(reason) => Ok(owned.discard(reason, true)),
            None => match owned.seal(true) {
                Ok(mut flush) => flush.run(FlushMode::Async).await.map(|()| flush.report()),
                Err(error) => Err(error),
            },
        };
        Ended { result, flush }
    }
}

pin_project! {
    /// Puts a flush error into the body's output: where the future is awaited, so that an error which notes its caller
    /// notes that line.
    struct Outgoing<F> {
        #[pin]
        flushed: F,
    }
}

impl<R: ScopeOutput, F: Future<Output = (R, Result<(), FlushError>)>> Future for Outgoing<F> {
    type Output = R::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R::Output> {
        match self.project().flushed.poll(cx) {
            Poll::Ready((output, flush)) => Poll::Ready(output.after(flush)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Why the lifecycle wants this end to discard, if it does.
fn discard_reason(owned: &OwnedScope, succeeded: bool) -> Option<Discarded> {
    match (owned.should_flush(succeeded), succeeded) {
        (true, _) => None,
        (false, true) => Some(Discarded::ByLifecycle),
        (false, false) => Some(Discarded::BodyFailed),
    }
}

pub(super) fn end(owned: OwnedScope, succeeded: bool) -> Result<(), FlushError> {
    let Some(owned) = owned.end_if_empty(succeeded) else { return Ok(()) };
    match discard_reason(&owned, succeeded) {
        Some(reason) => drop(owned.discard(reason, false)),
        None => owned.seal(false)?.run_here()?,
    }
    Ok(())
}

pub(super) async fn end_async(owned: OwnedScope, succeeded: bool) -> Result<(), FlushError> {
    let Some(owned) = owned.end_if_empty(succeeded) else { return Ok(()) };
    match discard_reason(&owned, succeeded) {
        Some(reason) => drop(owned.discard(reason, false)),
        None => owned.seal(false)?.run(FlushMode::Async).await?,
    }
    Ok(())
}
