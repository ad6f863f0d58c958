//! A process with two workers, whose tasks note each of their runs in the database that they come from.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use airlock::{Backoff, Outbox, Run, Worker};
use airlock_tests::patience::PATIENCE;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tokio::runtime::Handle;

use super::{DIES_AT, LEASE, MOST_PAGES, URL};
use crate::home::block_on;
use crate::tasks::{TaskResult, unique};

/// How many tasks one that has ended well leaves.
pub(super) const CONFIRM_LEAVES: usize = 2;
pub(super) const BILL_LEAVES: usize = 1;

/// How many connections the tasks of a process have to a SQLite file: one of all can write at a time.
const WRITERS: u32 = 2;

/// What a process says once its workers begin.
pub(super) const BEGINS: &str = "the workers begin";

/// What the tasks of this process use.
static POOL: OnceLock<Pool> = OnceLock::new();

#[derive(Debug)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub(super) async fn connect(url: &str) -> Self {
        match url.starts_with("sqlite") {
            true => Self::Sqlite(
                SqlitePoolOptions::new().max_connections(WRITERS).connect(url).await.expect("it can be opened"),
            ),
            false => Self::Postgres(PgPool::connect(url).await.expect("it can be opened")),
        }
    }

    async fn run(&self, statement: &str) -> Result<(), sqlx::Error> {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        match self {
            Self::Sqlite(pool) => statement.execute(pool).await.map(drop),
            Self::Postgres(pool) => statement.execute(pool).await.map(drop),
        }
    }
}

/// Notes that a run has begun, and the lease under which: once, however often the database has to be asked.
async fn note(order: u64) -> TaskResult {
    let run = Run::current().ok_or("it is in no run")?;
    let (this, id, attempt, process) = (unique(), run.id(), run.attempt(), std::process::id());
    let note = format!(
        "INSERT INTO shop_runs (run, id, placed, attempt, lease, process)
         SELECT '{this}', '{id}', {order}, {attempt}, lease, {process} FROM airlock_outbox WHERE id = '{id}'
         ON CONFLICT DO NOTHING"
    );
    let (pool, start) = (POOL.get().ok_or("there is no pool")?, Instant::now());
    while let Err(error) = pool.run(&note).await {
        if start.elapsed() > PATIENCE {
            return Err(error.into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// A place in a task at which the process ends, if it is the one that the environment says.
fn step() {
    static STEPS: AtomicU64 = AtomicU64::new(0);
    let steps = STEPS.fetch_add(1, Ordering::Relaxed);
    if std::env::var(DIES_AT).is_ok_and(|last| last.parse() == Ok(steps)) {
        std::process::abort();
    }
}

/// Takes some milliseconds.
#[airlock::task(name = "faults.confirm")]
pub(super) async fn confirm(order: u64) -> TaskResult {
    step();
    note(order).await?;
    step();
    let parent = Run::current().ok_or("it is in no run")?.id().to_string();
    for _ in 0..CONFIRM_LEAVES {
        follow_up::enqueue(parent.clone(), order)?;
    }
    tokio::time::sleep(Duration::from_millis(order % 7 * 10)).await;
    step();
    Ok(())
}

/// Fails a time, with something left in its scope.
#[airlock::task(name = "faults.bill")]
pub(super) fn bill(order: u64) -> TaskResult {
    Handle::current().block_on(note(order))?;
    let run = Run::current().ok_or("it is in no run")?;
    for _ in 0..BILL_LEAVES {
        follow_up::enqueue(run.id().to_string(), order)?;
    }
    step();
    if run.attempt() == 1 { Err("the first attempt fails".into()) } else { Ok(()) }
}

#[airlock::task(name = "faults.follow_up")]
async fn follow_up(parent: String, order: u64) -> TaskResult {
    let _ = parent;
    note(order).await
}

/// Not a test of its own: a process that works until it is killed.
#[test]
#[ignore = "another test runs it, and kills it"]
fn works() {
    let Ok(url) = std::env::var(URL) else { return };
    airlock_tests::log::warnings_to_stderr();
    block_on(async {
        let (pool, outbox) = match std::env::var(MOST_PAGES) {
            Ok(pages) => {
                let options: SqliteConnectOptions = url.parse().expect("a URL of SQLite");
                let pool = SqlitePoolOptions::new()
                    .max_connections(WRITERS)
                    .connect_lazy_with(options.pragma("max_page_count", pages));
                // All connections of the outbox are made with the options of this pool.
                let outbox = Outbox::on(&pool).expect("a file");
                (Pool::Sqlite(pool), outbox)
            }
            Err(_) => (Pool::connect(&url).await, Outbox::new(&url).expect("a URL")),
        };
        POOL.set(pool).expect("it is set once");
        let worker = || {
            Worker::new(outbox.clone())
                .named("one of several")
                .concurrency(4)
                .lease(LEASE)
                .poll(Duration::from_millis(20))
                // Rows that lose a worker in each of several rounds are as they should be here.
                .max_rescues(50)
                .backoff(Backoff::exponential(Duration::from_millis(1), Duration::from_millis(5)))
        };
        println!("{BEGINS}");
        let (one, other) =
            tokio::join!(worker().run_until(std::future::pending()), worker().run_until(std::future::pending()));
        panic!("a worker ended: {one:?}, {other:?}");
    });
}
