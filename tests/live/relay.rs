//! Orders that were committed reach the workers of each system through a relay, with what they were enqueued with.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use airlock::{Executor, Intent, Options, Outbox, OutboxState};
use airlock_tests::patience::PATIENCE;
use airlock_tests::process::{Folder, until};
use airlock_tests::python::{Worker, python};
use airlock_tests::servers::Database;

use crate::fleet::{Server, System, assert_on_time, numbers};
use crate::tasks;

/// How many orders, or as many as `AIRLOCK_RELAYED_ORDERS` says.
const ORDERS: u64 = 300;

fn orders() -> u64 {
    std::env::var("AIRLOCK_RELAYED_ORDERS").map_or(ORDERS, |count| count.parse().unwrap())
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// A SQLite file with an outbox for this queue.
fn outbox(queue: &'static str, executor: impl Executor) -> (Outbox, String, Folder) {
    let folder = Folder::in_memory("relay");
    let url = format!("sqlite://{}/shop.db", folder.path().display());
    Database::at(&url).run("PRAGMA journal_mode = WAL");
    let outbox = Outbox::new(&url).unwrap().default_queue(queue).relayed_by(executor);
    block_on(outbox.migrate()).unwrap();
    (outbox, url, folder)
}

/// Writes what the closure enqueues into a transaction, and commits that or not.
fn transact(outbox: &Outbox, url: &str, commits: bool, enqueue: impl FnOnce() -> airlock::Result<()>) -> Vec<Intent> {
    use sqlx::Connection;
    let scope = airlock::scope().executor(outbox.clone()).open();
    scope.run(enqueue).unwrap();
    let intents = scope.handle().intents();
    let sealed = scope.seal().unwrap();
    block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        outbox.insert(&mut *transaction, sealed).await.unwrap();
        if commits { transaction.commit().await.unwrap() } else { transaction.rollback().await.unwrap() }
    });
    intents
}

