//! What a commit with its effects costs, beside a plain one with the same rows inserted by hand.
//!
//! `cargo bench -p airlock-tests --features django-tasks,postgres,sqlite --bench commit [-- ROUNDS]`
//!
//! Medians of interleaved rounds. Both insert an order first. By hand, a row is made of its task's arguments by
//! `DjangoTasksExecutor::message`, and up to a thousand share a statement. Nothing is asserted.
#![allow(clippy::print_stdout, reason = "the table is the point")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the benchmark")]

use std::time::{Duration, Instant, SystemTime};

use airlock::{BrokerMessage, DjangoTasksExecutor, SqlMessage, SqlValue};
use airlock_tests::servers::DjangoDatabase;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tokio::runtime::{Builder, Runtime};

#[airlock::task(name = "shop.tasks.send_receipt")]
fn send_receipt(order_id: u64, address: String);

/// How many rows share a statement by hand.
const ROWS: usize = 1000;

const ORDER: &str = "INSERT INTO orders VALUES (1)";

fn address(order: usize) -> String {
    format!("customer{order}@example.org")
}

fn row(executor: &DjangoTasksExecutor, order: usize) -> SqlMessage {
    let intent = send_receipt::intent(order as u64, address(order));
    match executor.message(&intent, SystemTime::now()).unwrap() {
        BrokerMessage::Sql(row) => row,
        other => panic!("{other:?} is no row"),
    }
}

/// The insertion of so many rows, from that of one with so many placeholders, `?` or `$1`.
fn of_many(one: &str, values: usize, rows: usize) -> String {
    let (head, row) = one.split_once(" VALUES ").unwrap();
    let row_at = |at: usize| {
        let mut parts = row.split('$');
        let first = parts.next().unwrap().to_owned();
        let numbered = parts.map(|part| {
            let (number, rest) = part.split_once("::").unwrap();
            format!("${}::{rest}", number.parse::<usize>().unwrap() + at * values)
        });
        std::iter::once(first).chain(numbered).collect::<String>()
    };
    format!("{head} VALUES {}", (0..rows).map(row_at).collect::<Vec<_>>().join(", "))
}

macro_rules! ways {
    ($name:ident, $pool:ty, $begin:literal) => {
        mod $name {
            use super::*;

            async fn by_hand(pool: &$pool, executor: &DjangoTasksExecutor, statement: &str, count: usize) {
                let mut transaction = pool.begin_with($begin).await.unwrap();
                sqlx::raw_sql(ORDER).execute(&mut *transaction).await.unwrap();
                for first in (0..count).step_by(ROWS) {
                    let mut query = sqlx::query(AssertSqlSafe(statement));
                    for order in first..count.min(first + ROWS) {
                        for value in row(executor, order).values() {
                            query = match value {
                                SqlValue::Int(number) => query.bind(*number),
                                SqlValue::Text(text) => query.bind(text.to_string()),
                                SqlValue::Bytes(bytes) => query.bind(bytes.clone()),
                                other => panic!("{other:?} is unknown here"),
                            };
                        }
                    }
                    query.execute(&mut *transaction).await.unwrap();
                }
                transaction.commit().await.unwrap();
            }

            async fn by_scope(pool: &$pool, executor: &DjangoTasksExecutor, count: usize) {
                let scope = airlock::scope().executor(executor.clone()).open();
                let mut transaction = pool.begin_with($begin).await.unwrap();
                let placed = scope.wrap(async {
                    sqlx::raw_sql(ORDER).execute(&mut *transaction).await.unwrap();
                    (0..count).try_for_each(|order| send_receipt::enqueue(order as u64, address(order)).map(drop))
                });
                placed.await.unwrap();
                let report = scope.commit(transaction).await.unwrap();
                assert_eq!(report.counts().written, count);
            }

            pub(super) fn measure(runtime: &Runtime, database: &DjangoDatabase, rounds: usize) {
                database.open().run("CREATE TABLE orders (id int)");
                let pool = runtime.block_on(<$pool>::connect(database.url())).unwrap();
                let executor = DjangoTasksExecutor::new(database.url()).unwrap();
                for count in [1, 100, 10_000] {
                    let one = row(&executor, 0);
                    let statement = of_many(&one.statement(), one.values().len(), count.min(ROWS));
                    // Small ones are timed many at a time.
                    let times = if count == 1 { 100 } else { 1 };
                    let (mut hand, mut scope) = (Vec::new(), Vec::new());
                    for _ in 0..=rounds {
                        let started = Instant::now();
                        runtime.block_on(async {
                            for _ in 0..times {
                                by_hand(&pool, &executor, &statement, count).await;
                            }
                        });
                        hand.push(started.elapsed() / times);
                        let started = Instant::now();
                        runtime.block_on(async {
                            for _ in 0..times {
                                by_scope(&pool, &executor, count).await;
                            }
                        });
                        scope.push(started.elapsed() / times);
                        database.empty(&mut database.open());
                    }
                    print(stringify!($name), count, median(hand), median(scope));
                }
            }
        }
    };
}

ways!(sqlite, SqlitePool, "BEGIN IMMEDIATE");
ways!(postgres, PgPool, "BEGIN");

fn median(mut times: Vec<Duration>) -> Duration {
    // The first round fills caches.
    times.remove(0);
    times.sort_unstable();
    times[times.len() / 2]
}

fn print(database: &str, count: usize, hand: Duration, scope: Duration) {
    let ratio = hand.as_secs_f64() / scope.as_secs_f64();
    println!("{database:>9}  {count:>6} rows  by hand {hand:>10.1?}  commit {scope:>10.1?}  {ratio:.2} x its rate");
}

fn main() {
    let rounds = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(15);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    sqlite::measure(&runtime, &DjangoDatabase::sqlite(), rounds);
    postgres::measure(&runtime, &DjangoDatabase::postgres(), rounds);
}
