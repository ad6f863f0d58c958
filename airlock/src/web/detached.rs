//! Flushes whose client has gone: they go on, and the end of the program waits for them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use event_listener::Event;

use super::future::HandOver;
use crate::executors::Unfinished;
use crate::executors::drains::{self, Drains};
use crate::runtime::{BoxFuture, Deadline, timer};

/// How many there are.
#[derive(Debug, Default)]
struct Detached {
    count: AtomicUsize,
    ended: Event,
}

static DETACHED: LazyLock<Arc<Detached>> = LazyLock::new(|| {
    let detached = Arc::new(Detached::default());
    let known: Weak<Detached> = Arc::downgrade(&detached);
    drains::note_used(known);
    detached
});

/// Hands over what a request had begun to hand over, on the runtime of the thread that drops it. Without one it is dropped,
/// which accounts for everything.
pub(super) fn go_on(hand_over: HandOver) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let counted = Counted::new();
    runtime.spawn(async move {
        // An error that is dropped is logged, and its intents go to `on_lost`.
        drop(hand_over.await);
        drop(counted);
    });
}

/// One of them, until it ends in whatever way.
struct Counted;

impl Counted {
    fn new() -> Self {
        DETACHED.count.fetch_add(1, Ordering::AcqRel);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if DETACHED.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            DETACHED.ended.notify(usize::MAX);
        }
    }
}

impl Drains for Detached {
    fn drain(self: Arc<Self>, deadline: Deadline) -> BoxFuture<'static, Unfinished> {
        Box::pin(async move {
            loop {
                let ended = self.ended.listen();
                if self.count.load(Ordering::Acquire) == 0 || timer::until(deadline, ended).await.is_none() {
                    break;
                }
            }
            Unfinished { running: self.count.load(Ordering::Acquire), ..Unfinished::default() }
        })
    }
}
