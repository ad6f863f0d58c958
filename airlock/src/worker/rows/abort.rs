//! Tasks of the runtime that end with what has started them.

use tokio::task::JoinHandle;

/// A task of a worker, the loop among them, which ends with the future that waits for it.
pub(super) struct AbortOnDrop(pub(super) JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
