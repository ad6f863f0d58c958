//! One batch of rows on its way to an executor, and what that makes of each row.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::attempt::{FinishedRow, ReadyRow, shortened};
use super::leases::StopReason;
use super::relay::RelayShared;
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::executors::{Batch, DispatchEnd, FlushContext, FlushMode, ItemState, Ledger, OnFailure, drive};
use crate::intent::Intent;
use crate::outbox::{OutboxState, RowEnd, RowKey};
use crate::runtime::Deadline;
use crate::runtime::panics::catch_panic;
use crate::state::State;

/// How long an executor has for a batch.
const DEADLINE: Duration = Duration::from_secs(30);

/// What became of a batch.
#[derive(Default)]
pub(super) struct HandedOn {
    pub(super) rows: Vec<FinishedRow>,
    /// The tasks of rows that were handed over, and whether the executor has said something of one that lasts.
    pub(super) tasks: HashMap<&'static str, bool>,
    /// Why some were not taken, and go back.
    pub(super) not_taken: Option<String>,
}

/// What is handed over together, each row with its intent.
type Accepted = Vec<(ReadyRow, Intent)>;

/// Hands the rows on, in their order, and waits until the executor has said what it knows of each.
pub(super) async fn hand_on(shared: &RelayShared, rows: Vec<ReadyRow>) -> HandedOn {
    let mut handed_on = HandedOn { rows: Vec::with_capacity(rows.len()), ..HandedOn::default() };
    let capabilities = shared.executor.capabilities();
    let deadline = if capabilities.no_deadline { Deadline::NONE } else { Deadline::after(DEADLINE) };
    let flush = FlushContext {
        mode: FlushMode::Async,
        now: SystemTime::now(),
        deadline,
        state: State::default(),
        may_have_options: true,
    };
    let mut accepted = Vec::with_capacity(rows.len());
    for ready in rows {
        match prepare(shared, &ready, &flush) {
            Ok(intent) => accepted.push((ready, intent)),
            Err(finished) => handed_on.rows.push(*finished),
        }
    }
    let mut batches = vec![accepted];
    while let Some(batch) = batches.pop() {
        let mut refused = handed_on.hand_over(shared, batch, deadline).await;
        match refused.len() {
            // What refuses all for the sake of one, as a transaction does, is asked again for less.
            2.. if capabilities.all_or_nothing => {
                let second = refused.split_off(refused.len() / 2);
                let intents =
                    |half: Vec<RefusedRow>| half.into_iter().map(|(ready, intent, _)| (ready, intent)).collect();
                batches.extend([intents(second), intents(refused)]);
            }
            _ => refused.into_iter().for_each(|(ready, _, error)| handed_on.refuse(shared, &ready, error)),
        }
    }
    handed_on
}

/// The intent of a row, if the executor takes it at all.
fn prepare(shared: &RelayShared, ready: &ReadyRow, flush: &FlushContext) -> Result<Intent, Box<FinishedRow>> {
    if ready.held.stop_reason() == Some(StopReason::Lost) {
        // Called off, or another worker's by now: nothing can be recorded of it.
        return Err(Box::new(shared.settings.released(ready)));
    }
    if is_late(ready, flush.now) {
        return Err(Box::new(expired(ready)));
    }
    let asked = catch_panic(|| {
        let intent = ready.row.to_hand_on(ready.task).map_err(|error| (DispatchError::rejected(error), false))?;
        let accepted = shared.executor.accepts(&intent, flush);
        accepted.map(|()| intent).map_err(|rejection| (DispatchError::rejected(rejection), true))
    });
    match asked {
        Ok(Ok(intent)) => Ok(intent),
        Ok(Err((error, true))) => Err(Box::new(shared.settings.refused(ready, error))),
        Ok(Err((error, false))) => Err(Box::new(shared.settings.failed(ready, error))),
        Err(message) => Err(Box::new(shared.settings.failed(ready, DispatchError::panicked(message)))),
    }
}

fn is_late(ready: &ReadyRow, now: SystemTime) -> bool {
    ready.row.expires.is_some_and(|expiry| expiry <= now)
}

/// Whether that is what becomes of it, and nothing that may be otherwise next time.
fn is_answered(state: &ItemState) -> bool {
    match state {
        ItemState::Dispatched => true,
        ItemState::Failed(failure) => match failure.error.kind() {
            DispatchErrorKind::Rejected => !failure.error.is_of_connection(),
            kind => kind == DispatchErrorKind::TaskFailed,
        },
        ItemState::Unsettled | ItemState::NotBegun(_) => false,
    }
}

