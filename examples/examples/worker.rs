//! A shop that needs no broker: orders and their effects lie in one SQLite file, and a worker beside runs the effects.
//!
//! ```text
//! cargo run -p airlock-examples --features outbox,sqlite --example worker
//! cargo run -p airlock-examples --features outbox,sqlite --example worker -- --crash
//! ```
//!
//! With `--crash` it ends itself in the middle of a task. The next start goes on where that one was: nothing is lost.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::time::Duration;

use airlock::{Backoff, Error, Outbox, OutboxState, Permanent, Run, Worker};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

type TaskResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Leaves a second task behind, which is there if and only if this one is done.
#[airlock::task]
async fn pack(order_id: i64) -> TaskResult {
    println!("order {order_id}: packed");
    ship::enqueue(order_id)?;
    Ok(())
}

/// Fails twice: the haulier is busy.
#[airlock::task]
fn ship(order_id: i64) -> TaskResult {
    if order_id == 3 && std::env::args().any(|argument| argument == "--crash") {
        println!("order {order_id}: the program crashes while it is shipped");
        std::process::abort();
    }
    match Run::current().map_or(1, |run| run.attempt()) {
        attempt @ 1..=2 if order_id == 2 => Err(format!("the haulier is busy ({attempt})").into()),
        attempt => {
            println!("order {order_id}: shipped at attempt {attempt}");
            Ok(())
        }
    }
}

/// Can never work for one of them.
#[airlock::task]
async fn invite(order_id: i64) -> TaskResult {
    if order_id == 4 {
        return Err(Permanent::new("the customer has no address").into());
    }
    println!("order {order_id}: customer invited");
    Ok(())
}

/// The order and what follows from it, or neither.
async fn place_order(pool: &SqlitePool, outbox: &Outbox, order_id: i64) -> airlock::Result<()> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(Error::other)?;
    let scope = airlock::scope().name("checkout").executor(outbox.clone()).open();
    scope.run(|| {
        pack::enqueue(order_id)?;
        invite::enqueue(order_id)
    })?;
    let insert = sqlx::query("INSERT INTO orders (id) VALUES (?)").bind(order_id);
    insert.execute(&mut *transaction).await.map_err(Error::other)?;
    outbox.insert(&mut *transaction, scope.seal()?).await?;
    transaction.commit().await.map_err(Error::other)
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

    let left = outbox.stats().await?;
    let unfinished = left.count(OutboxState::Waiting) + left.count(OutboxState::Running);
    if unfinished > 0 {
        println!("{unfinished} tasks were left by the program before");
    } else {
        sqlx::query("DELETE FROM orders").execute(&pool).await.map_err(Error::other)?;
        for order_id in 1..=5 {
            place_order(&pool, &outbox, order_id).await?;
        }
        println!("five orders are placed in {}", file.display());
    }

    let worker = Worker::new(outbox.clone())
        .concurrency(2)
        .lease(Duration::from_secs(2))
        .backoff(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1)));
    // A service would wait for its signal here.
    let report = worker.run_until(all_have_ended(&outbox)).await?;
    println!("{report}");
    for queue in outbox.stats().await?.queues {
        println!("{} in `{}`: {}", queue.state, queue.queue, queue.count);
    }
    Ok(())
}

async fn all_have_ended(outbox: &Outbox) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let Ok(stats) = outbox.stats().await else { continue };
        if stats.count(OutboxState::Waiting) + stats.count(OutboxState::Running) == 0 {
            return;
        }
    }
}
