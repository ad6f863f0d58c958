//! Traces of the model, step by step with the statements that workers use, on a real database: after each step its table is
//! the model's. Hours pass as its times are moved back by as many.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use airlock_tests::servers::Database;
use tokio::runtime::Runtime;

use super::dice::Dice;
use super::hands::{HOUR, Hands, Intents, QUEUE, intent};
use super::table::{Fault, Hour, Row};
use super::world::{Action, Answer, World};
use crate::home::Home;

/// A row's columns as text; times are hours from now.
type Columns = Vec<Option<String>>;

pub(crate) struct Replay<'a> {
    home: &'a Home,
    database: Database,
    runtime: Runtime,
    workers: [Hands; 2],
    intents: Intents,
    /// The full hour, a minute ago: in milliseconds since 1970.
    full_hour: i64,
    world: World,
    /// What was done.
    told: String,
}

impl<'a> Replay<'a> {
    pub(crate) fn on(home: &'a Home) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let hands = || runtime.block_on(Hands::connect(&home.outbox));
        let workers = [hands(), hands()];
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
        let full_hour = i64::try_from(since.as_millis()).expect("it is not that late") - 60_000;
        let (database, intents, world) = (Database::at(&home.url), Intents::new(), World::new(None));
        Self { home, database, runtime, workers, intents, full_hour, world, told: String::new() }
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
        self.intents = Intents::new();
        self.told.clear();
    }

    fn told_step(&mut self, action: Action) -> Result<(), String> {
        let _ = writeln!(self.told, "    {action:?}");
        self.step(action).map_err(|how| format!("{how}, after\n{}in {:#?}", self.told, self.world))
    }

    fn step(&mut self, mut action: Action) -> Result<(), String> {
        let said = self.ask(&action);
        if let Action::ClaimAlone { id, .. } = &mut action {
            // Of several that are due since the same time the database takes one.
            let waits = self.database.column("SELECT id FROM airlock_outbox WHERE state = 'waiting'");
            let alone = self.world.table.alone().into_iter();
            *id = alone.into_iter().find(|id| !waits.iter().any(|waits| waits == self.intents.id(*id))).unwrap_or(*id);
        }
        let answer = self.model(&action);
        if said != answer {
            return Err(format!("the database says {said:?}, and the model {answer:?}"));
        }
        let passed = Hour::from(action == Action::Wait);
        let (rows, expected) = (self.rows(passed), self.expected_rows());
        if rows != expected {
            return Err(format!("the table is\n{rows:?}, and should be\n{expected:?}"));
        }
        if matches!(action, Action::End { .. }) {
            let (left, expected) = (self.left(), self.expected_left());
            if left != expected {
                return Err(format!("what is left is {left:?}, and should be {expected:?}"));
            }
        }
        Ok(())
    }

    fn ask(&mut self, action: &Action) -> Answer {
        match *action {
            Action::Insert { id, priority, delay, expires } => {
                let mut rows = || self.database.number("SELECT count(*) FROM airlock_outbox");
                let before = rows();
                let scope = airlock::scope().executor(self.home.outbox.clone()).enter();
                let intent = intent(self.intents.id(id), QUEUE, priority, delay, expires);
                scope.scope().push(intent).expect("the scope is open");
                scope.flush().expect("it is written");
                Answer::Is(rows() > before)
            }
            _ => {
                let hands = &mut self.workers[action.worker()];
                self.runtime.block_on(hands.ask(action, &self.world, &self.intents))
            }
        }
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
        let row = |row: &Row| {
            let from_now = |time: Option<Hour>| time.map(|time| (time - table.now).to_string());
            let counts = [row.priority, row.attempts, row.rescues, row.lease].map(|count| Some(count.to_string()));
            let names = [self.intents.id(row.id).to_owned(), row.state.to_string()].map(Some);
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
