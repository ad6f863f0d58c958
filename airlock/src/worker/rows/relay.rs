//! Rows that are handed on to an executor, batch by batch: what a relay does with them.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Handle as Runtime;
use tokio::sync::{Notify, mpsc};

use super::abort::AbortOnDrop;
use super::attempt::{FinishedRow, ReadyRow, RunSettings};
use super::handing_on::{self, HandedOn};
use super::runner::{Occupancy, RowRunner};
use crate::executors::Executor;
use crate::runtime::{BoxFuture, Pauses};

/// How many rows are handed on together: several of the jobs that executors send at a time.
const BATCH: usize = 1000;

/// How many batches are under way, unless set.
pub(super) const BATCHES: usize = 4;

/// How often it is said, at the most, that an executor takes nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// The batches that are under way, in the order of their claims. Dropped, it hands on nothing more.
pub(super) struct RelayedBatches {
    shared: Arc<Shared>,
    batches: mpsc::UnboundedSender<Vec<ReadyRow>>,
    _driver: AbortOnDrop,
}

/// What the batches know of each other.
pub(super) struct Shared {
    pub(super) executor: Arc<dyn Executor>,
    pub(super) settings: Arc<RunSettings>,
    /// No batch is to be waited for any more.
    pub(super) stopped: Notify,
    most: usize,
    changed: Notify,
    state: Mutex<RelayState>,
}

struct RelayState {
    batches: usize,
    rows: usize,
    finished: Vec<FinishedRow>,
    /// The last batch met an executor that took nothing: one row is tried at a time.
    is_down: bool,
    rests_until: Option<Instant>,
    pauses: Pauses,
    /// When it was last said that something is not taken.
    told: Option<Instant>,
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
            finished: Vec::new(),
            is_down: false,
            rests_until: None,
            pauses: Pauses::new(),
            told: None,
        };
        let (stopped, changed) = (Notify::new(), Notify::new());
        let shared = Arc::new(Shared { executor, settings, stopped, most, changed, state: Mutex::new(state) });
        let (batches, queue) = mpsc::unbounded_channel();
        let driver = AbortOnDrop(runtime.spawn(drive_all(Arc::clone(&shared), queue)));
        Arc::new(Self { shared, batches, _driver: driver })
    }
}

/// Polls the batches in their order, so that executors which keep an order see that of the claims.
async fn drive_all(shared: Arc<Shared>, mut queue: mpsc::UnboundedReceiver<Vec<ReadyRow>>) {
    let mut under_way: Vec<BoxFuture<'static, ()>> = Vec::new();
    poll_fn(|cx| {
        while let Poll::Ready(Some(rows)) = queue.poll_recv(cx) {
            let shared = Arc::clone(&shared);
            under_way.push(Box::pin(async move {
                let count = rows.len();
                let handed_on = handing_on::hand_on(&shared, rows).await;
                shared.ended(count, handed_on);
            }));
        }
        under_way.retain_mut(|batch| batch.as_mut().poll(cx).is_pending());
        Poll::<()>::Pending
    })
    .await;
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, RelayState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One batch is at its end.
    fn ended(&self, count: usize, mut handed_on: HandedOn) {
        let mut state = self.lock();
        state.batches -= 1;
        state.rows -= count;
        let was_down = state.is_down;
        let (not_taken, executor) = (handed_on.not_taken.take(), self.executor.name());
        state.is_down = not_taken.is_some() && !handed_on.took_some;
        match &not_taken {
            Some(reason) => {
                let pause = state.pauses.next();
                state.rests_until = Some(Instant::now() + pause);
                handed_on.put_back(pause);
                if state.told.is_none_or(|told| told.elapsed() >= SILENCE) {
                    state.told = Some(Instant::now());
                    tracing::warn!(target: "airlock", executor, reason, "rows are not taken, and wait; trying again");
                }
            }
            None if handed_on.took_some => {
                state.pauses = Pauses::new();
                if was_down {
                    tracing::info!(target: "airlock", executor, "rows are taken again");
                    state.told = None;
                }
            }
            None => {}
        }
        state.finished.append(&mut handed_on.rows);
        drop(state);
        self.changed.notify_one();
    }
}

impl RowRunner for RelayedBatches {
    fn room(&self) -> usize {
        let state = self.shared.lock();
        let rests = state.rests_until.is_some_and(|until| Instant::now() < until);
        if rests || state.batches >= self.shared.most {
            return 0;
        }
        match state.is_down {
            true => usize::from(state.batches == 0),
            false => BATCH,
        }
    }

    fn occupancy(&self) -> Occupancy {
        let state = self.shared.lock();
        Occupancy { ready: 0, running: state.rows, finished: state.finished.len() }
    }

    fn add(self: Arc<Self>, rows: Vec<ReadyRow>) {
        if rows.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        state.batches += 1;
        state.rows += rows.len();
        drop(state);
        // The driver ends with this.
        let _ = self.batches.send(rows);
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

    fn rests_until(&self) -> Option<Instant> {
        self.shared.lock().rests_until.filter(|until| Instant::now() < *until)
    }

    fn stop(&self) {
        self.shared.stopped.notify_waiters();
    }
}
