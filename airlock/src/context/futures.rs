//! Futures that bring their context along: it is in place for each poll, and for the drop.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::frame::Frame;
use super::stack::{self, ContextSwap, Entered, Stack};
use crate::policy::Policy;

pin_project! {
    /// A future that is polled, and dropped, in a context of its own.
    pub(crate) struct InContext<F> {
        #[pin]
        future: Option<F>,
        stack: Stack,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                // Destructors of what the future holds see its own context, not that of the code that drops it.
                let _context = ContextSwap::keeping(this.stack);
                this.future.set(None);
            }
        }
    }
}

impl<F> InContext<F> {
    pub(crate) fn empty(future: F) -> Self {
        Self { future: Some(future), stack: Stack::new() }
    }

    pub(crate) fn only(frame: Arc<Frame>, future: F) -> Self {
        Self { future: Some(future), stack: Stack::only(frame) }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _context = ContextSwap::keeping(this.stack);
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            unreachable!("polled after it was ready");
        };
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

pin_project! {
    /// A future with one more local policy in the context of each poll.
    pub(crate) struct WithPolicy<F> {
        #[pin]
        future: Option<F>,
        policy: Arc<dyn Policy>,
        // The frame of the last poll, used again as long as the context around it is the same.
        frame: Option<Arc<Frame>>,
    }

    impl<F> PinnedDrop for WithPolicy<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = enter(this.policy, this.frame);
                this.future.set(None);
            }
        }
    }
}

impl<F> WithPolicy<F> {
    pub(crate) fn new(policy: Arc<dyn Policy>, future: F) -> Self {
        Self { future: Some(future), policy, frame: None }
    }
}

impl<F: Future> Future for WithPolicy<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _entered = enter(this.policy, this.frame);
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            unreachable!("polled after it was ready");
        };
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

/// Puts the policy around the current context; the frame of the last poll serves again if that is unchanged.
fn enter(policy: &Arc<dyn Policy>, last: &mut Option<Arc<Frame>>) -> Entered {
    let around = stack::current();
    let same = |frame: &&mut Arc<Frame>| match (frame.around(), &around) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    };
    let frame = match last.as_mut().filter(same) {
        Some(frame) => Arc::clone(frame),
        None => Arc::clone(last.insert(Arc::new(Frame::local(Arc::clone(policy), around)))),
    };
    Entered::new(frame)
}
