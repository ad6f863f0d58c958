//! Futures: boxed, and with something in place around each poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// A boxed future, as executors return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is put in place around a poll, until the guard goes.
pub(crate) trait Enter {
    type Guard<'a>
    where
        Self: 'a;

    fn enter(&mut self) -> Self::Guard<'_>;
}

pin_project! {
    /// A future with something in place around each poll, and around its drop: destructors of what it holds see that, and
    /// not what the code that drops it has.
    pub(crate) struct Within<F, E: Enter> {
        // `None` once it is ready.
        #[pin]
        future: Option<F>,
        place: E,
    }

    impl<F, E: Enter> PinnedDrop for Within<F, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _guard = this.place.enter();
                this.future.set(None);
            }
        }
    }
}

impl<F, E: Enter> Within<F, E> {
    pub(crate) fn place(place: E, future: F) -> Self {
        Self { future: Some(future), place }
    }
}

impl<F: Future, E: Enter> Future for Within<F, E> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _guard = this.place.enter();
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
