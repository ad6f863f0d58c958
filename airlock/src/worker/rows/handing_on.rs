//! One batch of rows on its way to an executor, and what that makes of each row.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::attempt::{FinishedRow, ReadyRow};
use super::relay::Shared;
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::executors::{Batch, FlushContext, FlushMode, ItemState, Ledger, OnFailure, drive};
use crate::intent::Intent;
use crate::outbox::{OutboxState, RowEnd};
use crate::runtime::Deadline;
use crate::runtime::panics::catch_panic;
use crate::state::State;

/// How long an executor has for a batch.
const DEADLINE: Duration = Duration::from_secs(30);

/// What became of a batch.
pub(super) struct HandedOn {
    pub(super) rows: Vec<FinishedRow>,
    pub(super) took_some: bool,
    /// Why some were not taken, and go back.
    pub(super) not_taken: Option<String>,
}

/// Hands the rows on, in their order, and waits until the executor has said what it knows of each.
pub(super) async fn hand_on(shared: &Shared, rows: Vec<ReadyRow>) -> HandedOn {
    let executor = &*shared.executor;
    let deadline = if executor.capabilities().no_deadline { Deadline::NONE } else { Deadline::after(DEADLINE) };
    let mut handed_on = HandedOn { rows: Vec::with_capacity(rows.len()), took_some: false, not_taken: None };
    let flush = FlushContext {
        mode: FlushMode::Async,
        now: SystemTime::now(),
        deadline,
        state: State::default(),
        may_have_options: true,
    };
    let (mut accepted, mut intents) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for ready in rows {
        match prepare(shared, &ready, &flush) {
            Ok(intent) => {
                accepted.push(ready);
                intents.push(intent);
            }
            Err(finished) => handed_on.rows.push(*finished),
        }
    }
    let ledger = Arc::new(Ledger::new(intents.len(), OnFailure::Continue, deadline));
    let batch = Batch::new(intents, Arc::clone(&ledger), false);
    tokio::select! {
        biased;
        ended = drive(executor, batch, deadline) => drop(ended),
        // What has begun may have arrived.
        () = shared.stopped.notified() => {}
    }
    for (ready, state) in accepted.iter().zip(ledger.close().into_states()) {
        let finished = handed_on.outcome(shared, ready, state);
        handed_on.rows.push(finished);
    }
    handed_on
}

/// The intent of a row, if the executor takes it at all.
fn prepare(shared: &Shared, ready: &ReadyRow, flush: &FlushContext) -> Result<Intent, Box<FinishedRow>> {
    let intent = ready.row.to_hand_on(ready.task);
    let intent = intent.map_err(|error| Box::new(shared.settings.failed(ready, DispatchError::rejected(error))))?;
    if intent.expires_at(flush.now).is_some_and(|expiry| expiry <= flush.now) {
        let end = RowEnd::new(ready.row.key.clone(), OutboxState::Expired);
        return Err(Box::new(FinishedRow::new(RowEnd { counts: false, ..end })));
    }
    match catch_panic(|| shared.executor.accepts(&intent, flush)) {
        Ok(Ok(())) => Ok(intent),
        Ok(Err(rejection)) => Err(Box::new(shared.settings.refused(ready, DispatchError::rejected(rejection)))),
        Err(message) => Err(Box::new(shared.settings.failed(ready, DispatchError::panicked(message)))),
    }
}

impl HandedOn {
    /// Has what goes back wait that long: what is behind it, and may be for a part of the executor that takes it, comes first.
    pub(super) fn put_back(&mut self, pause: Duration) {
        let back = self.rows.iter_mut().filter(|row| row.end.state == OutboxState::Waiting && !row.end.counts);
        back.for_each(|row| row.end.pause = Some(pause));
    }

    fn outcome(&mut self, shared: &Shared, ready: &ReadyRow, state: ItemState) -> FinishedRow {
        let key = ready.row.key.clone();
        match state {
            ItemState::Dispatched => {
                self.took_some = true;
                FinishedRow::new(RowEnd::new(key, OutboxState::Done))
            }
            ItemState::Failed(failure) => match failure.error.kind() {
                DispatchErrorKind::Rejected => shared.settings.refused(ready, failure.error),
                DispatchErrorKind::TaskFailed => shared.settings.failed(ready, failure.error),
                DispatchErrorKind::Unavailable | DispatchErrorKind::Unconfirmed => {
                    let reason = format!("{}: {}", failure.error, failure.error.reason());
                    self.not_taken.get_or_insert_with(|| reason.clone());
                    FinishedRow::new(RowEnd { error: Some(reason), ..RowEnd::released(key) })
                }
            },
            ItemState::Unsettled => {
                self.not_taken.get_or_insert_with(|| "the executor ended without an outcome".to_owned());
                FinishedRow::new(RowEnd::released(key))
            }
            ItemState::NotBegun(_) => {
                self.not_taken.get_or_insert_with(|| "the executor ended before it began with them".to_owned());
                FinishedRow::new(RowEnd::released(key))
            }
        }
    }
}
