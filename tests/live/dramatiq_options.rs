//! Each option, shown by what a Dramatiq worker does with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::Options;
use airlock_tests::process::until;
use airlock_tests::python::Worker;
use serde_json::json;

use crate::fleet::{Call, Server, assert_on_time, assert_ran, call, flush, numbers};
use crate::tasks;

const SECOND: Duration = Duration::from_secs(1);

fn note_with(options: Options, number: u64) -> Call {
    call(move || tasks::note::enqueue_with(options, number))
}

fn waits(server: &Server, queue: &'static str) {
    let worker = Worker::dramatiq(&server.url(), &[queue], &[], &[]);
    let eta = SystemTime::now() + 3 * SECOND;
    let calls = [
        note_with(Options::new().eta(eta), 2),
        note_with(Options::new().delay(2 * SECOND), 1),
        note_with(Options::new().eta(UNIX_EPOCH), 0),
        note_with(Options::new().delay(Duration::ZERO), 0),
        // As long as Dramatiq has it, so that nothing of it may be seen.
        note_with(Options::new().delay(7 * 86_400 * SECOND), 3),
    ];
    let before = SystemTime::now();
    let sent = flush(server.dramatiq().default_queue(queue), calls);
    let runs = worker.await_runs(4);
    assert_eq!(numbers(&runs), [0, 0, 1, 2]);
    assert_eq!(runs[3].id, sent[0].id().to_string());
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
    waits(&Server::rabbit(), "dramatiq-delays");
}

fn expires(server: &Server, queue: &'static str) {
    let soon = SystemTime::now() + SECOND / 2;
    let calls = [
        note_with(Options::new().expires_at(soon), 1),
        note_with(Options::new().expires_in(SECOND / 2), 2),
        note_with(Options::new().expires_in(Duration::from_secs(3600)), 4),
        note_with(Options::new().expires_in(Duration::MAX), 5),
        note_with(Options::new().delay(5 * SECOND), 7),
    ];
    flush(server.dramatiq().default_queue(queue), calls);
    until("they have expired", || soon + SECOND / 2 < SystemTime::now());
    let worker = Worker::dramatiq(&server.url(), &[queue], &[], &[]);
    assert_eq!(numbers(&worker.await_runs(3)), [4, 5, 7]);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn on_redis_an_expired_task_is_not_run() {
    expires(&Server::redis(), "expiry");
}

#[test]
fn on_rabbitmq_an_expired_task_is_not_run() {
    expires(&Server::rabbit(), "dramatiq-expiry");
}

#[test]
fn on_rabbitmq_urgent_tasks_run_first() {
    let (server, queue) = (Server::rabbit(), "dramatiq-priorities");
    let mut calls: Vec<_> =
        (0..=9).map(|priority| note_with(Options::new().priority(priority), priority.into())).collect();
    calls.push(note_with(Options::new(), 100));
    flush(server.dramatiq().default_queue(queue).max_priority(10), calls);
    let config = json!({"max_priority": 10}).to_string();
    let worker = Worker::dramatiq(&server.url(), &[queue], &[("CONFIG", &config)], &[]);
    let runs = worker.await_runs(11);
    assert_eq!(numbers(&runs), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 100]);
    assert_eq!(runs[0].seen["options"], json!({"broker_priority": 9}));
    assert_eq!(worker.errors(), Vec::<String>::new());
}

fn retries(server: &Server, queue: &'static str) {
    let worker = Worker::dramatiq(&server.url(), &[queue], &[], &[]);
    let fails = |max: u32, number| call(move || tasks::failing::enqueue_with(Options::new().max_retries(max), number));
    let slowly = Options::new()
        .max_retries(1)
        .extra("dramatiq", "min_backoff", 2000)
        .extra("dramatiq", "max_backoff", 4000)
        .extra("dramatiq", "on_retry_exhausted", "tests.note");
    let calls = [fails(2, 1), fails(0, 2), call(|| tasks::failing::enqueue_with(slowly, 3))];
    flush(server.dramatiq().default_queue(queue), calls);
    // Three, one and two runs, and the actor that is told about the last.
    let runs = worker.await_runs(7);
    let of = |number: u64| {
        let json = format!("{{\"number\": {number}}}");
        runs.iter().filter(|run| run.kwargs.get() == json).collect::<Vec<_>>()
    };
    let used =
        |number| of(number).iter().map(|run| run.seen["options"]["retries"].as_u64().unwrap_or(0)).collect::<Vec<_>>();
    assert_eq!(used(1), [0, 1, 2]);
    assert_eq!(used(2), [0]);
    assert_eq!(used(3), [0, 1]);
    let slow = of(3);
    // Half of the backoff is left to chance.
    assert!(slow[1].time - slow[0].time > 1.0, "{slow:?}");
    assert_eq!(runs[6].task, "tests.note");
}

