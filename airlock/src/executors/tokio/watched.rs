//! A runtime, and whether it is still there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::runtime::Handle as Runtime;
use tokio::task::AbortHandle;

use super::workers::Workers;

/// A runtime that tasks are run on. Its end is known at once, also while none of them runs: a task of it that does
/// nothing, the sentinel, is dropped then.
pub(super) struct WatchedRuntime {
    pub(super) runtime: Runtime,
    ended: Arc<AtomicBool>,
    sentinel: AbortHandle,
}

impl WatchedRuntime {
    pub(super) fn new(runtime: Runtime, workers: Weak<Workers>) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let sentinel = Sentinel { runtime_ended: Arc::clone(&ended), workers };
        let task = async move {
            let _dropped_with_the_runtime = sentinel;
            std::future::pending::<()>().await;
        };
        let sentinel = runtime.spawn(task).abort_handle();
        Self { runtime, ended, sentinel }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Notes that the runtime refuses tasks, which it does before it has dropped the sentinel.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

impl Drop for WatchedRuntime {
    fn drop(&mut self) {
        self.sentinel.abort();
    }
}

struct Sentinel {
    runtime_ended: Arc<AtomicBool>,
    workers: Weak<Workers>,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.runtime_ended.store(true, Ordering::SeqCst);
        if let Some(workers) = self.workers.upgrade() {
            workers.restart_waiting();
        }
    }
}
