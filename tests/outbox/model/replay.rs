//! Random traces of the model, step by step with the statements that workers use, on a real database: after each step its
//! table is the model's. Hours pass as its times are moved back by as many.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::testing::outbox::{ClaimEnd, ClaimKey, ClaimedKeys, WorkerSteps};
use airlock::{DispatchError, Intent, registry};
use airlock_tests::servers::Database;
use tokio::runtime::Runtime;

use super::dice::Dice;
use super::table::{Claimed, Fault, Hour, Id, LEASE, MAX_RESCUES};
use super::world::{Action, Answer, World, ids};
use crate::home::Home;
use crate::tasks::plain;

/// A row's columns as text; times are hours from now.
type Columns = Vec<Option<String>>;

const QUEUE: &str = "replayed";

/// An hour in milliseconds.
const HOUR: i64 = 3_600_000;

pub(crate) struct Replay<'a> {
    home: &'a Home,
    database: Database,
    runtime: Runtime,
    workers: [Hands; 2],
    intents: [String; 3],
    /// The full hour, a minute ago: in milliseconds since 1970.
    full_hour: i64,
    world: World,
    /// What was done, for those who have to find out why it went wrong.
    told: String,
}

/// A worker's connection, and what it holds.
struct Hands {
    steps: WorkerSteps,
    keys: BTreeMap<Id, ClaimKey>,
}

