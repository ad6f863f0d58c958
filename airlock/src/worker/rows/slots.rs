//! The rows that run side by side. A runner goes from row to row: async ones on the runtime, plain ones on its blocking
//! threads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle as Runtime;
use tokio::sync::Notify;

use super::attempt::{FinishedRow, ReadyRow, RunSettings};
use super::leases::{Leases, StopReason};
use super::pace::Pace;
use super::runner::{Occupancy, RowRunner};
use crate::dispatch::DispatchError;
use crate::runtime::panics::{catch_panic, catching_panics};
use crate::worker::{RunCount, WorkerCounters};

/// How long tasks that never yield may keep others of their runtime waiting, one after the other.
const BETWEEN_YIELDS: Duration = Duration::from_micros(50);

/// How many rows a claim takes at most; twice as many may wait for a slot.
const BATCH: usize = 1000;

/// Rows are claimed ahead of the slots for as long as this, at the pace of the tasks until now: what is claimed and waits is
/// kept from other workers.
const AHEAD: Duration = Duration::from_millis(100);

/// What runs, what is to run next, and what has ended.
pub(super) struct Slots {
    state: Mutex<SlotState>,
    changed: Notify,
    concurrency: usize,
    runtime: Runtime,
    settings: Arc<RunSettings>,
    leases: Arc<Leases>,
    counters: WorkerCounters,
}

struct SlotState {
    ready: VecDeque<ReadyRow>,
    runners: usize,
    /// How many runs have ended, which is how soon slots are free. What starts says nothing about that.
    ended: u64,
    finished: Vec<FinishedRow>,
    pace: Pace,
}

impl Slots {
    pub(super) fn new(
        concurrency: usize,
        runtime: Runtime,
        settings: Arc<RunSettings>,
        leases: Arc<Leases>,
        counters: WorkerCounters,
    ) -> Arc<Self> {
        let state = SlotState { ready: VecDeque::new(), runners: 0, ended: 0, finished: Vec::new(), pace: Pace::new() };
        let changed = Notify::new();
        Arc::new(Self { state: Mutex::new(state), changed, concurrency, runtime, settings, leases, counters })
    }

    /// Takes the row to where its kind runs.
    fn start(self: &Arc<Self>, row: ReadyRow) {
        let slots = Arc::clone(self);
        if row.is_async() {
            drop(self.runtime.spawn(slots.work_async(row)));
        } else {
            drop(self.runtime.spawn_blocking(move || slots.work(row)));
        }
    }

    async fn work_async(self: Arc<Self>, row: ReadyRow) {
        let mut runner = Runner { slots: &self, next: None };
        let (mut next, mut yielded) = (Some(row), Instant::now());
        while let Some(row) = next.take_if(|row| row.is_async()) {
            let ended = catching_panics(self.settings.run_async(&row)).await;
            runner.ended(row, ended);
            if yielded.elapsed() >= BETWEEN_YIELDS {
                tokio::task::yield_now().await;
                yielded = Instant::now();
            }
            next = self.next();
        }
        runner.next = next;
    }

    fn work(self: Arc<Self>, row: ReadyRow) {
        let mut runner = Runner { slots: &self, next: None };
        let mut next = Some(row);
        while let Some(row) = next.take_if(|row| !row.is_async()) {
            let ended = match row.held.stop_reason() {
                // It waited, and is another worker's by now, or called off.
                Some(StopReason::Lost) => Ok(None),
                Some(StopReason::Shutdown) => Ok(Some(self.settings.released(&row))),
                None => catch_panic(|| Some(self.settings.run(&row))),
            };
            runner.ended(row, ended);
            next = self.next();
        }
        runner.next = next;
    }

    /// The next row that is to run.
    fn next(&self) -> Option<ReadyRow> {
        let mut state = self.lock();
        state.ready.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RowRunner for Slots {
    /// In the slots, and before them as far as they would soon start. None while more than half of those are there: many rows
    /// share a claim, which goes on while the other half runs.
    fn room(&self) -> usize {
        let mut state = self.lock();
        let ended = state.ended;
        state.pace.note(ended);
        let ahead = state.pace.within(AHEAD).min(2 * BATCH);
        let ready = state.ready.len();
        if ready > ahead / 2 {
            return 0;
        }
        (self.concurrency + ahead).saturating_sub(state.runners + ready).min(BATCH)
    }

    fn occupancy(&self) -> Occupancy {
        let state = self.lock();
        Occupancy { ready: state.ready.len(), running: state.runners, finished: state.finished.len() }
    }

    /// Has them run as far as there are slots; the others wait here.
    fn add(self: Arc<Self>, rows: Vec<ReadyRow>) {
        let mut state = self.lock();
        state.ready.extend(rows);
        let mut first = Vec::new();
        while state.runners < self.concurrency
            && let Some(row) = state.ready.pop_front()
        {
            state.runners += 1;
            first.push(row);
        }
        drop(state);
        first.into_iter().for_each(|row| self.start(row));
    }

    fn take_finished(&self) -> Vec<FinishedRow> {
        std::mem::take(&mut self.lock().finished)
    }

    fn take_ready(&self) -> Vec<FinishedRow> {
        let ready = std::mem::take(&mut self.lock().ready);
        ready.iter().map(|row| self.settings.released(row)).collect()
    }

    fn take_overdue(&self, longest: Duration) -> Vec<FinishedRow> {
        if self.lock().ready.front().is_none_or(|row| row.since.elapsed() < longest) {
            return Vec::new();
        }
        self.take_ready()
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }
}

/// One slot that is in use; dropped, it is free, or the next row's.
struct Runner<'a> {
    slots: &'a Arc<Slots>,
    /// One of the other kind, which another runner goes on with.
    next: Option<ReadyRow>,
}

impl Runner<'_> {
    /// A run has ended; the outer error is a panic of a destructor.
    fn ended(&self, row: ReadyRow, ended: Result<Option<FinishedRow>, String>) {
        let slots = self.slots;
        slots.lock().ended += 1;
        let finished = match ended {
            _ if row.held.stop_reason() == Some(StopReason::Lost) => None,
            Ok(finished) => finished,
            Err(message) => Some(slots.settings.failed(&row, DispatchError::panicked(message))),
        };
        match finished {
            Some(finished) => {
                let ready = (!finished.end.follow_ups.is_empty()).then_some(row);
                slots.lock().finished.push(FinishedRow { ready, ..finished });
            }
            None => {
                slots.leases.end(&row.row.key);
                slots.counters.add(RunCount::Stale, 1);
            }
        }
        slots.changed.notify_one();
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        // What came after this runner had looked for its next row found the slot in use.
        let next = self.next.take().or_else(|| state.ready.pop_front());
        if next.is_none() {
            state.runners -= 1;
        }
        drop(state);
        if let Some(next) = next {
            self.slots.start(next);
        }
        self.slots.changed.notify_one();
    }
}
