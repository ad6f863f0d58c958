//! The loop of a worker: claim what there is room for, record what has ended, give back the rows of lost workers, and wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::alone::Company;
use super::attempt::{FinishedRow, RunSettings};
use super::leases::Leases;
use super::runner::{Occupancy, RowRunner};
use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::outbox::{Claim, Store, WakeListener};
use crate::runtime::panics::catching_panics;
use crate::runtime::{Deadline, Pauses, full_jitter, timer};
use crate::worker::{RunCount, WorkerCounters};

/// What has waited longer than that for a slot is handed back.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How long ends are collected for, while there is something to run.
const LINGER: Duration = Duration::from_millis(2);

/// How many ends are not waited for more of.
const ENOUGH: usize = 256;

/// What is written into a transaction of this process is looked for this soon, then twice as late, and so on.
const SOON: Duration = Duration::from_millis(5);

/// How often rows that have ended long ago are deleted.
pub(super) const PRUNING: Duration = Duration::from_secs(30);

/// How soon it is looked whether a row still runs, or waits to run, alone.
const HELD_UP: Duration = Duration::from_millis(20);

/// What a loop needs to know.
pub(super) struct EngineSettings {
    pub(super) claim: Claim,
    pub(super) poll: Duration,
    /// None, if losing its worker says nothing about a row.
    pub(super) max_rescues: Option<u32>,
    pub(super) keep_done: Duration,
}

pub(super) struct Engine {
    pub(super) settings: EngineSettings,
    pub(super) runs: Arc<RunSettings>,
    pub(super) rows: Arc<dyn RowRunner>,
    pub(super) leases: Arc<Leases>,
    pub(super) counters: WorkerCounters,
    pub(super) store: Option<Store>,
    /// Ends that are not recorded.
    pub(super) pending: Vec<FinishedRow>,
    pauses: Pauses,
    /// Nothing is asked of the database before that.
    resting: Option<Instant>,
    /// The last turn ended with an error: what can be done without new rows comes first in this one.
    has_failed: bool,
    /// The last claim gave all it was asked for, or there is news: there may be more.
    pub(super) may_have_more: bool,
    pub(super) next_claim: Instant,
    /// Until something that may be committed soon is found, or it isn't soon any more.
    pub(super) soon: Option<Duration>,
    pub(super) next_rescue: Instant,
    pub(super) next_pruning: Instant,
    pub(super) company: Company,
    pub(super) local: JoinSet<()>,
}

impl Engine {
    pub(super) fn new(
        settings: EngineSettings,
        runs: Arc<RunSettings>,
        rows: Arc<dyn RowRunner>,
        leases: Arc<Leases>,
        counters: WorkerCounters,
    ) -> Self {
        let (now, company) = (Instant::now(), Company::new(settings.claim.lease));
        Self {
            settings,
            runs,
            rows,
            leases,
            counters,
            store: None,
            pending: Vec::new(),
            pauses: Pauses::new(),
            resting: None,
            has_failed: false,
            may_have_more: true,
            next_claim: now,
            soon: None,
            next_rescue: now,
            next_pruning: now + full_jitter(PRUNING),
            company,
            local: JoinSet::new(),
        }
    }

    /// Goes on until the signal, and then, without new rows, until all has ended or it is late.
    pub(super) async fn run(&mut self, signal: impl Future<Output = ()>, time_to_end: Duration) {
        let mut signal = std::pin::pin!(signal);
        let mut wake = WakeListener::new();
        loop {
            // A panic in here is a bug, and no reason to leave rows where they are.
            self.guarded_turn(true).await;
            let pause = self.next_turn(true);
            tokio::select! {
                biased;
                () = &mut signal => break,
                is_pending = wake.heard() => self.has_news(is_pending),
                () = self.rows.changed().notified() => self.linger().await,
                () = timer::sleep_until(pause) => {}
            }
        }
        self.pending.extend(self.rows.take_ready());
        self.company.want_alone(false);
        let until = Instant::now() + time_to_end;
        self.drain(until).await;
        // What has not ended by now is async, and stops where it next awaits something; or plain, and goes on.
        self.leases.stop_all();
        self.rows.stop();
        let late = Instant::now() + GRACE;
        self.drain(late).await;
        let ended = async { while self.local.join_next().await.is_some() {} };
        if timer::until(Deadline::at(until.max(late)), ended).await.is_none() {
            self.local.detach_all();
        }
        self.counters.add(RunCount::Abandoned, self.rows.occupancy().running);
        if !self.pending.is_empty() {
            let rows = self.pending.len();
            tracing::error!(target: "airlock", rows, "a worker ends before all ends of its runs are recorded; their rows run again");
        }
    }

