//! What the workers of a trace do to the database: each has a connection, and the keys of what it holds.

use std::collections::BTreeMap;
use std::time::Duration;

use airlock::testing::steps::{ClaimEnd, ClaimKey, ClaimedKeys, WorkerSteps};
use airlock::{DispatchError, Intent, Outbox, registry};

use super::table::{Claimed, Hour, Id, Key, LEASE, MAX_RESCUES};
use super::world::{Action, Answer, World, ids};
use crate::tasks::plain;

/// The queue of the model's rows. What their tasks leave is in others, and stays there.
pub(crate) const QUEUE: &str = "replayed";

/// An hour in milliseconds.
pub(crate) const HOUR: i64 = 3_600_000;

pub(crate) struct Hands {
    steps: WorkerSteps,
    pub(crate) keys: BTreeMap<Id, ClaimKey>,
}

/// The intents of a trace: the model's ids are places here.
pub(crate) struct Intents([String; 3]);

impl Intents {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| fresh_id()))
    }

    pub(crate) fn id(&self, id: Id) -> &str {
        &self.0[usize::from(id)]
    }

    pub(crate) fn place(&self, id: &str) -> Id {
        self.0.iter().position(|intent| intent == id).expect("it is one of this trace") as Id
    }
}

impl Hands {
    pub(crate) async fn connect(outbox: &Outbox) -> Self {
        let steps = WorkerSteps::connect(outbox, "plain", QUEUE, hours(LEASE)).await;
        Self { steps: done(steps), keys: BTreeMap::new() }
    }

    /// Has the library do it, and says what the database answered, in the order in which the model has it.
    pub(crate) async fn ask(&mut self, action: &Action, world: &World, intents: &Intents) -> Answer {
        let held: Vec<_> = self.keys.values().cloned().collect();
        match action {
            Action::Claim { most, .. } => {
                let claimed = done(self.steps.claim(*most).await);
                Answer::Claimed(self.hold(claimed, world, intents))
            }
            Action::ClaimAlone { .. } => {
                let claimed = done(self.steps.claim_alone().await);
                Answer::Claimed(self.hold(claimed, world, intents))
            }
            Action::Renew { worker } => {
                let renewed = done(self.steps.renew(&held).await);
                self.keys.retain(|_, key| renewed.contains(key.id()));
                let order = ids(&world.workers[*worker].claims);
                Answer::Touched(in_order(renewed.iter().map(|id| intents.place(id)), &order, |id| *id))
            }
            Action::Rescue { .. } => {
                let rescued = done(self.steps.rescue(MAX_RESCUES.into(), &held).await);
                let rescued = rescued.iter().map(|(id, is_dead)| (intents.place(id), *is_dead));
                let order: Vec<_> = world.table.rows.iter().map(|row| row.id).collect();
                Answer::Rescued(in_order(rescued, &order, |(id, _)| *id))
            }
            Action::End { worker, ends } => {
                let claims = &world.workers[*worker].claims;
                let claim_end = |(id, how): &(Id, _)| {
                    let claim = claims.iter().find(|claim| claim.key.id == *id).expect("it holds it");
                    let (end, key) = (claim.to_end(*how), self.keys.remove(id).expect("it holds it"));
                    let left = end.leaves.then(|| intent(&fresh_id(), &format!("left-{id}"), 5, 0, None));
                    let (pause, follow_ups) = (end.pause.map(hours), left.into_iter().collect());
                    ClaimEnd { key, state: end.state, pause, counts: end.counts, follow_ups }
                };
                let claim_ends = ends.iter().map(claim_end).collect();
                let recorded = done(self.steps.finish(claim_ends).await);
                let order: Vec<_> = ends.iter().map(|(id, _)| *id).collect();
                Answer::Touched(in_order(recorded.iter().map(|id| intents.place(id)), &order, |id| *id))
            }
            Action::Cancel { id } => Answer::Is(done(self.steps.cancel(intents.id(*id).parse().expect("an id")).await)),
            Action::Retry { id } => Answer::Is(done(self.steps.retry(intents.id(*id).parse().expect("an id")).await)),
            Action::Prune { dead, age } => Answer::Count(done(self.steps.prune(*dead, hours(*age)).await)),
            Action::Crash { .. } => {
                self.keys.clear();
                Answer::Nothing
            }
            Action::Insert { .. } | Action::Wait | Action::Look { .. } => Answer::Nothing,
        }
    }

    /// What it claimed, with the keys as the model has them: the library's own are kept here.
    fn hold(&mut self, claimed: ClaimedKeys, world: &World, intents: &Intents) -> Claimed {
        let rows = claimed.rows.into_iter().map(|(key, attempts)| {
            let id = intents.place(key.id());
            let seq = world.table.row(id).map_or(0, |row| row.seq);
            let lease = u8::try_from(key.lease()).expect("few claims");
            self.keys.insert(id, key);
            (Key { id, seq, lease }, u8::try_from(attempts).expect("few attempts"))
        });
        Claimed { rows: rows.collect(), expired: claimed.expired }
    }
}

/// A database says in no order what it touched.
fn in_order<T>(touched: impl Iterator<Item = T>, order: &[Id], id: impl Fn(&T) -> Id) -> Vec<T> {
    let mut touched: Vec<_> = touched.collect();
    touched.sort_by_key(|touched| order.iter().position(|place| *place == id(touched)));
    touched
}

fn hours(hours: Hour) -> Duration {
    Duration::from_secs(3600) * u32::from(hours.unsigned_abs())
}

fn done<T>(answer: Result<T, DispatchError>) -> T {
    answer.unwrap_or_else(|error| panic!("{error:?}"))
}

fn fresh_id() -> String {
    plain::intent(String::new(), 0).id().to_string()
}

/// An intent with such an id.
pub(crate) fn intent(id: &str, queue: &str, priority: u8, delay: Hour, expires: Option<Hour>) -> Intent {
    let mut options = serde_json::json!({ "queue": queue, "priority": priority });
    if delay > 0 {
        options["delay_ms"] = (i64::from(delay) * HOUR).into();
    }
    if let Some(expires) = expires {
        options["expires_in_ms"] = (i64::from(expires) * HOUR).into();
    }
    let message = serde_json::json!({ "id": id, "task": "plain", "arguments": ["", 1], "options": options });
    registry().decode(&message.to_string()).expect("an intent")
}
