//! Recording how runs ended: many in one transaction, and one by one where that fails.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::attempt::{FinishedRow, RunSettings};
use super::leases::Leases;
use crate::brokers::SqlMessage;
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
    /// `local` tasks that runs have left.
    pub(super) local: &'a mut JoinSet<()>,
}

/// How many ends share a transaction, and how many bytes of what their tasks left.
const GROUP: usize = 1000;
const GROUP_BYTES: usize = 8 << 20;

/// How often the table may refuse an end for itself alone, which then waits this long the first time.
const MOST_REFUSALS: u32 = 15;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Finishing<'_> {
    /// Records them all. On an error, what is left of them is what isn't recorded, or may be.
    pub(super) async fn finish(&mut self, pending: &mut Vec<FinishedRow>) -> Result<(), DispatchError> {
        let now = Instant::now();
        // Refused ones last; the others in the order in which their rows lie in the table.
        pending.sort_by_key(|row| (row.is_put_off(now), row.end.key.seq));
        let mut left = pending.partition_point(|row| !row.is_put_off(now));
        let mut most = GROUP;
        while left > 0 {
            let count = group_size(&pending[..left]).min(most);
            let group = &mut pending[..count];
            let Err(error) = self.record(group).await else {
                drop(pending.drain(..count));
                left -= count;
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
            } else if group[0].ready.is_some() {
                self.fail(&mut group[0], error);
            } else {
                let mut row = pending.remove(0);
                left -= 1;
                if self.put_off(&mut row, &error) {
                    pending.push(row);
                }
            }
        }
        Ok(())
    }

    /// What the table does not take of one row alone is a failed run, if there is something to leave out.
    fn fail(&self, row: &mut FinishedRow, error: DispatchError) {
        if let Some(ready) = row.ready.take() {
            drop(row.sealed.take().map(Sealed::discard));
            *row = self.settings.failed(&ready, error);
        }
    }

    /// An end without anything to leave out is tried again later, apart from the others: a right may be missing for a while,
    /// or a trigger refuse the row for ever. Gives up in the end: then its lease ends, and it is rescued.
    fn put_off(&self, row: &mut FinishedRow, error: &DispatchError) -> bool {
        let (id, reason) = (&*row.end.key.id, error.reason());
        if row.refusals >= MOST_REFUSALS {
            tracing::error!(target: "airlock", id, error = reason, "the end of a run can't be recorded");
            self.leases.end(&row.end.key);
            return false;
        }
        tracing::warn!(target: "airlock", id, error = reason, "the end of a run is refused; trying again");
        row.not_before = Some(Instant::now() + FIRST_WAIT.saturating_mul(1 << row.refusals).min(LONGEST_WAIT));
        row.refusals += 1;
        true
    }

    /// One transaction.
    async fn record(&mut self, group: &mut [FinishedRow]) -> Result<(), DispatchError> {
        let ends = group.iter().map(|row| &row.end);
        let notifies = self.settings.outbox.notifies();
        let mut recorded = self.store.finish(ends.clone(), notifies).await?;
        if group.iter().any(|row| row.is_unconfirmed) {
            // Those whose end was committed, and the answer lost.
            recorded.add(self.store.finished(ends).await?);
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
                self.local.spawn(async move {
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

/// How many of the ends share a transaction: one at the least.
fn group_size(rows: &[FinishedRow]) -> usize {
    let mut bytes = 0;
    let fit = rows.iter().take(GROUP).take_while(|row| {
        bytes += row.end.follow_ups.iter().map(SqlMessage::size).sum::<usize>();
        bytes <= GROUP_BYTES
    });
    fit.count().max(1)
}

fn counted(end: &RowEnd) -> RunCount {
    match end.state {
        OutboxState::Done => RunCount::Done,
        OutboxState::Waiting if end.counts => RunCount::Retried,
        OutboxState::Waiting => RunCount::Released,
        OutboxState::Expired => RunCount::Expired,
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
