//! What a worker asks of the database in one turn of its loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::ReadyRow;
use super::engine::{Engine, PRUNING, is_lasting};
use super::finishing::Finishing;
use crate::dispatch::DispatchError;
use crate::outbox::{Claim, ClaimedRows, OutboxState, RescuedRow, RowKey, Store};
use crate::registry::registry;
use crate::runtime::full_jitter;
use crate::worker::RunCount;

/// How many rows are rescued or deleted at a time.
const AT_ONCE: usize = 500;

/// How many rows are rescued each for itself at a time, or passed over.
const ONE_BY_ONE: usize = 20;

impl Engine {
    /// Records what has ended until now.
    pub(super) async fn finish(&mut self) -> Result<(), DispatchError> {
        self.pending.extend(self.rows.take_finished());
        let Some(store) = self.store.as_mut().filter(|_| !self.pending.is_empty()) else { return Ok(()) };
        let (settings, leases, counters, local) = (&*self.runs, &*self.leases, &self.counters, &mut self.local);
        Finishing { store, settings, leases, counters, local }.finish(&mut self.pending).await
    }

    /// Gives back the rows of lost workers, and looks for what is to run alone. What the database refuses is put off: other rows can
    /// be claimed all the same.
    pub(super) async fn rescue(&mut self, claims: bool) -> Result<(), DispatchError> {
        let every = (self.settings.claim.lease / 3).min(Duration::from_secs(1));
        self.next_rescue = Instant::now() + every / 2 + full_jitter(every / 2);
        let Some(store) = &mut self.store else { return Ok(()) };
        let max_rescues = self.settings.max_rescues.unwrap_or(u32::MAX);
        let (claim, held) = (&self.settings.claim, self.leases.keys());
        let rescued = match store.rescue(max_rescues, claim, &held, AT_ONCE, 0).await {
            Err(error) if is_lasting(&error) => {
                tracing::warn!(target: "airlock", error = error.reason(), "some rows of lost workers can't be given back");
                store.reset().await;
                rescue_one_by_one(store, max_rescues, claim, &held).await?
            }
            rescued => rescued?,
        };
        if claims && self.settings.claim.lost_alone {
            self.company.want_alone(store.has_alone(&self.settings.claim).await?);
        }
        self.may_have_more |= !rescued.is_empty();
        for row in rescued {
            self.counters.add(if row.is_dead { RunCount::Dead } else { RunCount::Rescued }, 1);
            let (id, task, is_dead) = (row.id, row.task, row.is_dead);
            tracing::warn!(target: "airlock", id, task, is_dead, "the worker of a row was lost");
        }
        Ok(())
    }

    pub(super) async fn prune(&mut self) -> Result<(), DispatchError> {
        self.next_pruning = Instant::now() + PRUNING / 2 + full_jitter(PRUNING);
        let Some(store) = &mut self.store else { return Ok(()) };
        match store.prune(false, self.settings.keep_done, AT_ONCE).await {
            Ok(AT_ONCE) => self.next_pruning = Instant::now() + Duration::from_millis(100),
            Ok(_) => {}
            Err(error) if is_lasting(&error) => {
                return self.put_off("rows that have ended can't be deleted; let this user delete them", &error).await;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn put_off(&mut self, what: &str, error: &DispatchError) -> Result<(), DispatchError> {
        tracing::warn!(target: "airlock", error = error.reason(), "{what}");
        if let Some(store) = &mut self.store {
            store.reset().await;
        }
        Ok(())
    }

    /// Once no worker of this process holds a row.
    pub(super) async fn claim_alone(&mut self) -> Result<(), DispatchError> {
        if !self.is_idle() || !self.company.begin_alone() {
            return Ok(());
        }
        let Some(store) = &mut self.store else { return Ok(()) };
        let claimed = store.claim_alone(&self.settings.claim).await?;
        if claimed.rows.is_empty() {
            self.company.leave();
        }
        self.claimed(claimed, 1);
        self.may_have_more = true;
        Ok(())
    }

    /// Rows that go back come before others that are claimed now; and an end that may be recorded is looked for before
    /// its row is claimed again.
    pub(super) fn has_rows_to_give_back(&self) -> bool {
        self.pending.iter().any(|row| row.is_unconfirmed || row.end.state == OutboxState::Waiting)
    }

    /// Takes what there is room for, and one row of these tasks.
    pub(super) async fn claim_all(&mut self, room: usize, probe: Option<Arc<str>>) -> Result<(), DispatchError> {
        if (room == 0 && probe.is_none()) || self.company.is_waiting() || !self.company.enter() {
            return Ok(());
        }
        if let Some(tasks) = probe {
            self.claim_probe(tasks).await?;
        }
        if room > 0 {
            self.claim(room).await?;
        }
        Ok(())
    }

    async fn claim(&mut self, room: usize) -> Result<(), DispatchError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let claimed = match self.rows.tasks() {
            None => store.claim(&self.settings.claim, room).await?,
            Some(tasks) => store.claim(&Claim { tasks, ..self.settings.claim.clone() }, room).await?,
        };
        self.claimed(claimed, room);
        Ok(())
    }

    /// Takes one row of these tasks.
    async fn claim_probe(&mut self, tasks: Arc<str>) -> Result<(), DispatchError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let claimed = store.claim(&Claim { tasks, ..self.settings.claim.clone() }, 1).await?;
        self.counters.add(RunCount::Expired, claimed.expired);
        if claimed.expired == 0 {
            self.rows.add_probe(self.held(claimed));
        }
        Ok(())
    }

    /// Has what was claimed run.
    fn claimed(&mut self, claimed: ClaimedRows, asked: usize) {
        let now = Instant::now();
        let found = claimed.rows.len() + claimed.expired;
        self.counters.add(RunCount::Expired, claimed.expired);
        self.may_have_more = found >= asked;
        let pause = match self.soon.take().filter(|soon| found == 0 && *soon < self.settings.poll) {
            Some(soon) => {
                self.soon = Some(soon * 2);
                soon
            }
            None => self.settings.poll.mul_f64(0.9) + full_jitter(self.settings.poll / 5),
        };
        self.next_claim = now + pause;
        Arc::clone(&self.rows).add(self.held(claimed));
    }

    fn held(&self, claimed: ClaimedRows) -> Vec<ReadyRow> {
        let since = Instant::now();
        let ready = claimed.rows.into_iter().filter_map(|row| {
            // The names that were asked for are those of the registry.
            let task = registry().get(&row.task)?;
            let held = self.leases.hold(row.key.clone());
            Some(ReadyRow { row, task, held, since })
        });
        ready.collect()
    }
}

/// Rescues rows each for itself, as one of them is at fault. Of those that are refused, a few are passed over.
async fn rescue_one_by_one(
    store: &mut Store,
    max_rescues: u32,
    claim: &Claim,
    held: &[RowKey],
) -> Result<Vec<RescuedRow>, DispatchError> {
    let (mut rescued, mut refused) = (Vec::new(), 0);
    while rescued.len() < ONE_BY_ONE && refused < ONE_BY_ONE {
        match store.rescue(max_rescues, claim, held, 1, refused).await {
            Ok(one) if one.is_empty() => break,
            Ok(one) => rescued.extend(one),
            Err(error) if is_lasting(&error) => {
                store.reset().await;
                refused += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(rescued)
}
