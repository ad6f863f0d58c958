//! A shop that needs no broker: orders and their effects lie in one SQLite file, and a worker beside runs the effects.
//!
//! ```text
//! cargo run -p airlock-examples --features outbox,sqlite --example worker
//! cargo run -p airlock-examples --features outbox,sqlite --example worker -- --crash
//! ```
//!
//! With `--crash` it ends itself in the middle of a task. The next start without it goes on where that one was: nothing is
//! lost, and what was cut off runs again.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::time::Duration;

use airlock::{Backoff, Error, Outbox, OutboxFilter, OutboxState, Permanent, Run, Worker};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

type TaskResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

const ORDERS: i64 = 5;

/// How long the row of a worker that died waits for another one.
const LEASE: Duration = Duration::from_secs(2);

/// Leaves a second task behind, which is there if and only if this one is done.
#[airlock::task]
async fn pack(order_id: i64) -> TaskResult {
    println!("order {order_id}: packed");
    ship::enqueue(order_id)?;
    Ok(())
}

/// Fails twice for order 2, and takes the program down with order 3 if that is wanted.
#[airlock::task]
fn ship(order_id: i64) -> TaskResult {
    if order_id == 3 && std::env::args().any(|argument| argument == "--crash") {
        println!("order 3: the program dies while it is shipped; start it again without `--crash`");
        std::process::abort();
    }
    let attempt = Run::current().map_or(1, |run| run.attempt());
    if order_id == 2 && attempt <= 2 {
        println!("order 2: the haulier is busy, attempt {attempt}");
        return Err("the haulier is busy".into());
    }
    println!("order {order_id}: shipped at attempt {attempt}");
    Ok(())
}

/// Can never work for order 4.
#[airlock::task]
async fn invite(order_id: i64) -> TaskResult {
    if order_id == 4 {
        println!("order 4: the customer can't be invited, now or later");
        return Err(Permanent::new("the customer has no address").into());
    }
    println!("order {order_id}: customer invited");
    Ok(())
}

/// The order and what follows from it, or neither.
async fn place_order(pool: &SqlitePool, outbox: &Outbox, order_id: i64) -> airlock::Result<()> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(Error::other)?;
    let scope = airlock::scope().name("checkout").executor(outbox.clone()).transactional().open();
    scope.run(|| {
        pack::enqueue(order_id)?;
        invite::enqueue(order_id)
    })?;
    let insert = sqlx::query("INSERT INTO orders (id) VALUES (?)").bind(order_id);
    insert.execute(&mut *transaction).await.map_err(Error::other)?;
    if order_id > ORDERS {
        println!("order {order_id}: not paid, so it is rolled back, and its tasks are discarded");
        let _report = scope.discard();
        return transaction.rollback().await.map_err(Error::other);
    }
    scope.commit(transaction).await?;
    println!("order {order_id}: placed");
    Ok(())
}

async fn place_orders(pool: &SqlitePool, outbox: &Outbox, placed: i64) -> airlock::Result<()> {
    for order_id in placed + 1..=ORDERS + 1 {
        place_order(pool, outbox, order_id).await?;
    }
    while unfinished(outbox).await? > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn unfinished(outbox: &Outbox) -> airlock::Result<u64> {
    let stats = outbox.stats().await?;
    Ok(stats.count(OutboxState::Waiting) + stats.count(OutboxState::Running))
}

#[tokio::main]
async fn main() -> airlock::Result<()> {
    let file = std::env::temp_dir().join("airlock-example-worker.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePool::connect_with(options).await.map_err(Error::other)?;
    let outbox = Outbox::on(&pool)?;
    outbox.migrate().await?;
    let orders = "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY)";
    sqlx::query(orders).execute(&pool).await.map_err(Error::other)?;

    let left = unfinished(&outbox).await?;
    if left > 0 {
        println!("the start before left {left} tasks in {}; one of a dead worker waits {LEASE:?}", file.display());
    } else {
        println!("a new day for the shop in {}", file.display());
        outbox.prune(Duration::ZERO).await?;
        sqlx::query("DELETE FROM orders").execute(&pool).await.map_err(Error::other)?;
    }
    let placed = sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(&pool).await.map_err(Error::other)?;

    // A worker beside, until the shop closes. A service would wait for its signal instead.
    let (close, closed) = tokio::sync::oneshot::channel::<()>();
    let worker = Worker::new(outbox.clone())
        .concurrency(2)
        .lease(LEASE)
        .backoff(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1)));
    let worker = tokio::spawn(worker.run_until(async { drop(closed.await) }));
    place_orders(&pool, &outbox, placed).await?;
    drop(close);
    println!("\nthis worker: {}", worker.await.map_err(Error::other)??);

    let of = |task| OutboxFilter::new().task(task).state(OutboxState::Done);
    let [packed, shipped, invited] =
        [outbox.find(of("pack")).await?, outbox.find(of("ship")).await?, outbox.find(of("invite")).await?];
    println!("{ORDERS} orders: {} packed, {} shipped, {} invited", packed.len(), shipped.len(), invited.len());
    for row in outbox.find(OutboxFilter::new().state(OutboxState::Dead)).await? {
        println!("dead: {} ({}) at attempt {}", row.task, row.error.unwrap_or_default(), row.attempts);
    }
    Ok(())
}
