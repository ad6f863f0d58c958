//! The table, and what statements do to it: the SQL of `airlock/src/outbox`, said once more as plain steps over rows.

use airlock::OutboxState;

pub(crate) type Id = u8;

/// Statements run a moment after a full hour: what is due at `now` is due, and a lease until `now` has ended.
pub(crate) type Hour = i16;

pub(crate) const LEASE: Hour = 1;
/// Between a run that failed and the next one.
pub(crate) const PAUSE: Hour = 1;
pub(crate) const MAX_RETRIES: u8 = 1;
pub(crate) const MAX_RESCUES: u8 = 2;

/// From this many rescues on, a row runs alone.
const ALONE: u8 = 2;

/// What a statement could get wrong, so that it is seen that each property notices something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// The end of a run is recorded for any row that runs.
    FinishWithoutLease,
    /// What was lost when the worker looked is given back, whatever became of it since.
    RescueById,
    /// A claim is told from another one by the attempts before it.
    AttemptsAsFence,
    /// A row that was pruned and inserted again is taken for the one before.
    KeyWithoutSeq,
    /// What a stale run left is written.
    FollowUpsOfAll,
    /// A row that failed waits where it was.
    RetryInPlace,
    /// A row is given back again and again.
    RescueForEver,
    /// A row is given back while its lease holds.
    RescueOfTheLiving,
    /// What runs is claimed once more.
    ClaimOfTheRunning,
    /// What is to run alone is claimed with others.
    AloneAmongOthers,
    /// What is to run alone is never claimed.
    AloneForgotten,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) seq: u8,
    pub(crate) id: Id,
    pub(crate) state: OutboxState,
    pub(crate) priority: u8,
    pub(crate) due: Hour,
    pub(crate) expires: Option<Hour>,
    pub(crate) attempts: u8,
    pub(crate) rescues: u8,
    pub(crate) lease: u8,
    pub(crate) leased_until: Option<Hour>,
    pub(crate) ended: Option<Hour>,
}

/// A row as the worker that claimed it names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) id: Id,
    pub(crate) seq: u8,
    pub(crate) lease: u8,
}

/// How a run ended, as a worker has it recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) key: Key,
    pub(crate) state: OutboxState,
    pub(crate) pause: Option<Hour>,
    pub(crate) counts: bool,
    /// Whether its task left an intent.
    pub(crate) leaves: bool,
}

/// What a claim gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// In the order in which they are to start, with the attempts before.
    pub(crate) rows: Vec<(Key, u8)>,
    pub(crate) expired: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Table {
    pub(crate) fault: Option<Fault>,
    pub(crate) now: Hour,
    /// In the order of insertion.
    pub(crate) rows: Vec<Row>,
    pub(crate) next_seq: u8,
    /// Whose runs left an intent, once for each that is there.
    pub(crate) left: Vec<Id>,
}

impl Row {
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.state, OutboxState::Waiting | OutboxState::Running)
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.rescues >= ALONE
    }
}