fn expired(ready: &ReadyRow) -> FinishedRow {
    let end = RowEnd::new(ready.row.key.clone(), OutboxState::Expired);
    FinishedRow::new(RowEnd { counts: false, ..end })
}

/// A row that the executor refuses for good, and why.
type RefusedRow = (ReadyRow, Intent, DispatchError);

impl HandedOn {
    /// All of it goes back.
    pub(super) fn panicked(keys: Vec<RowKey>, message: &str) -> Self {
        let rows = keys.into_iter().map(|key| FinishedRow::new(RowEnd::released(key))).collect();
        Self { rows, not_taken: Some(format!("panicked: {message}")), ..Self::default() }
    }

    /// Has what was tried in vain wait that long: what is behind it, and may be taken, comes first.
    pub(super) fn put_back(&mut self, pause: Duration) {
        let tried = self.rows.iter_mut().filter(|row| row.end.state == OutboxState::Waiting && !row.end.counts);
        tried.filter(|row| row.end.error.is_some()).for_each(|row| row.end.pause = Some(pause));
    }

    /// One batch of the executor. Gives what that refuses.
    async fn hand_over(&mut self, shared: &RelayShared, accepted: Accepted, deadline: Deadline) -> Vec<RefusedRow> {
        if accepted.is_empty() {
            return Vec::new();
        }
        let intents: Vec<_> = accepted.iter().map(|(_, intent)| intent.clone()).collect();
        let ledger = Arc::new(Ledger::new(intents.len(), OnFailure::Continue, deadline));
        let batch = Batch::new(intents, Arc::clone(&ledger), false);
        let mut stopped = shared.stopped.subscribe();
        let ended = tokio::select! {
            biased;
            // What has begun may have arrived.
            _ = stopped.wait_for(|stopped| *stopped) => DispatchEnd::Dropped,
            ended = drive(&*shared.executor, batch, deadline) => ended,
        };
        let mut refused = Vec::new();
        for ((ready, intent), state) in accepted.into_iter().zip(ledger.close().into_states()) {
            *self.tasks.entry(ready.task.name).or_default() |= is_answered(&state);
            match state {
                ItemState::Dispatched => {
                    self.rows.push(FinishedRow::new(RowEnd::new(ready.row.key.clone(), OutboxState::Done)));
                }
                ItemState::Failed(failure) => match failure.error.kind() {
                    // What the broker says to this user, or to this address, is nothing about the row.
                    DispatchErrorKind::Rejected if failure.error.is_of_connection() => {
                        self.goes_back(&ready, Some(failure.error.reason()));
                    }
                    DispatchErrorKind::Rejected => {
                        refused.push((ready, intent, failure.error));
                    }
                    DispatchErrorKind::TaskFailed => {
                        self.rows.push(shared.settings.failed(&ready, failure.error));
                    }
                    DispatchErrorKind::Unavailable | DispatchErrorKind::Unconfirmed => {
                        let reason = match &ended {
                            DispatchEnd::Panicked(message) => format!("the executor panicked: {message}"),
                            _ => format!("{}: {}", failure.error, failure.error.reason()),
                        };
                        self.goes_back(&ready, Some(reason));
                    }
                },
                ItemState::Unsettled => {
                    let reason = match &ended {
                        DispatchEnd::DeadlinePassed => "the executor gave no answer in time",
                        _ => "the executor ended without an outcome",
                    };
                    self.goes_back(&ready, Some(reason.to_owned()));
                }
                ItemState::NotBegun(_) => self.goes_back(&ready, None),
            }
        }
        if ended == DispatchEnd::Dropped {
            // That is the end of this worker, and no news of the executor.
            self.not_taken = None;
        }
        refused
    }

    /// With a reason, if it was tried.
    fn goes_back(&mut self, ready: &ReadyRow, tried: Option<String>) {
        let said = tried.as_deref().unwrap_or("the executor ended before it began with them");
        self.not_taken.get_or_insert_with(|| said.to_owned());
        let error = tried.map(shortened);
        self.rows.push(FinishedRow::new(RowEnd { error, ..RowEnd::released(ready.row.key.clone()) }));
    }

    fn refuse(&mut self, shared: &RelayShared, ready: &ReadyRow, error: DispatchError) {
        let is_late = is_late(ready, SystemTime::now());
        self.rows.push(if is_late { expired(ready) } else { shared.settings.refused(ready, error) });
    }
}
