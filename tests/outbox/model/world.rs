//! The table and its workers: what may happen next, and what becomes of it.

use airlock::OutboxState;

use super::table::{Claimed, End, Fault, Hour, Id, Key, MAX_RETRIES, PAUSE, Row, Table};

/// A row that a worker holds, or believes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claim {
    pub(crate) key: Key,
    /// How many runs had ended when it was claimed.
    pub(crate) attempts: u8,
    pub(crate) is_alone: bool,
    /// Whether the row is still its own. No worker knows: the properties are judged by it.
    pub(crate) is_current: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Worker {
    pub(crate) claims: Vec<Claim>,
    /// What it saw when it looked for what others lost.
    pub(crate) seen: Vec<Key>,
}

/// Two workers, each a process of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) table: Table,
    pub(crate) workers: [Worker; 2],
    /// A row that failed, and one that was due before it is again, and waits ever since. The properties are judged by it.
    pub(crate) behind: Vec<(Id, Id)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Done,
    /// It is tried again, unless it was often enough.
    Failed,
    /// It is not tried again.
    Permanent,
    /// It is handed back, as it did not run to its end.
    Released,
}

pub(crate) const HOW: [How; 4] = [How::Done, How::Failed, How::Permanent, How::Released];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Insert {
        id: Id,
        priority: u8,
        delay: Hour,
        expires: Option<Hour>,
    },
    /// An hour passes: leases that are not renewed end, and rows are due.
    Wait,
    Claim {
        worker: usize,
        most: usize,
    },
    ClaimAlone {
        worker: usize,
        id: Id,
    },
    Renew {
        worker: usize,
    },
    /// For what others lost; what it finds is rescued later, and may have changed by then. The library does both in one
    /// statement: what is right in two is right in one.
    Look {
        worker: usize,
    },
    Rescue {
        worker: usize,
    },
    End {
        worker: usize,
        ends: Vec<(Id, How)>,
    },
    Cancel {
        id: Id,
    },
    Retry {
        id: Id,
    },
    Prune {
        dead: bool,
        age: Hour,
    },
    /// All that it held goes on to lie there. A new worker takes its place.
    Crash {
        worker: usize,
    },
}

/// What the database says to an action.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Nothing,
    Claimed(Claimed),
    /// Ids, or the ids of keys, in their order.
    Touched(Vec<Id>),
    Rescued(Vec<(Id, bool)>),
    Count(usize),
    Is(bool),
}

