//! What a row costs that is claimed and ended by the library's statements, by what else lies in the table.

use std::time::{Duration, Instant};

use airlock::OutboxState;
use airlock::testing::steps::{ClaimEnd, WorkerSteps};

use super::{Place, median};

/// How many rows a claim takes, and how many claims are timed.
const BATCH: usize = 100;
const CLAIMS: usize = 9;

pub(super) async fn measure(place: &Place) {
    let mut base = None;
    let cases = [
        ("10^3 waiting", 1_000, None),
        ("10^5 waiting", 100_000, None),
        ("10^6 waiting", 1_000_000, None),
        ("10^6 delayed of a higher priority beside", 1_000, Some(("nothing", 9, "waiting", 86_400_000))),
        ("10^6 done beside", 1_000, Some(("nothing", 5, "done", 0))),
        ("10^6 of tasks that are not known beside", 1_000, Some(("elsewhere", 9, "waiting", 0))),
    ];
    for (name, ready, beside) in cases {
        place.empty();
        if let Some((task, priority, state, delay)) = beside {
            fill(place, 1_000_000, task, priority, state, delay);
        }
        fill(place, ready, "nothing", 5, "waiting", 0);
        let cost = claim_and_end(place).await;
        let base = *base.get_or_insert(cost);
        println!("{}: {name}: {:.1} µs a row; {:.2} x, at most 1.5 x", place.name, cost, cost / base);
    }
    place.empty();
}

/// In microseconds a row.
async fn claim_and_end(place: &Place) -> f64 {
    let mut steps =
        WorkerSteps::connect(&place.outbox, "nothing", "default", Duration::from_secs(30)).await.expect("one");
    let mut costs = Vec::new();
    for _ in 0..CLAIMS {
        let start = Instant::now();
        let claimed = steps.claim(BATCH).await.expect("rows");
        assert_eq!(claimed.rows.len(), BATCH);
        let end =
            |(key, _)| ClaimEnd { key, state: OutboxState::Done, pause: None, counts: true, follow_ups: Vec::new() };
        let ended = steps.finish(claimed.rows.into_iter().map(end).collect()).await.expect("they end");
        costs.push(start.elapsed().as_secs_f64() * 1e6 / BATCH as f64);
        assert_eq!(ended.len(), BATCH);
    }
    median(costs)
}

pub(super) fn fill(place: &Place, rows: u64, task: &str, priority: u8, state: &str, delay: u64) {
    if place.is_sqlite() {
        let now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
        place.run(&format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows})
             INSERT INTO airlock_outbox (id, task, queue, priority, state, due, ended, arguments)
             SELECT printf('%08x-0000-4000-8000-%012x', n, abs(random()) % 281474976710656), '{task}', 'default',
                 {priority}, '{state}', {now} + {delay},
                 CASE WHEN '{state}' = 'done' THEN {now} END, '[1]' FROM n"
        ));
        // A log as long as the table itself would be searched for each page, until it is full again.
        place.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } else {
        place.run(&format!(
            "INSERT INTO airlock_outbox (id, task, queue, priority, state, due, ended, arguments)
             SELECT gen_random_uuid(), '{task}', 'default', {priority}, '{state}',
                 clock_timestamp() + {delay} * interval '1 millisecond',
                 CASE WHEN '{state}' = 'done' THEN clock_timestamp() END, '[1]' FROM generate_series(1, {rows})"
        ));
    }
}
