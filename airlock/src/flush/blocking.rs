//! Waiting for a flush on this thread. One of a runtime that waits is one that drives no other task.

use std::collections::HashSet;
use std::future::Future;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use crate::context::Frame;
use crate::runtime::panics::catch_panic;

/// Where scopes were opened of which it was said.
static WARNED: Mutex<Option<HashSet<&'static Location<'static>>>> = Mutex::new(None);

/// Waits for a flush of the scope on this thread; says so if that is one of a runtime.
pub(crate) fn block_on_flush<F: Future>(frame: &Frame, flush: F) -> F::Output {
    crate::runtime::wait(flush, || warn_once(frame))
}

fn warn_once(frame: &Frame) {
    let Some(scope) = frame.as_scope().map(|scope| scope.info()) else { return };
    if tokio::runtime::Handle::try_current().is_err() {
        return;
    }
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_new = warned.get_or_insert_default().insert(scope.location());
    drop(warned);
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
