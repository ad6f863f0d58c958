//! Waiting for an event: flushes wait for room, and shutdowns for the end.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use event_listener::EventListener;

use super::backlog::Backlog;
use super::jobs::Jobs;
use crate::runtime::panics::catch_panic;

/// One of those that wait, counted under the lock, so that an event without a listener costs its notifier nothing.
pub(super) struct WaiterCount<'a> {
    backlog: &'a Backlog,
    count: fn(&mut Jobs) -> &mut usize,
}

impl<'a> WaiterCount<'a> {
    pub(super) fn new(backlog: &'a Backlog, count: fn(&mut Jobs) -> &mut usize) -> Self {
        *count(&mut backlog.jobs()) += 1;
        Self { backlog, count }
    }
}

impl Drop for WaiterCount<'_> {
    fn drop(&mut self) {
        *(self.count)(&mut self.backlog.jobs()) -= 1;
    }
}

/// Waits until the event is notified.
pub(super) async fn notified(mut listener: EventListener) {
    poll_fn(|cx| {
        let waker = Waker::from(Arc::new(PanicSafeWaker(cx.waker().clone())));
        Pin::new(&mut listener).poll(&mut Context::from_waker(&waker))
    })
    .await;
}

/// A waker whose panic ends in it: its caller holds a job, and the event has others to wake and its own count to keep.
struct PanicSafeWaker(Waker);

impl Wake for PanicSafeWaker {
    fn wake(self: Arc<Self>) {
        let _ = catch_panic(move || self.0.wake_by_ref());
    }
}
