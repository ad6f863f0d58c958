//! A shop whose orders lie in a SQLite file, and whose e-mails Celery workers send: committed with the order, and relayed.
//!
//! ```text
//! pip install 'celery[redis]'
//! cd examples/workers && BROKER=redis://localhost:6379/0 celery -A celery_worker worker --queues mail --loglevel INFO
//! BROKER=redis://localhost:6379/0 cargo run -p airlock-examples --features outbox,sqlite,celery,redis --example relay
//! ```
//!
//! Started without its broker it places the orders all the same, and relays what follows from them once the broker is there.
//! With RabbitMQ, `amqp` takes the place of `redis`.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::time::Duration;

use airlock::{CeleryExecutor, Error, Options, Outbox, OutboxState, Worker};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

#[airlock::task(name = "shop.send_receipt")]
fn send_receipt(order_id: i64, express: bool);

#[airlock::task(name = "shop.ask_for_review")]
fn ask_for_review(order_id: i64);

/// The order and what follows from it, or neither.
async fn place_order(pool: &SqlitePool, order_id: i64, is_paid: bool) -> airlock::Result<()> {
    let scope = airlock::scope().name("checkout").transactional().open();
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(Error::other)?;
    let insert = sqlx::query("INSERT INTO orders (id) VALUES (?)").bind(order_id);
    insert.execute(&mut *transaction).await.map_err(Error::other)?;
    scope.run(|| {
        send_receipt::enqueue(order_id, order_id % 2 == 0)?;
        // It waits in the outbox, and not in the broker.
        ask_for_review::enqueue_with(Options::new().delay(Duration::from_secs(1)), order_id)
    })?;
    if !is_paid {
        return Err(Error::other(format!("order {order_id} is not paid")));
    }
    scope.commit(transaction).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> airlock::Result<()> {
    let broker = std::env::var("BROKER").unwrap_or_else(|_| "redis://localhost:6379/0".to_owned());
    let celery = CeleryExecutor::new(broker)?.declare();

    let file = std::env::temp_dir().join(format!("airlock-example-relay-{}.db", std::process::id()));
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePool::connect_with(options).await.map_err(Error::other)?;
    // The queue of the workers; and what Celery can't take is refused where it is enqueued.
    let outbox = Outbox::on(&pool)?.default_queue("mail").relayed_by(celery.clone());
    outbox.migrate().await?;
    airlock::configure(airlock::Settings::new().executor(outbox.clone()));
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY)").execute(&pool).await.map_err(Error::other)?;

    for (order_id, is_paid) in [(1, true), (2, true), (3, false)] {
        match place_order(&pool, order_id, is_paid).await {
            Ok(()) => println!("order {order_id} is placed"),
            Err(error) => println!("rolled back: {error}"),
        }
    }

    // A service of its own, or a task beside the web service; it would wait for its signal here.
    let relay = Worker::new(outbox.clone()).queues(["mail"]).through(celery);
    let report = relay.run_until(all_have_ended(&outbox)).await?;
    println!("relayed: {report}");
    drop(pool);
    let _ = std::fs::remove_file(&file);
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
