//! Recording how runs ended: many in one transaction, and one by one where that fails.

use super::attempt::{FinishedRow, RunSettings};
use super::leases::Leases;
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::executors::{Batch, Executor};
use crate::flush::Sealed;
use crate::outbox::{OutboxState, RowEnd, Store, wake_workers};
use crate::runtime::BoxFuture;
use crate::worker::{RunCount, WorkerCounters};

/// Where ends are recorded, and who hears of it.
pub(super) struct Finishing<'a> {
    pub(super) store: &'a mut Store,
    pub(super) settings: &'a RunSettings,
    pub(super) leases: &'a Leases,
    pub(super) counters: &'a WorkerCounters,
}

/// How many ends share a transaction.
const GROUP: usize = 500;

impl Finishing<'_> {
    /// Records them all. On an error, what is left of them is what isn't recorded, or may be.
    pub(super) async fn finish(&mut self, pending: &mut Vec<FinishedRow>) -> Result<(), DispatchError> {
        let mut most = GROUP;
        while !pending.is_empty() {
            let count = pending.len().min(most);
            let group = &mut pending[..count];
            let Err(error) = self.record(group).await else {
                drop(pending.drain(..count));
                continue;
            };
            if error.kind() != DispatchErrorKind::Rejected {
                // A statement outside of a transaction may have been carried out, whatever became of its answer.
                group.iter_mut().for_each(|row| row.is_unconfirmed = true);
                return Err(error);
            }
            // The connection is in a transaction that failed.
            self.store.reset().await;
            if count > 1 {
                // One of them is at fault.
                most = 1;
            } else if !self.refused(&mut group[0], error) {
                drop(pending.remove(0));
            }
        }
        Ok(())
    }

    /// What the table does not take of one row alone is a failed run, if there is something to leave out. Otherwise nothing
    /// is recorded: its lease ends, and it is rescued.
    fn refused(&self, row: &mut FinishedRow, error: DispatchError) -> bool {
        match row.ready.take() {
            Some(ready) => {
                drop(row.sealed.take().map(Sealed::discard));
                *row = self.settings.failed(&ready, error);
                true
            }
            None => {
                tracing::error!(target: "airlock", id = &*row.end.key.id, error = error.reason(), "the end of a run can't be recorded");
                self.leases.end(&row.end.key);
                false
            }
        }
    }

    /// One transaction.
    async fn record(&mut self, group: &mut [FinishedRow]) -> Result<(), DispatchError> {
        let ends: Vec<_> = group.iter().map(|row| row.end.clone()).collect();
        let notifies = self.settings.outbox.notifies();
        let mut recorded = self.store.finish(&ends, notifies).await?;
        if group.iter().any(|row| row.is_unconfirmed) {
            // Those whose end was committed, and the answer lost.
            recorded.extend(self.store.finished(&ends).await?);
        }
        let mut has_followers = false;
        for row in group {
            self.leases.end(&row.end.key);
            let sealed = row.sealed.take();
            if !recorded.contains(&row.end.key) {
                self.counters.add(RunCount::Stale, 1);
                drop(sealed.map(Sealed::discard));
                continue;
            }
            self.counters.add(counted(&row.end), 1);
            has_followers |= !row.end.follow_ups.is_empty();
            if let Some(sealed) = sealed {
                // What is `local` runs now; the rest is there.
                tokio::spawn(async move {
                    let _ = sealed.dispatch_through(&Stored).await;
                });
            }
            if let Some(failure) = row.failure.take() {
                self.settings.tell(failure);
            }
        }
        if has_followers {
            wake_workers();
        }
        Ok(())
    }
}

fn counted(end: &RowEnd) -> RunCount {
    match end.state {
        OutboxState::Done => RunCount::Done,
        OutboxState::Waiting if end.counts => RunCount::Retried,
        OutboxState::Waiting => RunCount::Released,
        _ => RunCount::Dead,
    }
}

/// What was written with the end of its run.
struct Stored;

impl Executor for Stored {
    fn name(&self) -> &str {
        "outbox"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                begun.settle(Ok(()));
            }
        })
    }
}
