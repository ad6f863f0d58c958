//! An outbox and its worker beside a hand-written loop on the same table, and a relay beside a flush: rows a second, in one
//! run.
//!
//! ```text
//! cargo bench -p airlock-tests --all-features --bench outbox
//! ```

#![allow(clippy::print_stdout, reason = "a program for people")]

mod relay;

use std::time::{Duration, Instant};

use airlock::{Outbox, Worker};
use airlock_tests::process::Folder;
use airlock_tests::servers::{Database, PostgresServer};
use sqlx::{AssertSqlSafe, Connection, Row};

const ROWS: u64 = 20_000;

/// How many rows the hand-written loop claims at a time.
const BATCH: u32 = 500;

#[airlock::task]
async fn nothing(_number: u64) {}

#[airlock::task]
fn plain(_number: u64) {}

fn main() {
    let folder = Folder::fresh("bench");
    let sqlite = format!("sqlite://{}/bench.db", folder.path().display());
    Database::at(&sqlite).run("PRAGMA journal_mode = WAL");
    let server = PostgresServer::start();
    for (name, url) in [("SQLite", sqlite), ("Postgres", server.database("template1"))] {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(measure(name, &url));
    }
    relay::measure();
}

async fn measure(name: &str, url: &str) {
    let outbox = Outbox::new(url).expect("a URL");
    outbox.migrate().await.expect("the table is made");
    let mut ratios = Vec::new();
    for round in 0..3 {
        let written = enqueue(&outbox);
        let by_hand = drain_by_hand(url).await;
        enqueue(&outbox);
        let drained = drain(&outbox).await;
        let pick_up = pick_up(&outbox).await;
        ratios.push(drained / by_hand);
        println!(
            "{name}, round {round}: written {written:.0}/s, drained by hand {by_hand:.0}/s, by a worker {drained:.0}/s \
             ({:.2}), picked up and done in {:.1?} (p50), {:.1?} (p95)",
            drained / by_hand,
            pick_up.0,
            pick_up.1
        );
        outbox.prune(Duration::ZERO).await.expect("an answer");
    }
    ratios.sort_by(f64::total_cmp);
    println!("{name}: {:.2} of the loop by hand; the budget is 0.5", ratios[1]);
}

/// One flush.
fn enqueue(outbox: &Outbox) -> f64 {
    let scope = airlock::scope().executor(outbox.clone()).deadline(Duration::from_secs(60)).enter();
    for number in 0..ROWS {
        let enqueued = if number % 2 == 0 { nothing::enqueue(number) } else { plain::enqueue(number) };
        enqueued.expect("there is a scope");
    }
    let start = Instant::now();
    scope.flush().expect("it is written");
    ROWS as f64 / start.elapsed().as_secs_f64()
}

async fn drain(outbox: &Outbox) -> f64 {
    let worker = Worker::new(outbox.clone());
    let counters = worker.counters();
    let start = Instant::now();
    let all_done = async {
        while counters.now().done < ROWS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    worker.run_until(all_done).await.expect("it starts");
    ROWS as f64 / start.elapsed().as_secs_f64()
}

/// From the end of a flush to the end of its run, by an idle worker.
async fn pick_up(outbox: &Outbox) -> (Duration, Duration) {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = Worker::new(outbox.clone());
    let counters = worker.counters();
    let worker = tokio::spawn(worker.run_until(async { drop(stopped.await) }));
    let mut times = Vec::new();
    for round in 0..50 {
        let scope = airlock::scope().executor(outbox.clone()).open();
        scope.run(|| nothing::enqueue(round)).expect("there is a scope");
        scope.flush_async().await.expect("it is written");
        let start = Instant::now();
        while counters.now().done <= round {
            tokio::task::yield_now().await;
        }
        times.push(start.elapsed());
    }
    drop(stop);
    worker.await.expect("no panic").expect("it starts");
    times.sort_unstable();
    (times[25], times[47])
}

/// No lease, no fence, no task.
async fn drain_by_hand(url: &str) -> f64 {
    macro_rules! drain {
        ($connection:ty, $claim:literal, $end:literal) => {{
            let mut connection = <$connection>::connect(url).await.expect("it can be opened");
            let start = Instant::now();
            loop {
                let claim = sqlx::query(AssertSqlSafe(format!($claim, BATCH)));
                let rows = claim.fetch_all(&mut connection).await.expect("rows");
                let ids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                if ids.is_empty() {
                    break ROWS as f64 / start.elapsed().as_secs_f64();
                }
                let ids = serde_json::to_string(&ids).expect("JSON");
                sqlx::query($end).bind(ids).execute(&mut connection).await.expect("they end");
            }
        }};
    }
    if url.starts_with("sqlite") {
        drain!(
            sqlx::SqliteConnection,
            "UPDATE airlock_outbox SET state = 'running' WHERE seq IN (SELECT seq FROM airlock_outbox WHERE state = 'waiting'
             ORDER BY queue, task, priority, due, seq LIMIT {}) RETURNING id, arguments",
            "UPDATE airlock_outbox SET state = 'done', ended = 1 WHERE id IN (SELECT value FROM json_each(?))"
        )
    } else {
        drain!(
            sqlx::PgConnection,
            "UPDATE airlock_outbox SET state = 'running' WHERE id IN (SELECT id FROM airlock_outbox WHERE state = 'waiting'
             ORDER BY queue, task, priority, due, seq LIMIT {} FOR UPDATE SKIP LOCKED) RETURNING id::text, arguments",
            "UPDATE airlock_outbox SET state = 'done', ended = now()
             WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid))"
        )
    }
}
