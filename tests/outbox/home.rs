//! A database with an outbox, of its own for each test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use airlock::{Backoff, EnqueueError, Outbox, OutboxFilter, OutboxRow, OutboxState, Worker, WorkerReport};
use airlock_tests::patience::PATIENCE;
use airlock_tests::process::Folder;
use airlock_tests::servers::{Database, PostgresServer};
use sqlx::Connection;

/// The database of a process that runs one test, so that it needn't start a server of its own.
pub(crate) const DATABASE: &str = "AIRLOCK_TESTS_OUTBOX_DATABASE";

pub(crate) struct Home {
    pub(crate) outbox: Outbox,
    pub(crate) url: String,
    _folder: Option<Folder>,
    _server: Option<Arc<PostgresServer>>,
}

/// A connection with what it has open, until it is dropped.
pub(crate) struct HeldConnection(Option<Database>);

impl Drop for HeldConnection {
    fn drop(&mut self) {
        // It has a runtime of its own, which can't be dropped on one.
        let database = self.0.take();
        let _ = std::thread::spawn(|| drop(database)).join();
    }
}

/// The same test on each database.
macro_rules! on_both {
    ($($(#[$about:meta])* async fn $name:ident($home:ident) $body:block)*) => {
        mod sqlite {
            #[allow(unused_imports, reason = "not each test needs all")]
            use super::*;
            $($(#[$about])* #[test] fn $name() {
                let $home = $crate::home::Home::sqlite();
                $crate::home::block_on(async { $body });
            })*
        }

        mod postgres {
            #[allow(unused_imports, reason = "not each test needs all")]
            use super::*;
            $($(#[$about])* #[test] fn $name() {
                let $home = $crate::home::Home::postgres();
                $crate::home::block_on(async { $body });
            })*
        }
    };
}

pub(crate) use on_both;

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(future)));
    // A task that waits for a test which has failed waits for ever.
    runtime.shutdown_background();
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        let folder = Folder::in_memory("outbox");
        let url = format!("sqlite://{}/shop.db", folder.path().display());
        Database::at(&url).run("PRAGMA journal_mode = WAL");
        Self::at(url, Some(folder), None)
    }

    pub(crate) fn postgres() -> Self {
        if let Ok(url) = std::env::var(DATABASE) {
            return Self::at(url, None, None);
        }
        let server = PostgresServer::shared();
        let url = PostgresServer::trusted(&server.database("template1"));
        Self::at(url, None, Some(server))
    }

    pub(crate) fn at(url: String, folder: Option<Folder>, server: Option<Arc<PostgresServer>>) -> Self {
        let outbox = Outbox::new(&url).expect("a URL of a database");
        block_on(outbox.migrate()).expect("the table is made");
        Self { outbox, url, _folder: folder, _server: server }
    }

    /// The same database through another outbox.
    pub(crate) fn with(self, outbox: Outbox) -> Self {
        Self { outbox, ..self }
    }

    /// As a statement says it.
    pub(crate) fn an_hour_ago(&self) -> &'static str {
        if self.url.starts_with("sqlite") {
            "CAST(unixepoch('subsec') * 1000 AS INTEGER) - 3600000"
        } else {
            "clock_timestamp() - interval '1 hour'"
        }
    }

    /// Runs statements on a thread of their own.
    pub(crate) fn run(&self, statements: &str) {
        std::thread::scope(|threads| threads.spawn(|| Database::at(&self.url).run(statements)).join())
            .expect("they work");
    }

    /// Runs statements on a connection that stays open.
    pub(crate) fn run_and_hold(&self, statements: &[&str]) -> HeldConnection {
        let run = || {
            let mut database = Database::at(&self.url);
            statements.iter().for_each(|statement| database.run(statement));
            database
        };
        HeldConnection(Some(std::thread::scope(|threads| threads.spawn(run).join()).expect("they work")))
    }

    /// Flushes what the closure enqueues.
    pub(crate) fn enqueue<T>(&self, body: impl FnOnce() -> Result<T, EnqueueError>) -> T {
        let scope = airlock::scope().executor(self.outbox.clone()).enter();
        let value = body().expect("there is a scope");
        scope.flush().expect("it is written");
        value
    }

    /// Writes a note into a transaction of our own, and ends that.
    pub(crate) async fn insert(&self, test: &str, commits: bool) {
        let scope = airlock::scope().executor(self.outbox.clone()).open();
        scope.run(|| crate::tasks::plain::enqueue(test.to_owned(), 1)).expect("there is a scope");
        let sealed = scope.seal().expect("nothing is refused");
        macro_rules! insert {
            ($connection:ty) => {{
                let mut connection = <$connection>::connect(&self.url).await.expect("it can be opened");
                let mut transaction = connection.begin().await.expect("a transaction");
                self.outbox.insert(&mut *transaction, sealed).await.expect("it is written");
                match commits {
                    true => transaction.commit().await.expect("it is committed"),
                    false => transaction.rollback().await.expect("it is rolled back"),
                }
            }};
        }
        match self.url.starts_with("sqlite") {
            true => insert!(sqlx::SqliteConnection),
            false => insert!(sqlx::PgConnection),
        }
    }

    /// Enqueues a note in a scope that ends with a transaction, and has that fail if it is to.
    pub(crate) async fn commit(&self, test: &str, fails: bool) {
        let scope = airlock::scope().executor(self.outbox.clone()).transactional().open();
        scope.run(|| crate::tasks::plain::enqueue(test.to_owned(), 1)).expect("there is a scope");
        macro_rules! commit {
            ($pool:ty) => {{
                let pool = <$pool>::connect(&self.url).await.expect("it can be opened");
                let mut transaction = pool.begin().await.expect("a transaction");
                if fails {
                    sqlx::raw_sql("ROLLBACK").execute(&mut *transaction).await.expect("it works");
                }
                scope.commit(transaction).await
            }};
        }
        let ended = match self.url.starts_with("sqlite") {
            true => commit!(sqlx::SqlitePool),
            false => commit!(sqlx::PgPool),
        };
        match ended {
            Ok(report) => assert!(!fails && report.counts().written == 1, "{report}"),
            Err(error) => assert!(fails && error.into_intents().len() == 1),
        }
    }

    /// One that is quick to look and to try again.
    pub(crate) fn worker(&self) -> Worker {
        Worker::new(self.outbox.clone())
            .poll(Duration::from_millis(20))
            .lease(Duration::from_secs(5))
            .backoff(Backoff::exponential(Duration::from_millis(1), Duration::from_millis(5)))
    }

    /// Runs the worker until each row has ended.
    pub(crate) async fn drain(&self, worker: Worker) -> WorkerReport {
        let report = worker.run_until(self.all_have_ended()).await;
        report.expect("it starts")
    }

    /// Runs the worker as long as the story goes.
    pub(crate) async fn run_while(&self, worker: Worker, story: impl Future<Output = ()>) -> WorkerReport {
        worker.run_until(story).await.expect("it starts")
    }

    pub(crate) async fn all_have_ended(&self) {
        self.until("every row has ended", async || {
            let stats = self.outbox.stats().await.expect("stats");
            stats.count(OutboxState::Waiting) + stats.count(OutboxState::Running) == 0
        })
        .await;
    }

    /// Looks again and again until it is so.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let start = Instant::now();
        while !is_so().await {
            assert!(start.elapsed() < PATIENCE, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn rows(&self) -> Vec<OutboxRow> {
        self.outbox.find(OutboxFilter::new().limit(100_000)).await.expect("rows")
    }

    /// How many rows are in each state.
    pub(crate) async fn states(&self) -> Vec<(OutboxState, usize)> {
        let mut states = std::collections::BTreeMap::new();
        self.rows().await.iter().for_each(|row| *states.entry(row.state).or_default() += 1);
        states.into_iter().collect()
    }
}