impl World {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { table: Table::new(fault), workers: Default::default(), behind: Vec::new() }
    }

    /// All that can happen with so many rows.
    pub(crate) fn actions(&self, rows: Id) -> Vec<Action> {
        let table = &self.table;
        let mut actions = vec![Action::Wait];
        for id in 0..rows {
            match table.row(id) {
                // One with a delay is as one that failed and waits.
                None => actions.push(Action::Insert { id, priority: 5, delay: 0, expires: None }),
                Some(row) if !row.has_ended() => actions.push(Action::Cancel { id }),
                Some(row) if row.state != OutboxState::Done => actions.push(Action::Retry { id }),
                Some(_) => {}
            }
        }
        if table.rows.iter().any(|row| row.has_ended()) {
            actions.push(Action::Prune { dead: true, age: 0 });
        }
        for (worker, Worker { claims, seen }) in self.workers.iter().enumerate() {
            if claims.is_empty() {
                actions.extend(table.alone().into_iter().map(|id| Action::ClaimAlone { worker, id }));
            } else {
                actions.extend([Action::Renew { worker }, Action::Crash { worker }]);
            }
            if claims.iter().all(|claim| !claim.is_alone) {
                actions.extend((1..=table.due().len()).map(|most| Action::Claim { worker, most }));
            }
            if !seen.is_empty() {
                actions.push(Action::Rescue { worker });
            } else if !table.lost(&ids(claims)).is_empty() {
                actions.push(Action::Look { worker });
            }
            for claim in claims {
                let is_tried = |how: &&How| match how {
                    How::Done | How::Failed => true,
                    // At its last attempt it is a failure like another.
                    How::Permanent => claim.is_current && claim.attempts < MAX_RETRIES,
                    // What is recorded of a stale run is nothing, whatever it was.
                    How::Released => claim.is_current,
                };
                let hows = HOW.iter().filter(is_tried);
                actions.extend(hows.map(|how| Action::End { worker, ends: vec![(claim.key.id, *how)] }));
            }
        }
        actions
    }

    /// Has it happen.
    pub(crate) fn step(&mut self, action: &Action) -> Answer {
        let table = &mut self.table;
        match *action {
            Action::Insert { id, priority, delay, expires } => {
                let now = table.now;
                Answer::Is(table.insert(id, priority, now + delay, expires.map(|expires| now + expires)))
            }
            Action::Wait => {
                table.now += 1;
                Answer::Nothing
            }
            Action::Claim { worker, most } => {
                let claimed = table.claim(most);
                self.hold(worker, &claimed, false);
                Answer::Claimed(claimed)
            }
            Action::ClaimAlone { worker, id } => {
                let claimed = table.claim_alone(id);
                self.hold(worker, &claimed, true);
                Answer::Claimed(claimed)
            }
            Action::Renew { worker } => {
                let claims = &mut self.workers[worker].claims;
                let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
                let renewed = table.renew(&keys);
                // What it lost goes on at most, and records nothing.
                claims.retain(|claim| renewed.contains(&claim.key.id));
                Answer::Touched(renewed)
            }
            Action::Look { worker } => {
                let Worker { claims, seen } = &mut self.workers[worker];
                *seen = table.lost(&ids(claims));
                Answer::Nothing
            }
            Action::Rescue { worker } => {
                let seen = std::mem::take(&mut self.workers[worker].seen);
                let rescued = table.rescue(&seen);
                rescued.iter().for_each(|(id, _)| self.is_no_ones(*id));
                Answer::Rescued(rescued)
            }
            Action::End { worker, ref ends } => self.end(worker, ends),
            Action::Cancel { id } => {
                let is_done = table.cancel(id);
                self.is_no_ones(id);
                Answer::Is(is_done)
            }
            Action::Retry { id } => Answer::Is(table.retry(id)),
            Action::Prune { dead, age } => Answer::Count(table.prune(dead, age)),
            Action::Crash { worker } => {
                self.workers[worker] = Worker::default();
                Answer::Nothing
            }
        }
    }

    fn hold(&mut self, worker: usize, claimed: &Claimed, is_alone: bool) {
        for &(key, attempts) in &claimed.rows {
            let claims = &mut self.workers[worker].claims;
            // One that it lost before, of the same row: its run goes on at most, and records nothing.
            claims.retain(|claim| claim.key.id != key.id);
            claims.push(Claim { key, attempts, is_alone, is_current: true });
        }
        claimed.rows.iter().for_each(|(key, _)| self.moves(key.id));
    }

    fn end(&mut self, worker: usize, ends: &[(Id, How)]) -> Answer {
        let mut ended = Vec::new();
        for &(id, how) in ends {
            let claims = &mut self.workers[worker].claims;
            let Some(at) = claims.iter().position(|claim| claim.key.id == id) else { continue };
            let claim = claims.remove(at);
            ended.push((how, claim.to_end(how)));
        }
        let recorded = self.table.finish(&ended.iter().map(|(_, end)| *end).collect::<Vec<_>>());
        for (how, end) in ended.into_iter().filter(|(_, end)| recorded.contains(&end.key)) {
            let id = end.key.id;
            self.is_no_ones(id);
            if how == How::Failed && end.state == OutboxState::Waiting {
                let table = &self.table;
                let is_due = |row: &&Row| {
                    row.id != id && row.state == OutboxState::Waiting && row.due <= table.now && !row.is_alone()
                };
                let priority = table.row(id).map(|row| row.priority);
                let equals = table.rows.iter().filter(is_due).filter(|row| Some(row.priority) == priority);
                self.behind.extend(equals.map(|row| (id, row.id)));
                self.behind.sort_unstable();
                self.behind.dedup();
            }
        }
        Answer::Touched(recorded.iter().map(|key| key.id).collect())
    }

    /// What ran is another's from now on, or over.
    fn is_no_ones(&mut self, id: Id) {
        let claims = self.workers.iter_mut().flat_map(|worker| &mut worker.claims);
        claims.filter(|claim| claim.key.id == id).for_each(|claim| claim.is_current = false);
        self.moves(id);
    }

    /// It does not wait any more where it waited.
    fn moves(&mut self, id: Id) {
        self.behind.retain(|(failed, before)| *failed != id && *before != id);
    }
}

impl Action {
    /// Which worker does it, if one does.
    pub(crate) fn worker(&self) -> usize {
        match *self {
            Self::Claim { worker, .. } | Self::ClaimAlone { worker, .. } | Self::Renew { worker } => worker,
            Self::Look { worker } | Self::Rescue { worker } | Self::Crash { worker } | Self::End { worker, .. } => {
                worker
            }
            _ => 0,
        }
    }
}

impl Claim {
    /// What its worker has recorded.
    pub(crate) fn to_end(&self, how: How) -> End {
        let (state, pause) = match how {
            How::Done => (OutboxState::Done, None),
            How::Failed if self.attempts < MAX_RETRIES => (OutboxState::Waiting, Some(PAUSE)),
            How::Failed | How::Permanent => (OutboxState::Dead, None),
            How::Released => (OutboxState::Waiting, None),
        };
        End { key: self.key, state, pause, counts: how != How::Released, leaves: how == How::Done }
    }
}

pub(crate) fn ids(claims: &[Claim]) -> Vec<Id> {
    claims.iter().map(|claim| claim.key.id).collect()
}
