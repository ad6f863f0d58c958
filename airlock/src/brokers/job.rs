//! What is handed to the I/O thread, and what comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::fault::BrokerFault;
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::runtime::{Deadline, timer};

/// How one message fared.
pub(crate) type Outcome = Result<(), DispatchError>;

/// Messages on their way, in order, and who waits for their outcomes.
#[derive(Debug)]
pub(crate) struct Job<M> {
    /// Its place in the line: what is given back returns to it.
    pub(crate) number: u64,
    pub(crate) messages: Vec<M>,
    pub(crate) patience: Patience,
    pub(crate) answer: Answer,
}

/// What the jobs of one flush know of each other: once it is in doubt whether an earlier one is with the broker, a later
/// one must not go through another connection. The broker may still be reading the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
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
pub(crate) struct Answer {
    count: usize,
    line: Line,
    sender: Option<oneshot::Sender<Vec<Outcome>>>,
    may_have_left: bool,
}

/// What gives the outcomes of a job, under any runtime and under none.
#[derive(Debug)]
pub(crate) struct Answers {
    count: usize,
    receiver: oneshot::Receiver<Vec<Outcome>>,
}

impl Answer {
    /// For a job of so many messages.
    pub(crate) fn channel(count: usize, line: Line) -> (Self, Answers) {
        let (sender, receiver) = oneshot::channel();
        (Self { count, line, sender: Some(sender), may_have_left: false }, Answers { count, receiver })
    }

    /// The jobs of the same flush.
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// One outcome a message, in order.
    pub(crate) fn each(mut self, outcomes: Vec<Outcome>) {
        let is_unconfirmed =
            |outcome: &Outcome| outcome.as_ref().is_err_and(|error| error.kind() == DispatchErrorKind::Unconfirmed);
        if outcomes.iter().any(is_unconfirmed) {
            self.line.doubt();
        }
        if let Some(sender) = self.sender.take() {
            // A flush that was cut off does not listen any more.
            let _ = sender.send(outcomes);
        }
    }

    /// The same for all.
    pub(crate) fn all(self, outcome: &Outcome) {
        let outcomes = vec![outcome.clone(); self.count];
        self.each(outcomes);
    }

    /// Whether nobody waits for it.
    pub(crate) fn is_unheard(&self) -> bool {
        self.sender.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// Whether what it answers for may be on its way.
    pub(crate) fn may_have_left(&mut self, may_have_left: bool) {
        self.may_have_left = may_have_left;
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let Some(sender) = self.sender.take() else { return };
        if self.may_have_left {
            self.line.doubt();
        } else {
            let lost = DispatchError::unavailable(BrokerFault::thread_ended());
            let _ = sender.send(vec![Err(lost); self.count]);
        }
    }
}

impl Answers {
    /// One outcome for each message.
    pub(crate) async fn receive(self) -> Vec<Outcome> {
        let lost = || DispatchError::unconfirmed(BrokerFault::thread_ended());
        self.receiver.await.unwrap_or_else(|_| vec![Err(lost()); self.count])
    }
}

/// How long a job may take: a little less than the flush waits, so that there is time to say what happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// When a connection is given up.
    connect: Instant,
    /// When an answer is given up.
    answer: Option<Instant>,
}

/// Longer than anybody waits for a connection.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Patience {
    pub(crate) fn new(deadline: Deadline, connect: Duration) -> Self {
        let now = Instant::now();
        let answer = deadline.with_time_to_tell().instant();
        // The clock ends somewhere.
        let connect = now.checked_add(connect).unwrap_or(now + DAY);
        Self { connect: answer.map_or(connect, |answer| connect.min(answer)), answer }
    }

    pub(crate) fn connect(&self) -> Instant {
        self.connect
    }

    /// When an answer is given up.
    #[cfg(feature = "amqp")]
    pub(crate) fn answer(&self) -> Option<Instant> {
        self.answer
    }

    /// How much time is left for an answer; `None` if there is no end to it.
    #[cfg(feature = "_sql")]
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.answer.map(|answer| answer.saturating_duration_since(Instant::now()))
    }

    /// Awaits the future, or gives `None` if that takes too long.
    pub(crate) async fn for_answer<F: Future>(&self, future: F) -> Option<F::Output> {
        // Not the runtime's own timer: each one that it gets makes it wake itself once more.
        timer::until(self.answer.map_or(Deadline::NONE, Deadline::at), future).await
    }
}
