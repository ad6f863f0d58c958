//! A request under way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Response, response};
use pin_project_lite::pin_project;

use super::detached::go_on;
use super::hooks::{Hooks, OnFlushError};
use crate::executors::FlushMode;
use crate::flush::{Flush, FlushError, FlushReport};
use crate::runtime::BoxFuture;
use crate::scope::{Carried, OpenScope};

/// A flush that has something to hand over.
pub(super) type HandOver = BoxFuture<'static, Result<FlushReport, FlushError>>;

pin_project! {
    /// The response of a [`ScopeService`](super::ScopeService): the inner service's own future in its scope, then the flush.
    /// The inner future is not boxed; a flush that has something to hand over is.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B, S, J, E> {
        // `None` once it is ready. Before the scope, so that its destructors are in an open one.
        #[pin]
        inner: Option<Carried<F>>,
        open: Option<OpenScope>,
        flushing: Option<Flushing<B>>,
        hooks: Arc<Hooks<S, J, E>>,
    }

    impl<F, B, S, J, E> PinnedDrop for ResponseFuture<F, B, S, J, E> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(flushing) = this.project().flushing.take() {
                // The client has gone; what it caused has not.
                go_on(flushing.hand_over);
            }
        }
    }
}

struct Flushing<B> {
    hand_over: HandOver,
    response: Response<B>,
}

impl<F, B, S, J, E> ResponseFuture<F, B, S, J, E> {
    pub(super) fn new(inner: Carried<F>, open: OpenScope, hooks: Arc<Hooks<S, J, E>>) -> Self {
        Self { inner: Some(inner), open: Some(open), flushing: None, hooks }
    }
}

impl<F, B, X, S, J, E> Future for ResponseFuture<F, B, S, J, E>
where
    F: Future<Output = Result<Response<B>, X>>,
    J: Fn(&response::Parts) -> bool,
    E: OnFlushError<B>,
{
    type Output = Result<Response<B>, X>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(inner) = this.inner.as_mut().as_pin_mut() {
            let answered = ready!(inner.poll(cx));
            this.inner.set(None);
            let Some(open) = this.open.take() else { unreachable!("a scope is open while the service works") };
            let (head, body) = match answered {
                Ok(response) => response.into_parts(),
                Err(error) => {
                    drop(open.discard_failed());
                    return Poll::Ready(Err(error));
                }
            };
            let is_success = (this.hooks.flush_if)(&head);
            let response = Response::from_parts(head, body);
            if !is_success {
                return Poll::Ready(Ok(with_report(response, open.discard_failed())));
            }
            let mut flush = match open.close() {
                Ok(flush) => flush,
                Err(error) => return Poll::Ready(Ok(failed(&this.hooks.on_flush_error, error, response))),
            };
            if flush.intents().is_empty() && flush.finish().is_ok() {
                return Poll::Ready(Ok(with_report(response, flush.report())));
            }
            *this.flushing = Some(Flushing { hand_over: Box::pin(hand_over(flush)), response });
        }
        let Some(flushing) = this.flushing.as_mut() else { unreachable!("polled after it was ready") };
        let flushed = ready!(flushing.hand_over.as_mut().poll(cx));
        let Some(Flushing { response, .. }) = this.flushing.take() else { unreachable!("it was there") };
        Poll::Ready(Ok(match flushed {
            Ok(report) => with_report(response, report),
            Err(error) => failed(&this.hooks.on_flush_error, error, response),
        }))
    }
}

async fn hand_over(mut flush: Flush) -> Result<FlushReport, FlushError> {
    flush.run(FlushMode::Async).await?;
    Ok(flush.report())
}

/// The report goes along, for layers around this one.
fn with_report<B>(mut response: Response<B>, report: FlushReport) -> Response<B> {
    response.extensions_mut().insert(report);
    response
}

fn failed<B>(answer: &impl OnFlushError<B>, error: FlushError, response: Response<B>) -> Response<B> {
    let report = error.report().clone();
    with_report(answer.response(error, response), report)
}

impl<F, B, S, J, E> fmt::Debug for ResponseFuture<F, B, S, J, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("open", &self.open).finish_non_exhaustive()
    }
}
