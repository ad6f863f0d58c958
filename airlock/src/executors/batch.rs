//! What an executor is given: intents one by one, each to be settled.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use std::{fmt, vec};

use super::ledger::Ledger;
use crate::dispatch::DispatchError;
use crate::intent::{Identity, Intent};
use crate::runtime::Deadline;

/// The intents of one flush on their way out, in order.
///
/// [`begin`](Self::begin) gives the next one; it ends early at the first failure under fail-fast, at the first
/// `Unavailable` and at the deadline, so an executor need not look for those. A batch may move to another thread; once
/// the flush has stopped waiting, it gives nothing more.
#[derive(Debug)]
pub struct Batch {
    intents: vec::IntoIter<Intent>,
    ledger: Arc<Ledger>,
    timings: bool,
    /// Whether there may be options of calls.
    may_have_options: bool,
    /// For how many intents there is memory, taken or not.
    capacity: usize,
    /// How many of the next ones are known to have no time to start at.
    undelayed: usize,
}

impl Batch {
    pub(crate) fn new(intents: Vec<Intent>, ledger: Arc<Ledger>, timings: bool) -> Self {
        Self {
            capacity: intents.capacity(),
            undelayed: 0,
            intents: intents.into_iter(),
            ledger,
            timings,
            may_have_options: true,
        }
    }

    /// One whose intents have no options but their tasks', which are found without a look at each intent's own memory.
    pub(crate) fn without_call_options(mut self) -> Self {
        self.may_have_options = false;
        self
    }

    /// The next intent. From now on it counts as unconfirmed until it is settled.
    pub fn begin(&mut self) -> Option<Begun> {
        if self.intents.len() == 0 {
            return None;
        }
        let index = self.ledger.begin()?;
        let intent = self.intents.next()?;
        let started = self.timings.then(Instant::now);
        let ticket = Ticket { index, identity: intent.identity(), ledger: Some(Arc::clone(&self.ledger)), started };
        Some(Begun { intent, ticket })
    }

    /// Begins the next intents, has them taken all at once, and settles them: without a ticket, a claim or a look at the
    /// clock for each, which cost more than all the rest. They are all there are, if there is `room` for so many and none
    /// has a time to start at; otherwise at most a chunk of those before the first that has. `take` must not panic.
    /// Returns how many they were.
    pub(super) fn hand_over_at_once(
        &mut self,
        room: usize,
        chunk: usize,
        take: impl FnOnce(vec::IntoIter<Intent>),
    ) -> usize {
        if self.timings {
            return 0;
        }
        let all = self.intents.len();
        let limit = if all <= room { all } else { room.min(chunk) };
        let unknown = self.intents.as_slice().get(self.undelayed..limit).unwrap_or_default();
        let undelayed = self.undelayed + unknown.iter().take_while(|intent| !self.is_delayed(intent)).count();
        let count = if undelayed == all && all <= room { all } else { undelayed.min(limit).min(chunk) };
        let Some(begun) = self.ledger.begin_several(count) else { return 0 };
        self.undelayed = undelayed - count;
        // Memory that is mostly empty would be kept until the last of them has started.
        take(if count == all && count >= self.capacity / 2 {
            std::mem::take(&mut self.intents)
        } else {
            self.intents.by_ref().take(count).collect::<Vec<_>>().into_iter()
        });
        self.ledger.dispatched_several(begun);
        count
    }

    /// Begins the next intent, has it handed over, and settles it if that went well. `hand_over` also gets whether
    /// the intent has a time to start at, and must not panic.
    ///
    /// A refusal comes with what settles the intent, which it gives back.
    pub(super) fn hand_over_next<R>(
        &mut self,
        hand_over: impl FnOnce(Intent, bool) -> Result<(), (Intent, R)>,
    ) -> Option<Result<(), (Begun, R)>> {
        if self.intents.len() == 0 {
            return None;
        }
        let index = self.ledger.begin()?;
        let intent = self.intents.next()?;
        self.undelayed = self.undelayed.saturating_sub(1);
        let is_delayed = self.is_delayed(&intent);
        let started = self.timings.then(Instant::now);
        Some(match hand_over(intent, is_delayed) {
            Ok(()) => {
                if let Some(started) = started {
                    self.ledger.took(index, started.elapsed());
                }
                self.ledger.dispatched(index);
                Ok(())
            }
            Err((intent, refusal)) => {
                let (identity, ledger) = (intent.identity(), Some(Arc::clone(&self.ledger)));
                Err((Begun { intent, ticket: Ticket { index, identity, ledger, started } }, refusal))
            }
        })
    }

