//! What the databases do for each statement of a worker while a million rows lie in the table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use airlock::{Options, OutboxFilter, OutboxState};
use airlock_tests::servers::{Database, PostgresServer};

use crate::home::{Home, block_on};
use crate::leases::strand;
use crate::tasks::{fails, leaves, plain, unique};

/// How many rows of each kind that no worker of this program may come near: 10^6 in all.
const ROWS: u64 = 200_000;

/// Of these a worker reads the table for people alone.
const FOR_PEOPLE: [&str; 3] = ["GROUP BY queue, state", "GROUP BY task", "$1::text IS NULL"];

/// Rows to come of a higher priority, those of tasks that are not known here, of another queue, done ones and dead ones.
fn fill(database: &mut Database) {
    let kinds = [
        ("'plain', 'default', 9, 'waiting', clock_timestamp() + interval '1 day', NULL"),
        ("'elsewhere_' || n % 50, 'default', 9, 'waiting', clock_timestamp(), NULL"),
        ("'plain', 'other', 9, 'waiting', clock_timestamp(), NULL"),
        ("'plain', 'default', 5, 'done', clock_timestamp(), clock_timestamp()"),
        ("'plain', 'default', 5, 'dead', clock_timestamp(), clock_timestamp()"),
    ];
    for kind in kinds {
        database.run(&format!(
            "INSERT INTO airlock_outbox (id, task, queue, priority, state, due, ended, arguments)
             SELECT gen_random_uuid(), {kind}, '[]' FROM generate_series(1, {ROWS}) n"
        ));
    }
}

/// A statement's plan: what it scans, and how many rows that gave or threw away in all.
#[derive(Debug, Default)]
struct Plan {
    scans: Vec<String>,
    rows: f64,
}

/// The plans in the log of the server, by the beginning of their statements.
fn plans(log: &str) -> BTreeMap<String, Vec<Plan>> {
    let mut plans = BTreeMap::<String, Vec<Plan>>::new();
    for entry in log.split("plan:\n").skip(1) {
        let entry = entry.split(" LOG: ").next().unwrap_or(entry);
        let Some((text, plan)) = entry.split_once("(cost=") else { continue };
        // The text ends where the first node of the plan begins.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut of = Plan::default();
        let mut loops = 1.0;
        for line in plan.lines() {
            let number = |after: &str| {
                let (_, rest) = line.split_once(after)?;
                rest.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?.parse::<f64>().ok()
            };
            let is_scan = line.contains(" Scan ") && line.contains("airlock_outbox ");
            if is_scan {
                of.scans.push(line.trim().to_owned());
            }
            if let Some(times) = number("loops=") {
                loops = times;
                if is_scan {
                    let actual = line.split_once("actual").map_or("", |(_, actual)| actual);
                    let rows = actual.split_once("rows=").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
                    of.rows += rows.unwrap_or(0.0) * loops;
                }
            }
            of.rows += number("Removed by Filter: ").unwrap_or(0.0) * loops;
            of.rows += number("Removed by Index Recheck: ").unwrap_or(0.0) * loops;
            // Of a node without an index, which goes through all of its rows for each one of the other.
            of.rows += number("Removed by Join Filter: ").unwrap_or(0.0) * loops;
        }
        plans.entry(text).or_default().push(of);
    }
    plans
}

#[test]
fn workers_on_postgres_read_a_few_rows_by_index_whatever_lies_in_the_table() {
    check_plans(fill);
}

/// As autovacuum leaves the statistics that comes by while the first large transaction is open.
#[test]
fn workers_on_postgres_read_a_few_rows_by_index_of_a_table_that_is_taken_for_empty() {
    check_plans(|database| {
        database.run("ALTER TABLE airlock_outbox SET (autovacuum_enabled = false)");
        database.run(
            "INSERT INTO airlock_outbox (id, task, queue, arguments)
             SELECT gen_random_uuid(), 'elsewhere', 'default', '[]' FROM generate_series(1, 20000)",
        );
        database.run(
            "UPDATE pg_class SET reltuples = 0, relpages = pg_relation_size(oid) / 8192 WHERE relname LIKE 'airlock_outbox%'",
        );
    });
}

fn check_plans(prepare: impl Fn(&mut Database)) {
    let server = Arc::new(PostgresServer::start());
    let url = server.database("template1");
    let home = Home::at(url, None, Some(Arc::clone(&server)));
    let mut database = Database::at(&home.url);
    prepare(&mut database);
    // What was known of an empty table is known no better when workers begin.
    let name = home.url.rsplit('/').next().expect("a name").to_owned();
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_timing = off",
    ] {
        database.run(&format!("ALTER DATABASE {name} SET {setting}"));
    }
    drop(database);
    let test = unique();
    block_on(async {
        home.enqueue(|| {
            (0..1500).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop))?;
            leaves::enqueue(test.clone(), 3, true)?;
            fails::enqueue(test.clone(), 1)
        });
        let worker = home.worker().queues(["default"]).lease(Duration::from_millis(300));
        let ran = async || {
            let mine = OutboxFilter::new().state(OutboxState::Done).task("fails");
            let waiting = OutboxFilter::new().state(OutboxState::Waiting).queue("default").task("leaves");
            home.outbox.find(mine).await.expect("rows").len() == 1
                && home.outbox.find(waiting).await.expect("rows").is_empty()
        };
        let story = async {
            home.until("its rows have run", ran).await;
            // One whose worker was lost: until it has run, rows are rescued, and looked for that are to run alone.
            home.enqueue(|| {
                let later = Options::new().delay(Duration::from_secs(3600));
                plain::enqueue_with(later, test.clone(), 9999)
            });
            strand(&home, "arguments LIKE '%9999_'", 0);
            home.until("the lost one has run", async || crate::tasks::ran(&test).contains(&9999)).await;
        };
        home.run_while(worker, story).await;
        let id =
            home.outbox.find(OutboxFilter::new().state(OutboxState::Done).task("fails")).await.expect("rows")[0].id;
        assert!(!home.outbox.cancel(id).await.expect("an answer"), "it is done");
        assert!(!home.outbox.retry(id).await.expect("an answer"), "it is done");
        home.outbox.stats().await.expect("stats");
    });
    let plans = plans(&server.log());
    let of_workers = plans.iter().filter(|(text, _)| {
        text.contains("airlock_outbox") && !FOR_PEOPLE.iter().any(|part| text.contains(part)) && text.contains('$')
    });
    let mut seen = 0;
    for (text, plans) in of_workers {
        seen += 1;
        for plan in plans {
            assert!(!plan.scans.iter().any(|scan| scan.contains("Seq Scan")), "{text}\n{plan:#?}");
            // A claim looks at each kind of row once, and at the rows that it takes.
            assert!(plan.rows < 6000.0, "{text}\n{plan:#?}");
        }
    }
    assert!(seen >= 7, "{:#?}", plans.keys());
    assert!(plans.keys().any(|text| text.contains("rescues = t.rescues + 1")), "{:#?}", plans.keys());
}
