//! What the table is to look like at any moment, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use airlock_tests::servers::Database;

use super::child::{BILL_LEAVES, CONFIRM_LEAVES};

/// The rows of one moment: one statement reads them.
#[derive(Debug)]
pub(super) struct Snapshot(BTreeMap<String, Row>);

#[derive(Debug)]
pub(super) struct Row {
    task: String,
    order: u64,
    parent: Option<String>,
    state: String,
    attempts: u64,
    rescues: u64,
    /// All that is to stay as it is once the row has ended.
    whole: String,
}

impl Snapshot {
    /// The rows that were written after the one of this number.
    pub(super) fn after(seq: u64, database: &mut Database) -> Self {
        let rows = database.rows(&format!(
            "SELECT id, task, arguments, state, attempts, rescues, lease, ended FROM airlock_outbox WHERE seq > {seq}"
        ));
        let read = |row: Vec<Option<String>>| {
            let whole = format!("{:?}", &row[3..]);
            let [id, task, arguments, state, attempts, rescues] =
                std::array::from_fn(|at| row[at].clone().unwrap_or_default());
            let (parent, order) = read_arguments(&arguments);
            let number = |text: String| text.parse().expect("a number");
            let (attempts, rescues) = (number(attempts), number(rescues));
            (id, Row { task, order, parent, state, attempts, rescues, whole })
        };
        Self(rows.into_iter().map(read).collect())
    }

    /// What holds at any moment: what has ended stays as it is, and follow-ups are there if and only if their parent is done.
    pub(super) fn check(&self, ended: &mut BTreeMap<String, String>) {
        let mut left: BTreeMap<&str, usize> = BTreeMap::new();
        for (id, row) in &self.0 {
            if let Some(parent) = &row.parent {
                *left.entry(parent).or_default() += 1;
            }
            match ended.get(id) {
                Some(before) => assert_eq!(before, &row.whole, "{id} had ended: {row:?}"),
                None if row.has_ended() => drop(ended.insert(id.clone(), row.whole.clone())),
                None => {}
            }
        }
        for (id, row) in self.0.iter().filter(|(_, row)| row.parent.is_none()) {
            let expected = match (row.state.as_str(), row.task.as_str()) {
                ("done", "faults.confirm") => CONFIRM_LEAVES,
                ("done", "faults.bill") => BILL_LEAVES,
                _ => 0,
            };
            assert_eq!(left.remove(id.as_str()).unwrap_or_default(), expected, "what {id} left: {row:?}");
        }
        assert!(left.is_empty(), "follow-ups without a parent: {left:?}");
    }

    pub(super) fn is_at_its_end(&self) -> bool {
        self.0.values().all(Row::has_ended)
    }

    pub(super) fn is_running(&self) -> bool {
        self.0.values().any(|row| row.state == "running")
    }

    /// What has not ended, for people.
    pub(super) fn unfinished(&self) -> Vec<(&String, &Row)> {
        self.0.iter().filter(|(_, row)| !row.has_ended()).collect()
    }

    /// What holds once all has ended: each committed order's tasks have run, as often as attempts and lost leases say, and
    /// none of an order that isn't there.
    pub(super) fn check_end(&self, first_order: u64, database: &mut Database) -> usize {
        let orders = database.column(&format!("SELECT id FROM shop_orders WHERE id >= {first_order}"));
        let orders: BTreeSet<u64> = orders.iter().map(|id| id.parse().expect("a number")).collect();
        let noted = format!("SELECT id, count(*) FROM shop_runs WHERE placed >= {first_order} GROUP BY id");
        let mut runs: BTreeMap<_, _> = database.rows(&noted).into_iter().map(read_runs).collect();
        let mut tasks: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (id, row) in self.0.iter().filter(|(_, row)| row.order >= first_order) {
            tasks.entry(row.order).or_default().push(row.task.strip_prefix("faults.").unwrap_or(&row.task));
            let attempts = if row.task == "faults.bill" { 2 } else { 1 };
            assert_eq!((row.state.as_str(), row.attempts), ("done", attempts), "{id}: {row:?}");
            let runs = runs.remove(id).unwrap_or_default();
            let explained = row.attempts..=row.attempts + row.rescues;
            assert!(explained.contains(&runs), "{id} ran {runs} times, and not {explained:?}: {row:?}");
        }
        assert!(runs.is_empty(), "runs without a row: {runs:?}");
        assert!(tasks.keys().eq(&orders), "{tasks:?}\nof the orders {orders:?}");
        for (order, mut tasks) in tasks {
            tasks.sort_unstable();
            assert_eq!(tasks, ["bill", "confirm", "follow_up", "follow_up", "follow_up"], "of order {order}");
        }
        orders.len()
    }

    /// How many leases were lost.
    pub(super) fn rescues(&self) -> u64 {
        self.0.values().map(|row| row.rescues).sum()
    }
}

impl Row {
    fn has_ended(&self) -> bool {
        !["waiting", "running"].contains(&self.state.as_str())
    }
}

fn read_runs(row: Vec<Option<String>>) -> (String, u64) {
    let mut values = row.into_iter().map(Option::unwrap_or_default);
    let id = values.next().unwrap_or_default();
    let runs = values.next().and_then(|runs| runs.parse().ok()).expect("a number");
    (id, runs)
}

/// The parent, if there is one, and the order.
fn read_arguments(arguments: &str) -> (Option<String>, u64) {
    let value: serde_json::Value = serde_json::from_str(arguments).expect("JSON");
    let get = |name: &str, at: usize| value.get(name).or_else(|| value.get(at));
    match get("parent", 0).and_then(|parent| parent.as_str()) {
        Some(parent) => (Some(parent.to_owned()), get("order", 1).and_then(|order| order.as_u64()).expect("an order")),
        None => (None, get("order", 0).and_then(|order| order.as_u64()).expect("an order")),
    }
}
