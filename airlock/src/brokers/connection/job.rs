//! What is handed to the I/O thread, and what comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::fault::BrokerFault;
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::runtime::{Deadline, timer};

/// How one message fared.
pub(crate) type JobOutcome = Result<(), DispatchError>;

/// Messages on their way, in order, and who waits for their outcomes.
#[derive(Debug)]
pub(crate) struct Job<M> {
    /// Its place in the line: what is given back returns to it.
    pub(crate) number: u64,
    pub(crate) messages: Vec<M>,
    pub(crate) timeouts: JobTimeouts,
    pub(crate) reply: JobReply,
}

/// What the jobs of one flush know of each other: once it is in doubt whether an earlier one is with the broker, a later
/// one must not go through another connection. The broker may still be reading the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct FlushDoubt(Arc<AtomicBool>);

impl FlushDoubt {
    /// Whether it is unknown how something in it fared.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn doubt(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Where the outcomes of a job go. Dropped without an answer, everything in the job is unconfirmed if it may have left,
/// and unavailable if not.
#[derive(Debug)]
pub(crate) struct JobReply {
    count: usize,
    doubt: FlushDoubt,
    sender: Option<oneshot::Sender<Vec<JobOutcome>>>,
    may_have_left: bool,
}

/// What gives the outcomes of a job, under any runtime and under none.
#[derive(Debug)]
pub(crate) struct JobReplies {
    count: usize,
    receiver: oneshot::Receiver<Vec<JobOutcome>>,
}

impl JobReply {
    /// For a job of so many messages.
    pub(crate) fn channel(count: usize, doubt: FlushDoubt) -> (Self, JobReplies) {
        let (sender, receiver) = oneshot::channel();
        (Self { count, doubt, sender: Some(sender), may_have_left: false }, JobReplies { count, receiver })
    }

    /// The jobs of the same flush.
    pub(crate) fn doubt(&self) -> &FlushDoubt {
        &self.doubt
    }

    /// One outcome a message, in order.
    pub(crate) fn send_each(mut self, outcomes: Vec<JobOutcome>) {
        let is_unconfirmed =
            |outcome: &JobOutcome| outcome.as_ref().is_err_and(|error| error.kind() == DispatchErrorKind::Unconfirmed);
        if outcomes.iter().any(is_unconfirmed) {
            self.doubt.doubt();
        }
        if let Some(sender) = self.sender.take() {
            // A flush that was cut off does not listen any more.
            let _ = sender.send(outcomes);
        }
    }

    /// The same for all.
    pub(crate) fn send_all(self, outcome: &JobOutcome) {
        let outcomes = vec![outcome.clone(); self.count];
        self.send_each(outcomes);
    }

    /// Whether its flush has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// Whether what it answers for may be on its way.
    pub(crate) fn may_have_left(&mut self, may_have_left: bool) {
        self.may_have_left = may_have_left;
    }
}

impl Drop for JobReply {
    fn drop(&mut self) {
        let Some(sender) = self.sender.take() else { return };
        if self.may_have_left {
            self.doubt.doubt();
        } else {
            let lost = DispatchError::unavailable(BrokerFault::thread_ended());
            let _ = sender.send(vec![Err(lost); self.count]);
        }
    }
}

impl JobReplies {
    /// One outcome for each message.
    pub(crate) async fn receive(self) -> Vec<JobOutcome> {
        let lost = || DispatchError::unconfirmed(BrokerFault::thread_ended());
        self.receiver.await.unwrap_or_else(|_| vec![Err(lost()); self.count])
    }
}

/// How long a job may take: a little less than the flush waits, so that there is time to say what happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobTimeouts {
    /// When a connection is given up.
    connect: Instant,
    /// When an answer is given up.
    reply: Option<Instant>,
}

/// Longer than anybody waits for a connection.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl JobTimeouts {
    pub(crate) fn new(deadline: Deadline, connect: Duration) -> Self {
        let now = Instant::now();
        let reply = deadline.with_margin().instant();
        // The clock ends somewhere.
        let connect = now.checked_add(connect).unwrap_or(now + DAY);
        Self { connect: reply.map_or(connect, |reply| connect.min(reply)), reply }
    }

    pub(crate) fn connect(&self) -> Instant {
        self.connect
    }

    /// When an answer is given up.
    pub(crate) fn reply(&self) -> Option<Instant> {
        self.reply
    }

    /// How much time is left for an answer; `None` if there is no end to it.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.reply.map(|reply| reply.saturating_duration_since(Instant::now()))
    }

    /// Awaits the future, or gives `None` if that takes too long.
    pub(crate) async fn for_answer<F: Future>(&self, future: F) -> Option<F::Output> {
        // Not the runtime's own timer: each one that it gets makes it wake itself once more.
        timer::until(self.reply.map_or(Deadline::NONE, Deadline::at), future).await
    }
}