    /// Without new rows.
    async fn drain(&mut self, until: Instant) {
        while !(self.is_idle() && self.pending.is_empty()) && Instant::now() < until {
            if timer::until(Deadline::at(until), self.guarded_turn(false)).await.is_none() {
                // Its transaction ends with its connection.
                self.store = None;
            }
            if self.is_idle() && self.pending.is_empty() {
                return;
            }
            let pause = self.next_turn(false).min(until);
            tokio::select! {
                () = self.rows.changed().notified() => {}
                () = timer::sleep_until(pause) => {}
            }
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        let Occupancy { ready, running, finished, .. } = self.rows.occupancy();
        ready + running + finished == 0
    }

    /// More ends may come soon, and share a transaction, if there is nothing else to do.
    async fn linger(&mut self) {
        let Occupancy { ready, running, finished, .. } = self.rows.occupancy();
        let claims = self.may_have_more && self.rows.room() > 0 && !Company::is_held_up();
        if !claims && running > 0 && ready > 0 && finished + self.pending.len() < ENOUGH {
            timer::sleep_until(Instant::now() + LINGER).await;
        }
    }

    fn has_news(&mut self, is_pending: bool) {
        self.may_have_more = true;
        if is_pending {
            self.soon = Some(SOON);
        }
    }

    async fn guarded_turn(&mut self, claims: bool) {
        if let Err(panicked) = catching_panics(self.turn(claims)).await {
            self.store = None;
            self.resting = Some(Instant::now() + Duration::from_secs(1));
            tracing::error!(target: "airlock", panicked, "the loop of a worker panicked, and goes on");
        }
    }

    /// One look at everything. What the database doesn't do now is done later.
    async fn turn(&mut self, claims: bool) {
        self.pending.extend(self.rows.take_finished());
        self.pending.extend(self.rows.take_overdue(LONGEST_WAIT));
        self.may_have_more |= self.rows.take_news();
        while self.local.try_join_next().is_some() {}
        if self.resting.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.resting = None;
        match self.work(claims).await {
            Ok(()) => {
                self.pauses = Pauses::new();
                self.has_failed = false;
            }
            Err(error) => {
                self.store = None;
                self.has_failed = true;
                // Others of this process may have a database that can be used.
                self.company.want_alone(false);
                if self.is_idle() {
                    self.company.leave();
                }
                self.resting = Some(Instant::now() + MIN_REST + self.pauses.next());
                tracing::warn!(target: "airlock", error = error.reason(), "the outbox's database can't be used; trying again");
            }
        }
    }

    async fn work(&mut self, claims: bool) -> Result<(), DispatchError> {
        let now = Instant::now();
        let room = if claims { self.rows.room() } else { 0 };
        let looks = room > 0 && (self.may_have_more || now >= self.next_claim);
        let probe = if claims { self.rows.probe() } else { None };
        let (rescues, prunes) = (now >= self.next_rescue, now >= self.next_pruning);
        let is_idle = self.pending.is_empty() && !looks && probe.is_none() && !rescues && !prunes;
        if is_idle && !self.company.is_waiting() {
            return Ok(());
        }
        if self.store.is_none() {
            let mut store = self.runs.outbox.connect_worker().await?;
            store.check_version().await?;
            self.store = Some(store);
        }
        let claims_last = self.has_failed || self.has_rows_to_give_back();
        let room = if looks { room } else { 0 };
        if !claims_last {
            // What it brings runs while the ends are recorded, and what was claimed before ran meanwhile.
            self.claim_all(room, probe.clone()).await?;
        }
        self.finish().await?;
        if rescues {
            self.rescue(claims).await?;
        }
        if prunes {
            self.prune().await?;
        }
        if self.is_idle() && self.pending.is_empty() && self.company.leave() {
            // Others have a turn, and then it is looked whether one more is to run alone.
            self.next_rescue = Instant::now();
        }
        if claims && self.company.is_waiting() {
            return self.claim_alone().await;
        }
        if claims_last {
            self.claim_all(room, probe).await?;
        }
        Ok(())
    }

    /// When there is something to do, if nothing happens before.
    fn next_turn(&mut self, claims: bool) -> Instant {
        if let Some(until) = self.resting {
            return until;
        }
        let mut next = self.next_rescue.min(self.next_pruning);
        if claims && let Some(until) = self.rows.rests_until() {
            next = next.min(until.max(Instant::now() + HELD_UP / 4));
        }
        // What was refused is tried again then.
        next = self.pending.iter().filter_map(|row| row.not_before).fold(next, Instant::min);
        if claims && Company::is_held_up() {
            next = next.min(Instant::now() + HELD_UP);
        } else if claims && self.rows.room() > 0 {
            next = if self.may_have_more { Instant::now() } else { next.min(self.next_claim) };
        }
        next
    }
}

/// How long async runs have to stop, and their rows to be handed back.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// After an error, at the least.
const MIN_REST: Duration = Duration::from_millis(20);

impl Drop for Engine {
    /// A worker that is dropped rather than ended stops what it can; its rows are rescued when their leases end.
    fn drop(&mut self) {
        self.leases.stop_all();
        self.rows.stop();
        drop(self.rows.take_ready());
    }
}

/// Whether an error stays as it is: worth telling as a worker starts.
pub(super) fn is_lasting(error: &DispatchError) -> bool {
    error.kind() == DispatchErrorKind::Rejected
}
