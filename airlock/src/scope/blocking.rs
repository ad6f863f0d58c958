//! Waiting for a future on this thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::frame::Frame;

/// Wakes a thread, and remembers it: a future that parks its thread itself may use up the token of `unpark`.
struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Waits for a future on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    wait(future, || {})
}

/// Waits for a flush of the scope on this thread; says so if that is one of a runtime.
pub(crate) fn block_on_flush<F: Future>(frame: &Frame, flush: F) -> F::Output {
    #[cfg(feature = "tokio")]
    return wait(flush, || runtime::warn_once(frame));
    #[cfg(not(feature = "tokio"))]
    {
        let _ = frame;
        block_on(flush)
    }
}

/// Calls `before` if it can't be done at once.
fn wait<F: Future>(future: F, before: impl FnOnce()) -> F::Output {
    let mut future = pin!(future);
    // Inline flushes are ready at once and need no waker.
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    before();
    let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&unpark));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        while !unpark.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

/// A thread of a runtime that waits is one that drives no other task.
#[cfg(feature = "tokio")]
mod runtime {
    use std::collections::HashSet;
    use std::panic::Location;
    use std::sync::{Mutex, PoisonError};

    use super::Frame;
    use crate::panics::catch_panic;

    /// Where scopes were opened of which it was said.
    static SAID: Mutex<Option<HashSet<&'static Location<'static>>>> = Mutex::new(None);

    pub(super) fn warn_once(frame: &Frame) {
        let Some(scope) = frame.as_scope().map(|core| core.info()) else { return };
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = said.get_or_insert_default().insert(scope.location());
        drop(said);
        if is_new {
            // What is flushed matters more than what is said about it.
            let _ = catch_panic(|| {
                tracing::warn!(
                    target: "airlock",
                    %scope,
                    "a flush blocks a thread of a tokio runtime until its executor has answered, at most up to its \
                     deadline; use `run_async`, or `spawn_blocking` if this thread isn't one already"
                );
            });
        }
    }
}
