//! What tells the workers of this process that there may be rows for them.

use std::sync::LazyLock;

use tokio::sync::watch;

/// How many times rows were written, and how many of those times they were not committed yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct WriteCounts {
    committed: u64,
    pending: u64,
}

static WRITTEN: LazyLock<watch::Sender<WriteCounts>> = LazyLock::new(|| watch::Sender::new(WriteCounts::default()));

/// Rows were committed.
pub(crate) fn wake_workers() {
    WRITTEN.send_modify(|written| written.committed += 1);
}

/// Rows were written into a transaction that its caller is about to commit: workers look again and again for a while.
pub(crate) fn wake_soon() {
    WRITTEN.send_modify(|written| written.pending += 1);
}

/// Hears of both.
#[derive(Debug)]
pub(crate) struct WakeListener {
    receiver: watch::Receiver<WriteCounts>,
    seen: WriteCounts,
}

impl WakeListener {
    pub(crate) fn new() -> Self {
        let receiver = WRITTEN.subscribe();
        let seen = *receiver.borrow();
        Self { receiver, seen }
    }

    /// Waits for the next time. Whether it is not known that the rows are committed.
    pub(crate) async fn heard(&mut self) -> bool {
        // The sender is a static.
        let _ = self.receiver.changed().await;
        let before = std::mem::replace(&mut self.seen, *self.receiver.borrow_and_update());
        self.seen.pending != before.pending
    }
}
