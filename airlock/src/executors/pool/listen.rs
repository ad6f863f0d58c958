//! Waiting for an event whose notification calls the wakers of foreign code.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use event_listener::EventListener;

use crate::panics::catch_panic;

/// Waits until the event is notified.
pub(super) async fn heard(mut listener: EventListener) {
    poll_fn(|cx| {
        let waker = Waker::from(Arc::new(Guarded(cx.waker().clone())));
        Pin::new(&mut listener).poll(&mut Context::from_waker(&waker))
    })
    .await;
}

/// A waker whose panic ends in it: its caller holds a job, and the event has others to wake and its own count to keep.
struct Guarded(Waker);

impl Wake for Guarded {
    fn wake(self: Arc<Self>) {
        let _ = catch_panic(move || self.0.wake_by_ref());
    }
}