/// Relays until all rows have ended, well.
fn relay(outbox: &Outbox, queue: &str, executor: impl Executor, count: u64) {
    let ended = async {
        let start = std::time::Instant::now();
        while outbox.stats().await.unwrap().count(OutboxState::Done) < count {
            assert!(start.elapsed() < PATIENCE, "not in time: {:?}", outbox.stats().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let worker = airlock::Worker::new(outbox.clone()).queues([queue]).poll(Duration::from_millis(20)).through(executor);
    let report = block_on(worker.run_until(ended)).unwrap();
    assert_eq!((report.done, report.dead, report.retried), (count, 0, 0));
}

/// Committed orders arrive once each with their ids, also one that was delayed, then and not before; and none that was
/// rolled back.
fn arrives(server: &Server, system: System, queue: &'static str) {
    let (executor, worker) = server.staffed(system, queue);
    let (outbox, url, _folder) = outbox(queue, Arc::clone(&executor));
    let count = orders();
    let mut sent = transact(&outbox, &url, true, || {
        (0..count).try_for_each(|number| tasks::note::enqueue(number).map(drop))?;
        Ok(())
    });
    transact(&outbox, &url, false, || {
        tasks::note::enqueue(1_000_000)?;
        Ok(())
    });
    let due = SystemTime::now() + Duration::from_secs(2);
    sent.extend(transact(&outbox, &url, true, || {
        tasks::note::enqueue_with(Options::new().eta(due), count)?;
        Ok(())
    }));
    relay(&outbox, queue, executor, count + 1);
    let runs = worker.await_runs(sent.len());
    let ids: BTreeSet<_> = runs.iter().map(|run| run.id.clone()).collect();
    assert_eq!(ids, sent.iter().map(|intent| intent.id().to_string()).collect());
    let mut ran = numbers(&runs);
    // In order, and the delayed one last, when it is due.
    if system != System::DjangoQ {
        assert!(ran.is_sorted());
    }
    ran.sort_unstable();
    assert_eq!(ran, (0..=count).collect::<Vec<_>>());
    if count <= ORDERS {
        let last = runs.iter().zip(numbers(&runs)).find(|(_, number)| *number == count).unwrap().0;
        assert_on_time(last, due);
    }
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn promise_26_what_was_committed_reaches_celery_on_redis() {
    arrives(&Server::redis(), System::Celery, "relayed");
}

#[test]
fn promise_26_what_was_committed_reaches_celery_on_rabbitmq() {
    arrives(&Server::rabbit(), System::Celery, "celery-relayed");
}

#[test]
fn promise_26_what_was_committed_reaches_dramatiq() {
    arrives(&Server::redis(), System::Dramatiq, "relayed");
}

#[test]
fn promise_26_what_was_committed_reaches_huey() {
    arrives(&Server::redis(), System::Huey, "relayed");
}

#[test]
fn promise_26_what_was_committed_reaches_django_q() {
    arrives(&Server::redis(), System::DjangoQ, "relayed");
}

/// An order that is relayed in time and expires before there is a worker is not run, though it comes first.
fn expires_at_the_worker(executor: Arc<dyn Executor>, queue: &'static str, worker: impl FnOnce() -> Worker) {
    let (outbox, url, _folder) = outbox(queue, Arc::clone(&executor));
    // Time enough for the relay.
    let soon = SystemTime::now() + Duration::from_secs(10);
    transact(&outbox, &url, true, || {
        tasks::note::enqueue_with(Options::new().expires_at(soon), 1)?;
        tasks::note::enqueue_with(Options::new().expires_in(Duration::from_secs(3600)), 2)?;
        tasks::note::enqueue(3)?;
        Ok(())
    });
    relay(&outbox, queue, executor, 3);
    until("it has expired", || soon < SystemTime::now());
    let worker = worker();
    assert_eq!(numbers(&worker.await_runs(2)), [2, 3]);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn what_expires_after_the_relay_is_not_run_by_celery_on_redis() {
    let (server, queue) = (Server::redis(), "expiring");
    let executor = Arc::new(server.celery().default_queue(queue));
    expires_at_the_worker(executor, queue, || Worker::celery(&server.url(), queue, &[], &[]));
}

#[test]
fn what_expires_after_the_relay_is_not_run_by_celery_on_rabbitmq() {
    let (server, queue) = (Server::rabbit(), "celery-expiring");
    let executor = Arc::new(server.celery().default_queue(queue));
    expires_at_the_worker(executor, queue, || Worker::celery(&server.url(), queue, &[], &[]));
}

#[test]
fn what_expires_after_the_relay_is_not_run_by_dramatiq() {
    let (server, queue) = (Server::redis(), "expiring");
    let executor = Arc::new(server.dramatiq().default_queue(queue));
    expires_at_the_worker(executor, queue, || Worker::dramatiq(&server.url(), &[queue], &[], &[]));
}

#[test]
fn what_expires_after_the_relay_is_not_run_by_huey() {
    let (server, queue) = (Server::redis(), "expiring");
    let executor = Arc::new(server.huey().default_queue(queue));
    let config = server.huey_storage();
    expires_at_the_worker(executor, queue, || {
        Worker::huey(python(), &server.url(), queue, &[("CONFIG", &config)], &[])
    });
}

#[test]
fn headers_options_and_an_expiry_arrive_at_celery() {
    let (server, queue) = (Server::redis(), "relayed");
    let (executor, worker) = server.staffed(System::Celery, queue);
    let (outbox, url, _folder) = outbox(queue, Arc::clone(&executor));
    let full = Options::new()
        .header("tenant", "acmé")
        .origin("POST /orders")
        .extra("celery", "ignore_result", true)
        .extra("celery", "shadow", "a note")
        .priority(9)
        .timeout(Duration::from_secs(30))
        .expires_in(Duration::from_secs(3600));
    let sent = transact(&outbox, &url, true, || {
        tasks::note::enqueue_with(full, 1)?;
        tasks::note::enqueue(2)?;
        Ok(())
    });
    relay(&outbox, queue, executor, 2);
    let runs = worker.await_runs(2);
    let run = |number: usize| runs.iter().find(|run| run.id == sent[number].id().to_string()).unwrap();
    let seen = &run(0).seen;
    assert_eq!(seen["headers"], serde_json::json!({"tenant": "acmé"}));
    assert_eq!((&seen["origin"], &seen["shadow"]), (&"POST /orders".into(), &"a note".into()));
    assert_eq!((&seen["ignore_result"], &seen["timelimit"][0]), (&true.into(), &30.into()));
    assert_eq!(run(1).seen["headers"], serde_json::Value::Null);
    assert_eq!(worker.errors(), Vec::<String>::new());
}
