//! Rows on their way into a transaction, part by part: a flush is never in memory as a whole.

use std::fmt;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::brokers::row::SqlMessage;

/// How many parts may wait: one is written while the next is made.
const AHEAD: usize = 2;

/// The right to a connection's next transaction, given back when dropped.
#[derive(Debug)]
pub(crate) struct TransactionPermit(
    #[expect(dead_code, reason = "held, not read")] pub(super) Option<OwnedSemaphorePermit>,
);

#[derive(Debug)]
pub(super) enum WriterMessage {
    Rows(Vec<SqlMessage>),
    /// These were all. Without it, nothing is to be kept.
    End,
}

/// The rows of one transaction, for the task that writes them.
pub(crate) struct Rows {
    parts: Receiver<WriterMessage>,
    /// The first, once it was waited for.
    first: Option<WriterMessage>,
    _permit: Option<TransactionPermit>,
    /// Whether a transaction could not even begin, once.
    pub(super) was_given_back: bool,
}

/// The way for the rows of one transaction.
pub(crate) struct RowSender(Sender<WriterMessage>);

impl Rows {
    pub(crate) fn channel(permit: Option<TransactionPermit>) -> (RowSender, Self) {
        let (sender, parts) = channel(AHEAD);
        (RowSender(sender), Self { parts, first: None, _permit: permit, was_given_back: false })
    }

    /// Waits until there is something to write: other flushes should not wait for rows that are not even made.
    pub(super) async fn begin(&mut self) {
        if self.first.is_none() {
            self.first = self.parts.recv().await;
        }
    }

    pub(super) async fn next(&mut self) -> Option<WriterMessage> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.parts.recv().await,
        }
    }
}

impl RowSender {
    /// Whether they are still wanted. Waits until there is room.
    pub(crate) async fn send(&self, rows: Vec<SqlMessage>) -> bool {
        self.0.send(WriterMessage::Rows(rows)).await.is_ok()
    }

    /// Says that these were all. Dropped without that, everything is taken back.
    pub(crate) async fn end(self) {
        // A writer that has stopped listening reports why through its outcome.
        let _ = self.0.send(WriterMessage::End).await;
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}