impl<'a> Replay<'a> {
    pub(crate) fn on(home: &'a Home) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let hands = || Hands {
            steps: runtime
                .block_on(WorkerSteps::connect(&home.outbox, "plain", QUEUE, hours(LEASE)))
                .expect("the database answers"),
            keys: BTreeMap::new(),
        };
        let workers = [hands(), hands()];
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
        Self {
            home,
            database: Database::at(&home.url),
            workers,
            runtime,
            intents: Default::default(),
            full_hour: since.as_millis() as i64 - 60_000,
            world: World::new(None),
            told: String::new(),
        }
    }

    /// A trace from an empty table; what the database and the model disagree on, if they do.
    pub(crate) fn follow(&mut self, fault: Option<Fault>, trace: &[Action]) -> Result<(), String> {
        self.begin(fault);
        trace.iter().try_for_each(|action| self.told_step(action.clone()))
    }

    /// The same for what is drawn as it goes.
    pub(crate) fn random(&mut self, fault: Option<Fault>, dice: &mut Dice, steps: usize) -> Result<(), String> {
        self.begin(fault);
        (0..steps).try_for_each(|_| self.told_step(dice.action(&self.world)))
    }

    fn begin(&mut self, fault: Option<Fault>) {
        self.database.run("DELETE FROM airlock_outbox");
        self.world = World::new(fault);
        self.workers.iter_mut().for_each(|hands| hands.keys.clear());
        self.intents = std::array::from_fn(|_| plain::intent(String::new(), 0).id().to_string());
        self.told.clear();
    }

    fn told_step(&mut self, action: Action) -> Result<(), String> {
        let _ = writeln!(self.told, "    {action:?}");
        self.step(action).map_err(|how| format!("{how}, after\n{}in {:#?}", self.told, self.world))
    }

    fn step(&mut self, action: Action) -> Result<(), String> {
        let (said, action) = self.ask(action);
        let answer = self.model(&action);
        if said != answer {
            return Err(format!("the database says {said:?}, and the model {answer:?}"));
        }
        let passed = Hour::from(action == Action::Wait);
        let (rows, expected) = (self.rows(passed), self.expected_rows());
        if rows != expected {
            return Err(format!("the table is\n{rows:?}, and should be\n{expected:?}"));
        }
        if matches!(action, Action::End { .. } | Action::Insert { .. }) {
            let (left, expected) = (self.left(), self.expected_left());
            if left != expected {
                return Err(format!("what is left is {left:?}, and should be {expected:?}"));
            }
        }
        Ok(())
    }

    /// What the model says. The library looks for what is lost as it rescues that.
    fn model(&mut self, action: &Action) -> Answer {
        if let Action::Rescue { worker } = *action
            && self.world.table.fault != Some(Fault::RescueById)
        {
            self.world.step(&Action::Look { worker });
        }
        self.world.step(action)
    }

    /// Has the library do it. Of several rows that may run alone the database takes one.
    fn ask(&mut self, action: Action) -> (Answer, Action) {
        let id_of = |intents: &[String; 3], id: &str| {
            intents.iter().position(|intent| intent == id).expect("a row of this trace") as Id
        };
        let intents = &self.intents;
        let answer = match &action {
            Action::Insert { id, priority, delay, expires } => {
                let before = self.database.number("SELECT count(*) FROM airlock_outbox");
                let intent = intent(&intents[usize::from(*id)], QUEUE, *priority, *delay, *expires);
                let scope = airlock::scope().executor(self.home.outbox.clone()).enter();
                scope.scope().push(intent).expect("the scope is open");
                scope.flush().expect("it is written");
                Answer::Is(self.database.number("SELECT count(*) FROM airlock_outbox") > before)
            }
            Action::Wait | Action::Look { .. } => Answer::Nothing,
            Action::Crash { worker } => {
                self.workers[*worker].keys.clear();
                Answer::Nothing
            }
            Action::Claim { worker, most } => {
                let hands = &mut self.workers[*worker];
                let claimed = done(self.runtime.block_on(hands.steps.claim(*most)));
                Answer::Claimed(hands.hold(claimed, &self.world, |id| id_of(intents, id)))
            }
            Action::ClaimAlone { worker, .. } => {
                let hands = &mut self.workers[*worker];
                let claimed = done(self.runtime.block_on(hands.steps.claim_alone()));
                let claimed = hands.hold(claimed, &self.world, |id| id_of(intents, id));
                let alone = self.world.table.alone();
                let taken = claimed.rows.first().map(|(key, _)| key.id).filter(|id| alone.contains(id));
                // One that has expired is told by its row.
                let expired = || {
                    alone.iter().copied().find(|id| self.world.table.row(*id).is_some_and(|row| row.expires.is_some()))
                };
                let id = taken.or_else(expired).unwrap_or(alone[0]);
                return (Answer::Claimed(claimed), Action::ClaimAlone { worker: *worker, id });
            }
            Action::Renew { worker } => {
                let Hands { steps, keys } = &mut self.workers[*worker];
                let held: Vec<_> = keys.values().cloned().collect();
                let renewed = done(self.runtime.block_on(steps.renew(&held)));
                keys.retain(|_, key| renewed.contains(key.id()));
                let mut renewed: Vec<_> = renewed.iter().map(|id| id_of(intents, id)).collect();
                let order = ids(&self.world.workers[*worker].claims);
                renewed.sort_unstable_by_key(|id| order.iter().position(|held| held == id));
                Answer::Touched(renewed)
            }
            Action::Rescue { worker } => {
                let Hands { steps, keys } = &mut self.workers[*worker];
                let held: Vec<_> = keys.values().cloned().collect();
                let rescued = done(self.runtime.block_on(steps.rescue(MAX_RESCUES.into(), &held)));
                let mut rescued: Vec<_> = rescued.iter().map(|(id, is_dead)| (id_of(intents, id), *is_dead)).collect();
                let order: Vec<_> = self.world.table.rows.iter().map(|row| row.id).collect();
                rescued.sort_unstable_by_key(|(id, _)| order.iter().position(|row| row == id));
                Answer::Rescued(rescued)
            }
            Action::End { worker, ends } => {
                let claims = &self.world.workers[*worker].claims;
                let Hands { steps, keys } = &mut self.workers[*worker];
                let claim_end = |(id, how): &(Id, _)| {
                    let claim = claims.iter().find(|claim| claim.key.id == *id).expect("it holds it");
                    let end = claim.to_end(*how);
                    let left =
                        || intent(&plain::intent(String::new(), 0).id().to_string(), &format!("left-{id}"), 5, 0, None);
                    ClaimEnd {
                        key: keys.remove(id).expect("it holds it"),
                        state: end.state,
                        pause: end.pause.map(hours),
                        counts: end.counts,
                        follow_ups: end.leaves.then(left).into_iter().collect(),
                    }
                };
                let claim_ends = ends.iter().map(claim_end).collect();
                let recorded = done(self.runtime.block_on(steps.finish(claim_ends)));
                let mut recorded: Vec<_> = recorded.iter().map(|id| id_of(intents, id)).collect();
                recorded.sort_unstable_by_key(|id| ends.iter().position(|(ended, _)| ended == id));
                Answer::Touched(recorded)
            }
            Action::Cancel { id } | Action::Retry { id } => {
                let intent = intents[usize::from(*id)].parse().expect("an id");
                let steps = &mut self.workers[0].steps;
                Answer::Is(done(match action {
                    Action::Cancel { .. } => self.runtime.block_on(steps.cancel(intent)),
                    _ => self.runtime.block_on(steps.retry(intent)),
                }))
            }
            Action::Prune { dead, age } => {
                Answer::Count(done(self.runtime.block_on(self.workers[0].steps.prune(*dead, hours(*age)))))
            }
        };
        (answer, action)
    }

    /// The table, after its times have been put on the full hour again, and so many hours have passed.
    fn rows(&mut self, passed: Hour) -> Vec<Columns> {
        let (full, is_sqlite) = (self.full_hour, self.home.url.starts_with("sqlite"));
        let rounded = |column: &str| match is_sqlite {
            // A division of whole numbers goes towards 0, which is far away here.
            true => format!("(({column} - {full} + {HOUR} / 2 + 1000 * {HOUR}) / {HOUR} - 1000)"),
            false => format!("round(extract(epoch FROM {column} - to_timestamp({full} / 1000.0)) / 3600)::bigint"),
        };
        let moved = |column: &str| match is_sqlite {
            true => format!("{column} = {full} + ({} - {passed}) * {HOUR}", rounded(column)),
            false => {
                let hours = format!("({} - {passed}) * interval '1 hour'", rounded(column));
                format!("{column} = to_timestamp({full} / 1000.0) + {hours}")
            }
        };
        let times = ["due", "expires", "leased_until", "ended"];
        let mut rows = self.database.rows(&format!(
            "UPDATE airlock_outbox SET {} WHERE queue = '{QUEUE}'
             RETURNING seq, id, state, priority, attempts, rescues, lease, {}",
            times.map(moved).join(", "),
            times.map(rounded).join(", "),
        ));
        rows.sort_unstable_by_key(|row| row[0].as_ref().and_then(|seq| seq.parse::<i64>().ok()));
        rows.into_iter().map(|row| row.into_iter().skip(1).collect()).collect()
    }

    fn expected_rows(&self) -> Vec<Columns> {
        let table = &self.world.table;
        let row = |row: &super::table::Row| {
            let from_now = |time: Option<Hour>| time.map(|time| (time - table.now).to_string());
            let counts = [row.priority, row.attempts, row.rescues, row.lease].map(|count| Some(count.to_string()));
            let names = [self.intents[usize::from(row.id)].clone(), row.state.to_string()].map(Some);
            let times = [Some(row.due), row.expires, row.leased_until, row.ended].map(from_now);
            names.into_iter().chain(counts).chain(times).collect()
        };
        table.rows.iter().map(row).collect()
    }

    /// How many intents the tasks of each row have left.
    fn left(&mut self) -> Vec<Columns> {
        self.database.rows(&format!(
            "SELECT queue, count(*) FROM airlock_outbox WHERE queue <> '{QUEUE}' GROUP BY queue ORDER BY queue"
        ))
    }

    fn expected_left(&self) -> Vec<Columns> {
        let mut left = BTreeMap::<_, usize>::new();
        self.world.table.left.iter().for_each(|id| *left.entry(*id).or_default() += 1);
        left.into_iter().map(|(id, count)| vec![Some(format!("left-{id}")), Some(count.to_string())]).collect()
    }
}

impl Hands {
    /// As the model has it: the library's keys are its own.
    fn hold(&mut self, claimed: ClaimedKeys, world: &World, id_of: impl Fn(&str) -> Id) -> Claimed {
        let ClaimedKeys { rows, expired } = claimed;
        let rows = rows.into_iter().map(|(key, attempts)| {
            let id = id_of(key.id());
            let seq = world.table.row(id).map_or(0, |row| row.seq);
            let model = super::table::Key { id, seq, lease: key.lease() as u8 };
            self.keys.insert(id, key);
            (model, attempts as u8)
        });
        Claimed { rows: rows.collect(), expired }
    }
}

fn hours(hours: Hour) -> Duration {
    Duration::from_millis(hours.unsigned_abs().into()) * HOUR as u32
}

fn done<T>(answer: Result<T, DispatchError>) -> T {
    answer.unwrap_or_else(|error| panic!("{error:?}"))
}

fn intent(id: &str, queue: &str, priority: u8, delay: Hour, expires: Option<Hour>) -> Intent {
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