#[test]
fn on_redis_a_failing_task_is_run_again_as_often_as_wanted() {
    retries(&Server::redis(), "retries");
}

#[test]
fn on_rabbitmq_a_failing_task_is_run_again_as_often_as_wanted() {
    retries(&Server::rabbit(), "dramatiq-retries");
}

fn carries(server: &Server, queue: &'static str) {
    let other = format!("{queue}.other");
    let worker = Worker::dramatiq(&server.url(), &[queue, &other], &[], &[]);
    let options = Options::new()
        .queue(other.clone())
        .max_retries(3)
        .timeout(30 * SECOND)
        .expires_in(60 * SECOND)
        .origin("POST /orders")
        .extra("dramatiq", "min_backoff", 1000)
        .extra("dramatiq", "on_success", "tests.none")
        .extra("dramatiq", "notify_shutdown", true)
        .extra("celery", "ignore_result", "of no concern");
    let calls = [call(|| tasks::prefixed::enqueue_with(options, 1)), call(|| tasks::prefixed::enqueue(2))];
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    flush(server.dramatiq().default_queue(queue).task_prefix("tests."), calls);
    let runs = worker.await_runs(3);
    let full = runs.iter().find(|run| run.kwargs.get() == "{\"number\": 1}").unwrap();
    assert_eq!((full.task.as_str(), &full.seen["queue"]), ("tests.note", &json!(other)));
    let mut seen = full.seen["options"].clone();
    seen.as_object_mut().unwrap().remove("redis_message_id");
    let wanted = json!({
        "max_retries": 3,
        "time_limit": 30_000,
        "max_age": 60_000,
        "min_backoff": 1000,
        "on_success": "tests.none",
        "notify_shutdown": true,
    });
    assert_eq!(seen, wanted);
    let bare = runs.iter().find(|run| run.kwargs.get() == "{\"number\": 2}").unwrap();
    assert_eq!(bare.seen["queue"], queue);
    let stamp = u128::from(bare.seen["timestamp"].as_u64().unwrap());
    assert!((before..before + 10_000).contains(&stamp), "{stamp} is not milliseconds since 1970, or not now");
    assert!(runs.iter().any(|run| run.task == "tests.none"), "the actor to tell of success was not told");
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn on_redis_queues_options_and_extras_arrive() {
    carries(&Server::redis(), "carried");
}

#[test]
fn on_rabbitmq_queues_options_and_extras_arrive() {
    carries(&Server::rabbit(), "dramatiq-carried");
}

#[test]
fn a_worker_of_another_namespace_finds_them() {
    let server = Server::redis();
    let config = json!({"namespace": "shop"}).to_string();
    let worker = Worker::dramatiq(&server.url(), &["spaced"], &[("CONFIG", &config)], &[]);
    let sent = flush(server.dramatiq().default_queue("spaced").namespace("shop"), [note_with(Options::new(), 1)]);
    assert_ran(&worker.await_runs(1), &sent);
}

fn interrupts(server: &Server, queue: &'static str) {
    let worker = Worker::dramatiq(&server.url(), &[queue], &[], &[]);
    let calls =
        [call(|| tasks::slow::enqueue_with(Options::new().timeout(SECOND), 0)), call(|| tasks::note::enqueue(1))];
    flush(server.dramatiq().default_queue(queue), calls);
    let runs = worker.await_runs(2);
    let between = runs[1].time - runs[0].time;
    assert!((1.0..30.0).contains(&between), "it would run for a minute, and ran for {between} s");
    assert!(worker.log().contains("TimeLimitExceeded"), "{}", worker.log());
}

#[test]
fn on_redis_a_task_is_interrupted_at_its_limit() {
    interrupts(&Server::redis(), "limits");
}

#[test]
fn on_rabbitmq_a_task_is_interrupted_at_its_limit() {
    interrupts(&Server::rabbit(), "dramatiq-limits");
}
