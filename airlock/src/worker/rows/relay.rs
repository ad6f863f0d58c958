//! Rows that are handed on to an executor, batch by batch: what a relay does with them.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Handle as Runtime;
use tokio::sync::{Notify, mpsc, watch};

use super::abort::AbortOnDrop;
use super::attempt::{FinishedRow, ReadyRow, RunSettings};
use super::handing_on::{self, HandedOn};
use super::resting::RestingTasks;
use super::runner::{Occupancy, RowRunner};
use crate::executors::Executor;
use crate::runtime::panics::catching_panics;
use crate::runtime::{BoxFuture, Pauses};

/// How many rows are handed on together: several of the jobs that executors send at a time.
const BATCH: usize = 1000;

/// How many rows the first batch has: until it has been handed on, nothing else is claimed.
const FIRST: usize = 100;

/// How many batches are under way, unless set.
pub(super) const BATCHES: usize = 4;

/// How often it is said, at the most, that an executor takes nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// How long a row that was not taken waits, at the least.
const SHORTEST: Duration = Duration::from_millis(5);

/// The batches that are under way, in the order of their claims. Dropped, it hands on nothing more.
pub(super) struct RelayedBatches {
    shared: Arc<RelayShared>,
    batches: mpsc::UnboundedSender<RelayedBatch>,
    _driver: AbortOnDrop,
}

struct RelayedBatch {
    rows: Vec<ReadyRow>,
    /// One row of a task that rests.
    is_probe: bool,
}

/// What the batches know of each other.
pub(super) struct RelayShared {
    pub(super) executor: Arc<dyn Executor>,
    pub(super) settings: Arc<RunSettings>,
    /// Whether no batch is to be waited for any more.
    pub(super) stopped: watch::Sender<bool>,
    most: usize,
    changed: Notify,
    state: Mutex<RelayState>,
}

struct RelayState {
    batches: usize,
    rows: usize,
    /// A batch has been handed on. Until then there is one at a time: those that wait for the first connection together
    /// would begin in any order.
    has_begun: bool,
    is_probing: bool,
    finished: Vec<FinishedRow>,
    resting: RestingTasks,
    pauses: Pauses,
    /// When it was last said that something is not taken.
    told: Option<Instant>,
    /// It is to be said as well that everything is taken again.
    tells_end: bool,
    /// There are rows that were not to be claimed before.
    has_news: bool,
}

impl RelayedBatches {
    pub(super) fn new(
        executor: Arc<dyn Executor>,
        most: usize,
        settings: Arc<RunSettings>,
        runtime: &Runtime,
    ) -> Arc<Self> {
        let state = RelayState {
            batches: 0,
            rows: 0,
            has_begun: false,
            is_probing: false,
            finished: Vec::new(),
            resting: RestingTasks::default(),
            pauses: Pauses::new(),
            told: None,
            tells_end: false,
            has_news: false,
        };
        let (stopped, changed) = (watch::Sender::new(false), Notify::new());
        let shared = Arc::new(RelayShared { executor, settings, stopped, most, changed, state: Mutex::new(state) });
        let (batches, queue) = mpsc::unbounded_channel();
        let driver = AbortOnDrop(runtime.spawn(drive_all(Arc::clone(&shared), queue)));
        Arc::new(Self { shared, batches, _driver: driver })
    }

    fn begin(&self, rows: Vec<ReadyRow>, is_probe: bool) {
        if rows.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        state.rows += rows.len();
        if is_probe {
            state.is_probing = true;
        } else {
            state.batches += 1;
        }
        drop(state);
        // The driver ends with this.
        let _ = self.batches.send(RelayedBatch { rows, is_probe });
    }
}

