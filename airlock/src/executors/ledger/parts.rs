//! Parts of a batch: what an executor made of others gives to each of them, and gives once more.
//!
//! A part has a ledger of its own, so that what one executor meets doesn't stop another: the first `Unavailable` ends
//! its part, a failure under fail-fast ends them all. Of several parts that hold the same intent the later one says how
//! it ended, as far as it knows: what was tried once is not unattempted, and what may have been accepted once stays
//! unconfirmed until it is known to be.

use std::sync::Arc;
use std::time::Duration;

use super::{Cause, DispatchEnd, ItemState, Ledger, Parent, Settled, Stop};
use crate::dispatch::DispatchErrorKind;
use crate::executors::Batch;
use crate::intent::Intent;
use crate::runtime::Deadline;

/// A part of a batch, by the places of its intents in the parent.
#[derive(Debug)]
pub(super) struct SubBatchRecord {
    places: Vec<usize>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Open(Arc<Ledger>),
    Closed(Closed),
}

/// How the intents of a part ended, each with its place in the parent.
#[derive(Debug)]
pub(super) struct Closed {
    states: Vec<(usize, ItemState)>,
    timings: Vec<(usize, Duration)>,
}

impl SubBatchRecord {
    pub(super) fn close(self) -> Closed {
        match self.content {
            Content::Open(ledger) => Closed::new(&self.places, ledger.close(), None),
            Content::Closed(closed) => closed,
        }
    }
}

impl Closed {
    fn new(places: &[usize], mut settled: Settled, ending: Option<DispatchEnd>) -> Self {
        let timings = std::mem::take(&mut settled.timings).into_iter().map(|(index, time)| (places[index], time));
        let timings = timings.collect();
        let cause = settled.stop.map(Cause::Stopped).or(ending.map(Cause::Ended));
        let states = settled.into_states().map(|state| match state {
            ItemState::NotBegun(own) => ItemState::NotBegun(own.or_else(|| cause.clone())),
            state => state,
        });
        Self { states: places.iter().copied().zip(states).collect(), timings }
    }
}

/// Adds the times of the parts; of several goes at an intent, the last one's counts.
pub(super) fn add_timings(parts: &mut [Closed], timings: &mut Vec<(usize, Duration)>) {
    if parts.is_empty() {
        return;
    }
    timings.extend(parts.iter_mut().flat_map(|part| part.timings.drain(..)));
    timings.reverse();
    timings.sort_by_key(|(place, _)| *place);
    timings.dedup_by_key(|(place, _)| *place);
}

/// The states of the parent with those of its parts over them.
pub(super) fn overlay(mut states: Vec<ItemState>, parts: Vec<Closed>) -> Vec<ItemState> {
    for (place, state) in parts.into_iter().flat_map(|part| part.states) {
        if supersedes(&state, &states[place]) {
            states[place] = state;
        }
    }
    states
}

/// Whether the later state says more than the earlier one.
fn supersedes(later: &ItemState, earlier: &ItemState) -> bool {
    match (earlier, later) {
        (ItemState::NotBegun(_), _) => true,
        (_, ItemState::NotBegun(_)) => false,
        // That it was not accepted now doesn't mean that it was not accepted then.
        (ItemState::Unsettled, later) => is_more_than_a_refusal(later),
        (ItemState::Failed(failure), later) if failure.error.kind() == DispatchErrorKind::Unconfirmed => {
            is_more_than_a_refusal(later)
        }
        _ => true,
    }
}

fn is_more_than_a_refusal(state: &ItemState) -> bool {
    match state {
        ItemState::Failed(failure) => {
            !matches!(failure.error.kind(), DispatchErrorKind::Unavailable | DispatchErrorKind::Rejected)
        }
        _ => true,
    }
}

/// Intents of a parent batch that another executor is given.
#[derive(Debug)]
pub(crate) struct SubBatch {
    parent: Arc<Ledger>,
    ledger: Arc<Ledger>,
    /// Handles of the intents, with their places in the parent, if they may be given once more.
    again: Vec<(usize, Intent)>,
}

/// Who hears of a failure in a part, and whether its intents may be given once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tries {
    /// The only try: a failure in it is one of the parent at once.
    Only,
    /// The same, while other executors have theirs at other intents.
    Beside,
    /// There may be another one, and this one ends by then.
    OneOfSeveral(Deadline),
}

/// How an intent of an attempt ended, as far as it matters for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Done,
    Failed(DispatchErrorKind),
    /// Not begun because an earlier one was unavailable, or failed under fail-fast.
    HeldBack,
    /// Not begun before the deadline.
    OutOfTime,
    /// Not begun for another reason.
    Unattempted,
}

impl SubBatch {
    /// A part of its own for these intents.
    pub(crate) fn new(parent: &Arc<Ledger>, items: Vec<(usize, Intent)>, tries: Tries, timings: bool) -> (Self, Batch) {
        let deadline = if let Tries::OneOfSeveral(deadline) = tries { deadline } else { parent.deadline };
        let of = Parent { ledger: Arc::clone(parent), tries };
        let ledger = Arc::new(Ledger::with_parent(Some(of), items.len(), parent.on_failure, deadline));
        let places = items.iter().map(|(place, _)| *place).collect();
        let mut cold = parent.cold();
        if cold.closed {
            // The flush has stopped waiting: nothing begins any more.
            ledger.close();
        } else {
            cold.parts.push(SubBatchRecord { places, content: Content::Open(Arc::clone(&ledger)) });
        }
        drop(cold);
        // Without a second handle, arguments can be moved into a task.
        let again = if matches!(tries, Tries::OneOfSeveral(_)) { items.clone() } else { Vec::new() };
        let intents = items.into_iter().map(|(_, intent)| intent).collect();
        let batch = Batch::new(intents, Arc::clone(&ledger), timings);
        (Self { parent: Arc::clone(parent), ledger, again }, batch)
    }

    /// Ends the attempt; what is still under way then is unconfirmed. Each intent of which there
    /// are to be several tries comes with what this one left.
    pub(crate) fn finish(self, ending: DispatchEnd) -> Vec<(usize, Intent, AttemptOutcome)> {
        let mut cold = self.parent.cold();
        let is_this = |part: &&mut SubBatchRecord| matches!(&part.content, Content::Open(open) if Arc::ptr_eq(open, &self.ledger));
        let Some(part) = cold.parts.iter_mut().find(is_this) else {
            // The flush has ended before, and knows all of this.
            return Vec::new();
        };
        let closed = Closed::new(&part.places, self.ledger.close(), Some(ending));
        let left = closed.states.iter().map(|(_, state)| AttemptOutcome::of(state)).collect::<Vec<_>>();
        part.content = Content::Closed(closed);
        drop(cold);
        self.again.into_iter().zip(left).map(|((place, intent), left)| (place, intent, left)).collect()
    }
}

impl AttemptOutcome {
    fn of(state: &ItemState) -> Self {
        match state {
            ItemState::Dispatched => Self::Done,
            ItemState::Failed(failure) => Self::Failed(failure.error.kind()),
            ItemState::Unsettled => Self::Failed(DispatchErrorKind::Unconfirmed),
            ItemState::NotBegun(Some(Cause::Stopped(Stop::Unavailable | Stop::Failure))) => Self::HeldBack,
            ItemState::NotBegun(Some(Cause::Stopped(Stop::Deadline) | Cause::Ended(DispatchEnd::DeadlinePassed))) => {
                Self::OutOfTime
            }
            ItemState::NotBegun(_) => Self::Unattempted,
        }
    }
}
