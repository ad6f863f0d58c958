//! Panics of foreign code, caught and reported.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::text::redact::redact_text;

/// A panic of foreign code as a text.
#[inline]
pub(crate) fn catch_panic<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(panic_message)
}

#[cold]
fn panic_message(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = redact_text(text.unwrap_or("a panic without a message")).into_owned();
    // A payload may panic as it is dropped, and what that throws may again: there it ends.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
    message
}

pin_project! {
    /// Foreign code that is awaited. A panic in a poll ends it; one of a destructor, at its end or where it is cut off,
    /// ends there: two of those at a time would end the process.
    pub(crate) struct CatchingPanics<F> {
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for CatchingPanics<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _ = catch_panic(|| this.future.set(None));
        }
    }
}

/// Awaits foreign code and gives its panic as a text.
pub(crate) fn catching_panics<F: Future>(future: F) -> CatchingPanics<F> {
    CatchingPanics { future: Some(future) }
}

impl<F: Future> Future for CatchingPanics<F> {
    type Output = Result<F::Output, String>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            unreachable!("polled after it was ready");
        };
        let ended = match catch_panic(|| future.poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(message) => Err(message),
        };
        drop(catch_panic(|| this.future.set(None)));
        Poll::Ready(ended)
    }
}