    #[inline]
    fn is_delayed(&self, intent: &Intent) -> bool {
        if self.may_have_options { intent.options() } else { intent.task().options }.get_start().is_some()
    }

    /// Takes out what has not begun, each with its place in the ledger, to be handed over in parts.
    pub(super) fn divide(mut self) -> SplitBatch {
        let first = self.ledger.len() - self.intents.len();
        let intents = std::mem::take(&mut self.intents);
        SplitBatch {
            ledger: Arc::clone(&self.ledger),
            timings: self.timings,
            items: intents.enumerate().map(|(offset, intent)| (first + offset, intent)).collect(),
        }
    }

    /// Lets other executors of the flush go on, if there are any: for those that do their work on its thread.
    pub(super) async fn make_way(&self) {
        if self.remaining() == 0 || !self.ledger.is_beside_others() {
            return;
        }
        let mut was_polled = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut was_polled, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// The same error for all that may still begin.
    pub(crate) fn settle_rest(&mut self, error: &DispatchError) {
        while let Some(begun) = self.begin() {
            begun.settle(Err(error.clone()));
        }
    }

    /// How many intents have not begun. Fewer may come.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.intents.len()
    }

    /// When the flush gives up.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.ledger.deadline()
    }
}

/// A batch that is handed over in parts, by several executors or by one several times.
#[derive(Debug)]
pub(super) struct SplitBatch {
    pub(super) ledger: Arc<Ledger>,
    pub(super) timings: bool,
    /// The intents, each with its place in the ledger.
    pub(super) items: Vec<(usize, Intent)>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.intents.len() > 0 {
            self.ledger.give_back(self.intents.by_ref());
        }
    }
}

/// An intent that may leave now, to be settled.
#[derive(Debug)]
#[must_use = "an intent that begins and is not settled counts as unconfirmed"]
pub struct Begun {
    intent: Intent,
    ticket: Ticket,
}

impl Begun {
    /// The intent.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Says how the hand-over went.
    pub fn settle(self, result: Result<(), DispatchError>) {
        let Self { intent, mut ticket } = self;
        ticket.finish(result, Some(intent));
    }

    /// The intent by value, to be moved into its task, and what settles it.
    pub fn into_parts(self) -> (Intent, Ticket) {
        (self.intent, self.ticket)
    }
}

/// What settles an intent once; dropped unsettled, the intent is unconfirmed.
#[must_use = "an intent that begins and is not settled counts as unconfirmed"]
pub struct Ticket {
    index: usize,
    identity: Identity,
    /// `None` once it is settled.
    ledger: Option<Arc<Ledger>>,
    started: Option<Instant>,
}

impl Ticket {
    /// Says how the hand-over went.
    pub fn settle(mut self, result: Result<(), DispatchError>) {
        self.finish(result, None);
    }

    /// The same, with the intent to be kept if it failed.
    pub(super) fn settle_with(mut self, result: Result<(), DispatchError>, intent: Option<Intent>) {
        self.finish(result, intent);
    }

    fn finish(&mut self, result: Result<(), DispatchError>, intent: Option<Intent>) {
        let Some(ledger) = self.ledger.take() else { return };
        if let Some(started) = self.started {
            ledger.took(self.index, started.elapsed());
        }
        match result {
            Ok(()) => ledger.dispatched(self.index),
            Err(error) => ledger.failed(self.index, self.identity.failure(error, intent)),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.ledger.is_some() {
            self.finish(Err(DispatchError::unconfirmed("the executor ended without saying how it went")), None);
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("task", &self.identity.task.name).finish_non_exhaustive()
    }
}
