//! 100,000 rows of a task that does nothing: a worker with its defaults, beside a loop without lease, fence or task.

use std::time::{Duration, Instant};

use airlock::Worker;
use sqlx::{AssertSqlSafe, Connection, Row};

use super::{Place, median};

const ROWS: u64 = 100_000;

/// How many rows the hand-written loop claims at a time.
const BATCH: u32 = 500;

const ROUNDS: usize = 3;

pub(super) async fn measure(place: &Place) {
    let (mut by_hand, mut by_worker) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        place.enqueue(ROWS);
        by_hand.push(drain_by_hand(&place.url).await);
        place.empty();
        place.enqueue(ROWS);
        by_worker.push(drain(place).await);
        place.empty();
    }
    let ratio = median(by_hand.iter().zip(&by_worker).map(|(hand, worker)| worker / hand).collect());
    println!(
        "{}: drained by hand {:.0} rows/s, by a worker {:.0} rows/s; {ratio:.2} x, at least 0.5 x",
        place.name,
        median(by_hand),
        median(by_worker)
    );
}

async fn drain(place: &Place) -> f64 {
    let worker = Worker::new(place.outbox.clone());
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
            // Chosen first: as a subquery of `IN`, the planner may choose once for each row of the table.
            "WITH chosen AS MATERIALIZED (SELECT id FROM airlock_outbox WHERE state = 'waiting'
             ORDER BY queue, task, priority, due, seq LIMIT {} FOR UPDATE SKIP LOCKED)
             UPDATE airlock_outbox SET state = 'running' WHERE id = ANY (ARRAY(SELECT id FROM chosen))
             RETURNING id::text, arguments",
            "UPDATE airlock_outbox SET state = 'done', ended = now()
             WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid))"
        )
    }
}
