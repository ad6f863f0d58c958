//! Which worlds are alike, so that there are few enough to go through all of them.

use airlock::OutboxState;

use super::table::{Fault, Hour, Key, LEASE, Row, Table};
use super::world::World;

impl World {
    /// The same world, where only what matters is told apart: how long ago is how long ago, and a worker is a worker.
    pub(crate) fn normal(mut self) -> Self {
        use Fault::{AttemptsAsFence, FinishWithoutLease, KeyWithoutSeq, RescueById};
        self.table.normal_times();
        self.table.left.clear();
        let fault = self.table.fault;
        if !matches!(fault, Some(FinishWithoutLease | RescueById | AttemptsAsFence | KeyWithoutSeq)) {
            self.normal_leases();
        }
        if fault.is_some() {
            // The way to what is broken names its rows and workers as they are.
            return self;
        }
        if self.table.rows.first().is_some_and(|row| row.id == 1) {
            self.swap_ids();
        }
        for worker in &mut self.workers {
            worker.claims.sort_unstable();
            worker.seen.sort_unstable();
        }
        self.workers.sort_unstable();
        self
    }

    /// Rows are alike but for their order.
    fn swap_ids(&mut self) {
        let keys = self.workers.iter_mut().flat_map(|worker| {
            let claimed = worker.claims.iter_mut().map(|claim| &mut claim.key);
            claimed.chain(&mut worker.seen)
        });
        keys.for_each(|key| key.id = 1 - key.id);
        self.table.rows.iter_mut().for_each(|row| row.id = 1 - row.id);
        self.behind.iter_mut().for_each(|pair| *pair = (1 - pair.0, 1 - pair.1));
        self.behind.sort_unstable();
    }

    /// A lease only grows: those that are not a row's any more are all alike, as none of them comes back.
    fn normal_leases(&mut self) {
        let rows = self.table.rows.clone();
        for (row, seq) in self.table.rows.iter_mut().zip(1..) {
            (row.lease, row.seq) = (1, seq);
        }
        self.table.next_seq = rows.len() as u8 + 1;
        let place = |key: &mut Key| {
            let at = rows.iter().position(|row| row.seq == key.seq);
            let holds = at.is_some_and(|at| rows[at].state == OutboxState::Running && rows[at].lease == key.lease);
            (key.seq, key.lease) = (at.filter(|_| holds).map_or(0, |at| at as u8 + 1), holds.into());
            holds
        };
        for worker in &mut self.workers {
            for claim in &mut worker.claims {
                if !place(&mut claim.key) {
                    claim.attempts = 0;
                }
            }
            worker.seen.retain_mut(place);
        }
    }
}

impl Table {
    /// Of what is past only the order matters; of a lease, whether it has ended.
    fn normal_times(&mut self) {
        let now = std::mem::take(&mut self.now);
        let is_past = |row: &&Row| !row.has_ended() && row.due < now;
        let mut past: Vec<_> = self.rows.iter().filter(is_past).map(|row| row.due).collect();
        past.sort_unstable();
        past.dedup();
        for row in &mut self.rows {
            row.due = match past.iter().rev().position(|due| *due == row.due) {
                _ if row.has_ended() => 0,
                Some(place) => -1 - place as Hour,
                None => row.due - now,
            };
            row.leased_until = row
                .leased_until
                .filter(|_| row.state == OutboxState::Running)
                .map(|until| (until - now).clamp(0, LEASE));
            row.ended = row.ended.map(|_| 0);
            if row.has_ended() {
                (row.attempts, row.rescues) = (0, 0);
            }
        }
    }
}