/// Polls the batches in their order, so that executors which keep an order see that of the claims.
async fn drive_all(shared: Arc<RelayShared>, mut queue: mpsc::UnboundedReceiver<RelayedBatch>) {
    let mut under_way: Vec<BoxFuture<'static, ()>> = Vec::new();
    poll_fn(|cx| {
        while let Poll::Ready(Some(batch)) = queue.poll_recv(cx) {
            let shared = Arc::clone(&shared);
            under_way.push(Box::pin(async move {
                let (count, is_probe) = (batch.rows.len(), batch.is_probe);
                let keys: Vec<_> = batch.rows.iter().map(|ready| ready.row.key.clone()).collect();
                // The executor's own panics are caught where it is called; what else is not this crate's is the code that
                // drops arguments.
                let handed_on = catching_panics(handing_on::hand_on(&shared, batch.rows)).await;
                shared.ended(count, is_probe, handed_on.unwrap_or_else(|message| HandedOn::panicked(keys, &message)));
            }));
        }
        under_way.retain_mut(|batch| batch.as_mut().poll(cx).is_pending());
        Poll::<()>::Pending
    })
    .await;
}

impl RelayShared {
    fn lock(&self) -> MutexGuard<'_, RelayState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One batch is at its end.
    fn ended(&self, count: usize, is_probe: bool, mut handed_on: HandedOn) {
        let (mut state, executor) = (self.lock(), self.executor.name());
        state.rows -= count;
        state.has_begun = true;
        if is_probe {
            state.is_probing = false;
        } else {
            state.batches -= 1;
        }
        for (task, is_answered) in handed_on.tasks.drain() {
            if !is_answered {
                state.resting.rest(task);
            } else if state.resting.end(task) {
                state.has_news = true;
            }
        }
        match handed_on.not_taken.take() {
            Some(reason) => {
                handed_on.put_back(state.pauses.next().max(SHORTEST));
                if state.told.is_none_or(|told| told.elapsed() >= SILENCE) {
                    (state.told, state.tells_end) = (Some(Instant::now()), true);
                    tracing::warn!(target: "airlock", executor, reason, "rows are not taken, and wait; trying again");
                }
            }
            None => {
                state.pauses = Pauses::new();
                if state.tells_end && state.resting.is_empty() {
                    state.tells_end = false;
                    tracing::info!(target: "airlock", executor, "rows are taken again");
                }
            }
        }
        state.finished.append(&mut handed_on.rows);
        drop(state);
        self.changed.notify_one();
    }
}

impl RowRunner for RelayedBatches {
    fn room(&self) -> usize {
        let state = self.shared.lock();
        let (most, batch) = if state.has_begun { (self.shared.most, BATCH) } else { (1, FIRST) };
        if state.batches >= most || state.resting.are_all() { 0 } else { batch }
    }

    fn tasks(&self) -> Option<Arc<str>> {
        self.shared.lock().resting.others()
    }

    fn probe(&self) -> Option<Arc<str>> {
        let state = self.shared.lock();
        if state.is_probing { None } else { state.resting.next_probe(Instant::now()) }
    }

    fn occupancy(&self) -> Occupancy {
        let state = self.shared.lock();
        Occupancy { ready: 0, running: state.rows, finished: state.finished.len() }
    }

    fn add(self: Arc<Self>, rows: Vec<ReadyRow>) {
        self.begin(rows, false);
    }

    fn add_probe(&self, rows: Vec<ReadyRow>) {
        if rows.is_empty() {
            let mut state = self.shared.lock();
            state.has_news |= state.resting.end_next();
        }
        self.begin(rows, true);
    }

    fn take_finished(&self) -> Vec<FinishedRow> {
        std::mem::take(&mut self.shared.lock().finished)
    }

    fn take_ready(&self) -> Vec<FinishedRow> {
        Vec::new()
    }

    fn take_overdue(&self, _: Duration) -> Vec<FinishedRow> {
        Vec::new()
    }

    fn changed(&self) -> &Notify {
        &self.shared.changed
    }

    fn take_news(&self) -> bool {
        std::mem::take(&mut self.shared.lock().has_news)
    }

    fn rests_until(&self) -> Option<Instant> {
        let state = self.shared.lock();
        if state.is_probing { None } else { state.resting.until() }
    }

    fn stop(&self) {
        self.shared.stopped.send_replace(true);
    }
}