impl Table {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { fault, now: 0, rows: Vec::new(), next_seq: 1, left: Vec::new() }
    }

    pub(crate) fn row(&self, id: Id) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Changes nothing while a row with this id is there. Whether there was none.
    pub(crate) fn insert(&mut self, id: Id, priority: u8, due: Hour, expires: Option<Hour>) -> bool {
        if self.row(id).is_some() {
            return false;
        }
        self.rows.push(Row {
            seq: self.next_seq,
            id,
            state: OutboxState::Waiting,
            priority,
            due,
            expires,
            attempts: 0,
            rescues: 0,
            lease: 0,
            leased_until: None,
            ended: None,
        });
        self.next_seq += 1;
        true
    }

    /// What may be claimed to run beside others: by priority, then due time, then insertion.
    pub(crate) fn due(&self) -> Vec<Id> {
        let is_any = self.fault == Some(Fault::AloneAmongOthers);
        let mut due: Vec<_> = self.rows.iter().filter(|row| self.is_due(row) && (is_any || !row.is_alone())).collect();
        due.sort_unstable_by_key(|row| (-i16::from(row.priority), row.due, row.seq));
        due.into_iter().map(|row| row.id).collect()
    }

    /// The first of those.
    pub(crate) fn claim(&mut self, most: usize) -> Claimed {
        let mut chosen = self.due();
        chosen.truncate(most);
        self.take(chosen)
    }

    /// Those of which one may be claimed to run alone.
    pub(crate) fn alone(&self) -> Vec<Id> {
        if self.fault == Some(Fault::AloneForgotten) {
            return Vec::new();
        }
        let due = || self.rows.iter().filter(|row| self.is_due(row) && row.is_alone());
        let first = due().map(|row| row.due).min();
        due().filter(|row| Some(row.due) == first).map(|row| row.id).collect()
    }

    /// One of those.
    pub(crate) fn claim_alone(&mut self, id: Id) -> Claimed {
        self.take(vec![id])
    }

    fn is_due(&self, row: &Row) -> bool {
        let is_free = match row.state {
            OutboxState::Waiting => true,
            OutboxState::Running => self.fault == Some(Fault::ClaimOfTheRunning),
            _ => false,
        };
        is_free && row.due <= self.now
    }

    /// Each claim raises the lease, and is nothing but an end for what has expired.
    fn take(&mut self, chosen: Vec<Id>) -> Claimed {
        let (now, fault) = (self.now, self.fault);
        let mut claimed = Claimed::default();
        for id in chosen {
            let Some(row) = self.rows.iter_mut().find(|row| row.id == id) else { continue };
            row.lease += 1;
            row.leased_until = Some(now + LEASE);
            if row.expires.is_some_and(|expires| expires <= now) {
                (row.state, row.ended) = (OutboxState::Expired, Some(now));
                claimed.expired += 1;
            } else {
                row.state = OutboxState::Running;
                let key = Key { id, seq: row.seq, lease: fence(fault, row) };
                claimed.rows.push((key, row.attempts));
            }
        }
        claimed
    }

    /// Whether the key names the row as it is: what its worker does to any other row touches nothing.
    fn holds(&self, key: &Key, row: &Row) -> bool {
        let is_same_row = key.id == row.id && (key.seq == row.seq || self.fault == Some(Fault::KeyWithoutSeq));
        is_same_row && row.state == OutboxState::Running && key.lease == fence(self.fault, row)
    }

    fn held(&mut self, key: &Key) -> Option<&mut Row> {
        let at = self.rows.iter().position(|row| self.holds(key, row))?;
        Some(&mut self.rows[at])
    }

    /// The ids of those whose lease holds.
    pub(crate) fn renew(&mut self, keys: &[Key]) -> Vec<Id> {
        let until = self.now + LEASE;
        let mut renewed = Vec::new();
        for key in keys {
            if let Some(row) = self.held(key) {
                row.leased_until = Some(until);
                renewed.push(key.id);
            }
        }
        renewed
    }

    /// Those that ended so, with what their tasks left.
    pub(crate) fn finish(&mut self, ends: &[End]) -> Vec<Key> {
        let (now, fault) = (self.now, self.fault);
        let mut recorded = Vec::new();
        for end in ends {
            let any_run = |row: &&mut Row| row.id == end.key.id && row.state == OutboxState::Running;
            let row = match fault {
                Some(Fault::FinishWithoutLease) => self.rows.iter_mut().find(any_run),
                _ => self.held(&end.key),
            };
            let is_recorded = row.is_some();
            if let Some(row) = row {
                row.state = end.state;
                row.leased_until = None;
                row.attempts += u8::from(end.counts);
                row.due = end.pause.filter(|_| fault != Some(Fault::RetryInPlace)).map_or(row.due, |pause| now + pause);
                row.ended = row.has_ended().then_some(now);
                recorded.push(end.key);
            }
            if end.leaves && (is_recorded || fault == Some(Fault::FollowUpsOfAll)) {
                self.left.push(end.key.id);
            }
        }
        recorded
    }

    /// Whether the row's worker has not renewed its lease in time.
    fn is_lost(&self, row: &Row) -> bool {
        let has_ended = |until: Hour| until <= self.now || self.fault == Some(Fault::RescueOfTheLiving);
        row.state == OutboxState::Running && row.leased_until.is_some_and(has_ended)
    }

    /// What other workers lost, and not the one that asks, which lives.
    pub(crate) fn lost(&self, held: &[Id]) -> Vec<Key> {
        let lost = self.rows.iter().filter(|row| self.is_lost(row) && !held.contains(&row.id));
        lost.map(|row| Key { id: row.id, seq: row.seq, lease: fence(self.fault, row) }).collect()
    }

    /// Gives those back that are still as they were, or ends them if that was done often enough. Which, and whether they are
    /// dead.
    pub(crate) fn rescue(&mut self, lost: &[Key]) -> Vec<(Id, bool)> {
        let (now, fault) = (self.now, self.fault);
        let mut rescued = Vec::new();
        for key in lost {
            let is_same = |row: &Row| match fault {
                Some(Fault::RescueById) => row.id == key.id,
                _ => self.holds(key, row) && self.is_lost(row),
            };
            let Some(at) = self.rows.iter().position(is_same) else { continue };
            let row = &mut self.rows[at];
            let is_dead = row.rescues >= MAX_RESCUES && fault != Some(Fault::RescueForEver);
            row.rescues += 1;
            row.leased_until = None;
            row.state = if is_dead { OutboxState::Dead } else { OutboxState::Waiting };
            row.ended = is_dead.then_some(now);
            rescued.push((key.id, is_dead));
        }
        rescued
    }

    /// By hand: as new, and at once.
    pub(crate) fn retry(&mut self, id: Id) -> bool {
        let now = self.now;
        let again = [OutboxState::Dead, OutboxState::Expired, OutboxState::Cancelled];
        let row = self.rows.iter_mut().find(|row| row.id == id && again.contains(&row.state));
        row.map(|row| {
            (row.state, row.due, row.expires, row.ended) = (OutboxState::Waiting, now, None, None);
            (row.attempts, row.rescues) = (0, 0);
        })
        .is_some()
    }

    /// By hand. It raises the lease, so that a run which goes on can record nothing.
    pub(crate) fn cancel(&mut self, id: Id) -> bool {
        let now = self.now;
        let row = self.rows.iter_mut().find(|row| row.id == id && !row.has_ended());
        row.map(|row| {
            row.lease += 1;
            (row.state, row.leased_until, row.ended) = (OutboxState::Cancelled, None, Some(now));
        })
        .is_some()
    }

    /// Deletes what ended so long ago, dead rows only if that is said. How many they were.
    pub(crate) fn prune(&mut self, dead: bool, age: Hour) -> usize {
        let (before, now) = (self.rows.len(), self.now);
        let is_old = |row: &Row| row.ended.is_some_and(|ended| ended <= now - age);
        self.rows.retain(|row| !(row.has_ended() && is_old(row) && (dead || row.state != OutboxState::Dead)));
        before - self.rows.len()
    }
}

/// What tells a claim from the others of its row.
fn fence(fault: Option<Fault>, row: &Row) -> u8 {
    if fault == Some(Fault::AttemptsAsFence) { row.attempts } else { row.lease }
}
