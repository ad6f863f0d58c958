//! Each option, shown by what a Celery worker does with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::Options;
use airlock_tests::process::until;
use airlock_tests::python::{Run, Worker};
use serde_json::json;

use crate::fleet::{Call, Server, assert_on_time, assert_ran, call, flush, numbers};
use crate::tasks;

const SECOND: Duration = Duration::from_secs(1);

fn note_with(options: Options, number: u64) -> Call {
    call(move || tasks::note::enqueue_with(options, number))
}

fn waits(server: &Server, queue: &'static str) {
    let (executor, worker) = (server.celery().default_queue(queue), Worker::celery(&server.url(), queue, &[], &[]));
    let eta = SystemTime::now() + 3 * SECOND;
    let sent = [
        note_with(Options::new().eta(eta), 2),
        note_with(Options::new().delay(2 * SECOND), 1),
        note_with(Options::new().eta(UNIX_EPOCH), 0),
        note_with(Options::new().delay(Duration::ZERO), 0),
    ];
    let before = SystemTime::now();
    flush(executor, sent);
    let runs = worker.await_runs(4);
    assert_eq!(numbers(&runs), [0, 0, 1, 2]);
    assert_on_time(&runs[2], before + 2 * SECOND);
    assert_on_time(&runs[3], eta);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn on_redis_a_delayed_task_runs_when_it_is_due() {
    waits(&Server::redis(), "delays");
}

#[test]
fn on_rabbitmq_a_delayed_task_runs_when_it_is_due() {
    waits(&Server::rabbit(), "celery-delays");
}

fn expires(server: &Server, queue: &'static str) {
    let executor = server.celery().default_queue(queue);
    let soon = SystemTime::now() + SECOND / 2;
    let sent = [
        note_with(Options::new().expires_at(soon), 1),
        note_with(Options::new().expires_in(SECOND / 2), 2),
        note_with(Options::new().expires_in(Duration::from_secs(3600)), 4),
        // Far beyond what RabbitMQ takes.
        note_with(Options::new().expires_in(Duration::from_secs(20 * 365 * 86_400)), 5),
        note_with(Options::new().delay(5 * SECOND), 7),
    ];
    flush(executor, sent);
    until("they have expired", || soon + SECOND / 2 < SystemTime::now());
    let worker = Worker::celery(&server.url(), queue, &[], &[]);
    assert_eq!(numbers(&worker.await_runs(3)), [4, 5, 7]);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn on_redis_an_expired_task_is_not_run() {
    expires(&Server::redis(), "expiry");
}

#[test]
fn on_rabbitmq_an_expired_task_is_not_run() {
    expires(&Server::rabbit(), "celery-expiry");
}

/// One of each priority, the least urgent first.
fn prioritised() -> Vec<Call> {
    (0..=9).map(|priority| note_with(Options::new().priority(priority), priority.into())).collect()
}

#[test]
fn on_redis_urgent_tasks_run_first_by_steps_of_three() {
    let server = Server::redis();
    let mut sent = prioritised();
    sent.push(note_with(Options::new(), 100));
    flush(server.celery().default_queue("priorities"), sent);
    let worker = Worker::celery(&server.url(), "priorities", &[], &[]);
    // Within a step in the order of the calls. Without a priority is Celery's own 0, its most urgent on Redis.
    assert_eq!(numbers(&worker.await_runs(11)), [7, 8, 9, 100, 4, 5, 6, 1, 2, 3, 0]);
}

#[test]
fn on_redis_the_steps_are_the_deployments() {
    let server = Server::redis();
    flush(server.celery().default_queue("priorities").priority_steps(0..=9).default_priority(5), prioritised());
    flush(
        server.celery().default_queue("priorities").priority_steps(0..=9).default_priority(8),
        [call(|| tasks::note::enqueue(100))],
    );
    let steps = json!({"broker_transport_options": {"priority_steps": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}}).to_string();
    let worker = Worker::celery(&server.url(), "priorities", &[("CONFIG", &steps)], &[]);
    assert_eq!(numbers(&worker.await_runs(11)), [9, 8, 100, 7, 6, 5, 4, 3, 2, 1, 0]);
}

#[test]
fn on_rabbitmq_urgent_tasks_run_first() {
    let server = Server::rabbit();
    let executor = server.celery().default_queue("celery-priorities").max_priority(10);
    let mut sent = prioritised();
    sent.push(note_with(Options::new(), 100));
    flush(executor, sent);
    let config = json!({"task_queue_max_priority": 10, "worker_prefetch_multiplier": 1}).to_string();
    let worker = Worker::celery(&server.url(), "celery-priorities", &[("CONFIG", &config)], &[]);
    assert_eq!(numbers(&worker.await_runs(11)), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 100]);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

fn carries(server: &Server, queue: &'static str) {
    let other = format!("{queue}-other");
    let worker = Worker::celery(&server.url(), &format!("{queue},{other}"), &[], &[]);
    let executor = server.celery().default_queue(queue).task_prefix("tests.").origin("shop@host");
    let options = Options::new()
        .queue(other.clone())
        .header("tenant", "acmé")
        .header("x-request-id", "")
        .origin("POST /orders")
        .extra("celery", "ignore_result", true)
        .extra("celery", "shadow", "a note")
        .extra("celery", "root_id", "root")
        .extra("celery", "parent_id", "parent")
        .extra("celery", "reply_to", "answers")
        .extra("celery", "soft_time_limit", 20)
        .extra("dramatiq", "of no concern", 1)
        .timeout(30 * SECOND);
    let sent = [call(|| tasks::prefixed::enqueue_with(options, 1)), call(|| tasks::prefixed::enqueue(2))];
    let sent = flush(executor, sent);
    let runs = worker.await_runs(2);
    let (full, bare) = if numbers(&runs) == [1, 2] { (&runs[0], &runs[1]) } else { (&runs[1], &runs[0]) };
    assert_eq!(full.task, "tests.note");
    let seen = json!({
        "headers": {"tenant": "acmé", "x-request-id": ""},
        "retries": 0,
        "timelimit": [30, 20],
        "ignore_result": true,
        "root_id": "root",
        "parent_id": "parent",
        "origin": "POST /orders",
        "shadow": "a note",
        "reply_to": "answers",
        "priority": 0,
        "queue": other,
        "argsrepr": "()",
        "kwargsrepr": "{'number': 1}",
    });
    assert_eq!(full.seen, seen);
    let seen = json!({
        "headers": null,
        "retries": 0,
        "timelimit": [null, null],
        "ignore_result": null,
        "root_id": sent[1].id().to_string(),
        "parent_id": null,
        "origin": "shop@host",
        "shadow": null,
        "reply_to": "",
        "priority": 0,
        "queue": queue,
        "argsrepr": "()",
        "kwargsrepr": "{'number': 2}",
    });
    assert_eq!(bare.seen, seen);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn on_redis_queues_headers_and_extras_arrive() {
    carries(&Server::redis(), "carried");
}

#[test]
fn on_rabbitmq_queues_headers_and_extras_arrive() {
    carries(&Server::rabbit(), "celery-carried");
}

#[test]
fn a_worker_with_a_prefix_on_its_keys_finds_them() {
    let server = Server::redis();
    let config = json!({"broker_transport_options": {"global_keyprefix": "shop:"}}).to_string();
    let worker = Worker::celery(&server.url(), "prefixed", &[("CONFIG", &config)], &[]);
    let executor = server.celery().default_queue("prefixed").global_keyprefix("shop:");
    let sent = flush(executor, [note_with(Options::new().priority(4), 1)]);
    assert_ran(&worker.await_runs(1), &sent);
}

fn interrupts(server: &Server, queue: &'static str) {
    let worker = Worker::celery(&server.url(), queue, &[], &[]);
    let slow = |options| call(move || tasks::slow::enqueue_with(options, 0));
    let sent = [
        slow(Options::new().timeout(SECOND)),
        slow(Options::new().timeout(60 * SECOND).extra("celery", "soft_time_limit", 1)),
        call(|| tasks::note::enqueue(1)),
    ];
    flush(server.celery().default_queue(queue), sent);
    let runs: Vec<Run> = worker.await_runs(3);
    assert!(runs[1].time - runs[0].time >= 1.0, "it had its second");
    assert!(runs[2].time - runs[0].time < 30.0, "they would run for a minute");
    let log = worker.log();
    assert!(log.contains("Hard time limit (1s) exceeded"), "{log}");
    assert!(log.contains("SoftTimeLimitExceeded"), "{log}");
}

#[test]
fn on_redis_a_task_is_interrupted_at_its_limit() {
    interrupts(&Server::redis(), "limits");
}

#[test]
fn on_rabbitmq_a_task_is_interrupted_at_its_limit() {
    interrupts(&Server::rabbit(), "celery-limits");
}
