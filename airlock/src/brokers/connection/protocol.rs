//! What a transport is to the manager: how a broker is spoken to, and a connection that jobs can be sent through.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::job::Job;
use super::requeue::Requeue;
use crate::dispatch::DispatchError;
use crate::runtime::BoxFuture;

/// How one kind of broker is spoken to.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// What is sent.
    type Message: Send + 'static;
    /// What it is sent through.
    type Connection: Connection<Message = Self::Message>;

    /// How many bytes a message takes, about.
    fn size(message: &Self::Message) -> usize;

    /// Where the broker is, for errors.
    fn place(&self) -> String;

    /// Makes a connection that is ready to send, and that says so when it is lost.
    fn connect(self: Arc<Self>, liveness: Liveness) -> BoxFuture<'static, Result<Self::Connection, DispatchError>>;
}

/// Whether a connection lives, as far as is known: for the manager, which asks before it sends, and for flushes, which
/// needn't wait for one if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Liveness {
    this: Arc<AtomicBool>,
    any: Arc<AtomicBool>,
}

impl Liveness {
    pub(super) fn new(any: &Arc<AtomicBool>) -> Self {
        Self { this: Arc::new(AtomicBool::new(true)), any: Arc::clone(any) }
    }

    /// Whether it does.
    pub(crate) fn get(&self) -> bool {
        self.this.load(Ordering::Relaxed)
    }

    /// It was lost.
    pub(crate) fn lost(&self) {
        self.this.store(false, Ordering::Relaxed);
        self.any.store(false, Ordering::Relaxed);
    }
}

/// A connection that jobs can be sent through, one after the other without waiting.
pub(crate) trait Connection: Send + 'static {
    /// What is sent.
    type Message: Send + 'static;

    /// Whether it can be sent through, as far as is known.
    fn is_alive(&self) -> bool;

    /// Why nothing can be sent now, although the connection lives.
    fn refuses(&self) -> Option<DispatchError> {
        None
    }

    /// Sends, behind all jobs before, and answers in its own time. What certainly was not sent may be given back to be
    /// sent through another connection.
    fn send(&mut self, job: Job<Self::Message>, requeue: &Requeue<Self::Message>);
}
