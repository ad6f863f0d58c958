//! A relay to real brokers that fail, and relays that are killed: nothing is lost, nothing arrives of what was rolled back,
//! and twice only what was under way.

mod faults;
mod killed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use airlock::{CeleryExecutor, Executor, Intent, Outbox, OutboxFilter, OutboxState, Worker, WorkerReport};
use airlock_tests::patience::PATIENCE;
use airlock_tests::process::Folder;
use airlock_tests::servers::{Database, PostgresServer, RabbitServer, RedisServer};

use crate::rabbit;
use crate::tasks::{note, note_of};

/// The queue of the notes, in the outbox and at the broker.
const QUEUE: &str = "notes";

/// A database with an outbox, and what was enqueued there.
pub(crate) struct Orders {
    url: String,
    outbox: Outbox,
    /// Those whose transaction was committed.
    committed: BTreeSet<String>,
    /// Those of which a relay had not recorded an end when something failed, and how often that was.
    in_doubt: BTreeMap<String, usize>,
    _folder: Option<Folder>,
    _server: Option<Arc<PostgresServer>>,
}

impl Orders {
    pub(crate) fn sqlite() -> Self {
        let folder = Folder::in_memory("relay");
        let url = format!("sqlite://{}/shop.db", folder.path().display());
        Database::at(&url).run("PRAGMA journal_mode = WAL");
        Self::at(url, Some(folder), None)
    }

    pub(crate) fn postgres() -> Self {
        let server = PostgresServer::shared();
        Self::at(PostgresServer::trusted(&server.database("template1")), None, Some(server))
    }

    fn at(url: String, folder: Option<Folder>, server: Option<Arc<PostgresServer>>) -> Self {
        let outbox = Outbox::new(&url).expect("a URL of a database");
        let (committed, in_doubt) = Default::default();
        let orders = Self { url, outbox, committed, in_doubt, _folder: folder, _server: server };
        block_on(orders.outbox.migrate()).expect("the table is made");
        orders
    }

    /// Writes so many notes, each with the number, into a transaction, and commits that or not.
    pub(crate) fn place(&mut self, count: u64, commits: bool) {
        let scope = airlock::scope().executor(self.outbox.clone()).open();
        scope.run(|| (0..count).try_for_each(|number| note::enqueue(number).map(drop))).expect("there is a scope");
        let ids: Vec<_> = scope.handle().intents().iter().map(Intent::id).collect();
        let sealed = scope.seal().expect("nothing is refused");
        macro_rules! insert {
            ($connection:ty) => {{
                use sqlx::Connection;
                let mut connection = <$connection>::connect(&self.url).await.expect("it can be opened");
                let mut transaction = connection.begin().await.expect("a transaction");
                self.outbox.insert(&mut *transaction, sealed).await.expect("it is written");
                match commits {
                    true => transaction.commit().await.expect("it is committed"),
                    false => transaction.rollback().await.expect("it is rolled back"),
                }
            }};
        }
        block_on(async {
            match self.url.starts_with("sqlite") {
                true => insert!(sqlx::SqliteConnection),
                false => insert!(sqlx::PgConnection),
            }
        });
        if commits {
            self.committed.extend(ids.iter().map(ToString::to_string));
        }
    }

    fn count(&self, state: OutboxState) -> u64 {
        block_on(self.outbox.stats()).expect("stats").count(state)
    }

    pub(crate) fn done(&self) -> u64 {
        self.count(OutboxState::Done)
    }

    /// Notes of which rows it is not recorded that they were handed on, though they may have been.
    pub(crate) fn note_doubt(&mut self) {
        let running = OutboxFilter::new().state(OutboxState::Running).limit(1_000_000);
        for row in block_on(self.outbox.find(running)).expect("rows") {
            *self.in_doubt.entry(row.id.to_string()).or_default() += 1;
        }
    }

    pub(crate) fn relay(&self, executor: impl Executor) -> Worker {
        relay(self.outbox.clone(), executor)
    }

    /// Runs a relay until all rows have ended.
    pub(crate) fn drain(&self, executor: impl Executor) -> WorkerReport {
        block_on(self.relay(executor).run_until(until(async || {
            let stats = self.outbox.stats().await.expect("stats");
            stats.count(OutboxState::Waiting) + stats.count(OutboxState::Running) == 0
        })))
        .expect("it starts")
    }

    /// All that was committed is done and there, with its attempt; nothing else is, and twice only what was in doubt.
    #[track_caller]
    pub(crate) fn assert_arrived(&self, there: Vec<String>) {
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        there.into_iter().for_each(|id| *copies.entry(id).or_default() += 1);
        let ids: BTreeSet<_> = copies.keys().cloned().collect();
        assert_eq!(self.committed.difference(&ids).count(), 0, "some are lost");
        assert_eq!(ids.difference(&self.committed).count(), 0, "some are of what was rolled back");
        let rows = block_on(self.outbox.find(OutboxFilter::new().limit(1_000_000))).expect("rows");
        for row in &rows {
            let (id, copies) = (row.id.to_string(), copies[&row.id.to_string()]);
            // A relay that was lost may have sent it, and so may one whose broker was.
            let most = 1 + row.rescues as usize + self.in_doubt.get(&id).copied().unwrap_or(0);
            assert!(copies <= most, "{copies} copies of {id}, and {most} were possible");
        }
        assert_eq!(rows.len(), self.committed.len());
        assert!(rows.iter().all(|row| (row.state, row.attempts) == (OutboxState::Done, 1)));
    }
}

pub(crate) fn relay(outbox: Outbox, executor: impl Executor) -> Worker {
    Worker::new(outbox)
        .queues([QUEUE])
        .poll(Duration::from_millis(20))
        .lease(Duration::from_secs(2))
        .max_retries(0)
        .through(executor)
}

pub(crate) fn celery(url: &str) -> CeleryExecutor {
    CeleryExecutor::new(url).expect("a URL").declare().connect_timeout(Duration::from_millis(500))
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < PATIENCE, "not in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The ids of what lies in the queue.
pub(crate) fn in_redis(server: &RedisServer) -> Vec<String> {
    server.list(QUEUE).iter().map(|envelope| note_of(envelope).0).collect()
}

pub(crate) fn in_rabbit(server: &RabbitServer) -> Vec<String> {
    rabbit::all_ids_at_rest(&server.url(), QUEUE)
}
