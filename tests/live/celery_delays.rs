//! Delays that RabbitMQ spends: what is due later keeps a worker of quorum queues from nothing that is due now.

use std::time::{Duration, SystemTime};

use airlock::{CeleryExecutor, Options};
use airlock_tests::python::Worker;
use serde_json::json;

use crate::fleet::{Call, Server, assert_on_time, call, flush, numbers};
use crate::tasks;

const SOON: Duration = Duration::from_secs(2);

fn note_in(delay: Duration, number: u64) -> Call {
    call(move || tasks::note::enqueue_with(Options::new().delay(delay), number))
}

/// More than a worker of concurrency 1 takes at a time, then one that may run now.
fn five_for_later_and_one_for_now(executor: &CeleryExecutor, number: u64) {
    let later = (1..=5).map(|nth| note_in(Duration::from_secs(600), 1000 + nth));
    flush(executor.clone(), later.chain([call(move || tasks::note::enqueue(number))]));
}

/// A worker whose queues are quorum queues.
fn worker(server: &Server, queue: &str, mut config: serde_json::Value) -> Worker {
    config["task_default_queue_type"] = json!("quorum");
    config["task_create_missing_queue_type"] = json!("quorum");
    Worker::celery(&server.url(), queue, &[("CONFIG", &config.to_string())], &[])
}

#[test]
fn what_rabbitmq_delays_lets_a_worker_run_what_is_due_now() {
    let (server, queue) = (Server::rabbit(), "celery-native-declared");
    // Declared here first: the worker that comes then finds nothing declared otherwise.
    let executor = server.celery().default_queue(queue).native_delayed_delivery();
    five_for_later_and_one_for_now(&executor, 1);
    // Its queues have direct exchanges, as they have unless set, and it binds no such queue.
    let worker = worker(&server, queue, json!({}));
    assert_eq!(numbers(&worker.await_runs(1)), [1]);

    let before = SystemTime::now();
    flush(executor, [note_in(SOON, 2), call(|| tasks::note::enqueue(3))]);
    let runs = worker.await_runs(3);
    assert_eq!(numbers(&runs), [1, 3, 2]);
    assert_on_time(&runs[2], before + SOON);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn the_exchanges_for_delays_may_be_those_that_a_worker_declared() {
    let (server, queue) = (Server::rabbit(), "celery-native-found");
    let worker = worker(&server, queue, json!({"task_create_missing_queue_exchange_type": "topic"}));
    let executor = CeleryExecutor::new(server.url()).unwrap().default_queue(queue).native_delayed_delivery();
    let before = SystemTime::now();
    five_for_later_and_one_for_now(&executor, 1);
    flush(executor, [note_in(SOON, 2)]);
    // It is bound twice, and gets one copy.
    let runs = worker.await_runs(2);
    assert_eq!(numbers(&runs), [1, 2]);
    assert_on_time(&runs[1], before + SOON);
    assert_eq!(worker.errors(), Vec::<String>::new());
}
