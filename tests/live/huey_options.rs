//! Each option, shown by what a Huey consumer does with it.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::{HueyExecutor, Options, SecretKey};
use airlock_tests::process::until;
use airlock_tests::python::{Worker, huey2, python};
use serde_json::json;

use crate::fleet::{Call, SECRET, Server, assert_on_time, assert_ran, call, flush, numbers, secret};
use crate::tasks;

const SECOND: Duration = Duration::from_secs(1);

fn note_with(options: Options, number: u64) -> Call {
    call(move || tasks::note::enqueue_with(options, number))
}

fn worker(server: &Server, settings: &[(&str, &str)], arguments: &[&str]) -> Worker {
    worker_of(3, server, settings, arguments)
}

/// Of this major version of Huey.
fn worker_of(version: u8, server: &Server, settings: &[(&str, &str)], arguments: &[&str]) -> Worker {
    let of = if version == 2 { huey2() } else { python() };
    Worker::huey(of, &server.url(), "options", settings, arguments)
}

fn executor(server: &Server) -> HueyExecutor {
    server.huey().default_queue("options")
}

/// The same on each kind of storage that this major version has, at the same time.
fn on_each(version: u8, test: impl Fn(&Server) + Sync) {
    let test = &test;
    let storages = [Server::redis, Server::sqlite, Server::postgres];
    std::thread::scope(|scope| {
        for start in &storages[..usize::from(version)] {
            scope.spawn(move || test(&start()));
        }
    });
}

/// Huey's times have no zone of their own.
fn waits(version: u8, zone: &str) {
    on_each(version, |server| {
        let worker = worker_of(version, server, &[("TZ", zone), ("CONFIG", &server.huey_storage())], &[]);
        let eta = SystemTime::now() + 3 * SECOND;
        let sent = [
            note_with(Options::new().eta(eta), 2),
            note_with(Options::new().delay(2 * SECOND), 1),
            note_with(Options::new().eta(UNIX_EPOCH), 0),
            note_with(Options::new().delay(Duration::ZERO), 0),
            note_with(Options::new().expires_in(60 * SECOND).delay(5 * SECOND), 4),
            note_with(Options::new().expires_in(Duration::MAX), 6),
        ];
        let before = SystemTime::now();
        flush(executor(server).consumer(version), sent);
        let runs = worker.await_runs(6);
        assert_eq!(numbers(&runs), [0, 0, 6, 1, 2, 4]);
        assert_on_time(&runs[3], before + 2 * SECOND);
        assert_on_time(&runs[4], eta);
        assert_eq!(worker.errors(), Vec::<String>::new());
    });
}

#[test]
fn a_delayed_task_runs_when_it_is_due_west_of_greenwich() {
    waits(3, "America/New_York");
}

#[test]
fn a_delayed_task_runs_when_it_is_due_east_of_greenwich() {
    waits(3, "Asia/Kolkata");
}

#[test]
fn huey_2_runs_a_delayed_task_when_it_is_due() {
    waits(2, "Asia/Kolkata");
}

/// A consumer makes a task's time to expire anew whenever it enqueues it once more: for its time, and for each retry.
fn expires_as_it_was_sent(version: u8) {
    let server = Server::redis();
    let worker = worker_of(version, &server, &[], &[]);
    let fleeting = |options: Options, number| call(move || tasks::fleeting::enqueue_with(options, number));
    let soon = Options::new().expires_in(SECOND);
    let again = |options: Options| options.max_retries(1).extra("huey", "retry_delay", 2);
    let sent = [
        fleeting(again(soon), 2),
        // The function's own minute.
        fleeting(again(Options::new()), 3),
        fleeting(again(Options::new().expires_in(60 * SECOND)), 4),
    ];
    flush(executor(&server).consumer(version), sent);
    let runs = worker.await_runs(5);
    until("one has expired", || worker.log().contains("expired, not executing"));
    let mut each = numbers(&runs);
    each.sort_unstable();
    assert_eq!(each, [2, 3, 3, 4, 4]);
    assert_eq!(worker.runs().len(), 5);
}

#[test]
fn an_expiry_holds_when_the_task_is_enqueued_once_more_and_its_function_has_another() {
    expires_as_it_was_sent(3);
}

#[test]
fn an_expiry_holds_in_huey_2_when_the_task_is_enqueued_once_more_and_its_function_has_another() {
    expires_as_it_was_sent(2);
}

#[test]
fn huey_2_runs_a_task_that_fails_as_often_and_as_late_as_it_says() {
    let server = Server::redis();
    let worker = worker_of(2, &server, &[], &[]);
    let failing = |options, number| call(move || tasks::failing::enqueue_with(options, number));
    let patient = Options::new().max_retries(2).extra("huey", "retry_delay", 2);
    let calls = [failing(Options::new(), 0), failing(Options::new().max_retries(1), 1), failing(patient, 2)];
    flush(executor(&server).consumer(2), calls);
    let runs = worker.await_runs(6);
    let mut each = numbers(&runs);
    each.sort_unstable();
    assert_eq!(each, [0, 1, 1, 2, 2, 2]);
    let times: Vec<f64> = runs.iter().filter(|run| run.seen["retry_delay"] == 2).map(|run| run.time).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 2.0) && times.len() == 3, "{times:?}");
}

#[test]
fn urgent_tasks_run_first_where_the_storage_has_priorities() {
    on_each(3, |server| {
        let mut sent: Vec<_> =
            (0..=9).map(|priority| note_with(Options::new().priority(priority), priority.into())).collect();
        sent.push(note_with(Options::new(), 100));
        sent.push(note_with(Options::new().priority(9), 109));
        let (executor, storage) = match server {
            Server::Redis(_) => (executor(server).priorities(), r#"{"storage":"PriorityRedisHuey"}"#.to_owned()),
            // They always have priorities. The table is there before there is a consumer.
            _ => (executor(server), server.huey_storage()),
        };
        flush(executor, sent);
        let worker = worker(server, &[("CONFIG", &storage)], &[]);
        // Within a priority in the order of the calls; none is Huey's 0.
        assert_eq!(numbers(&worker.await_runs(12)), [9, 109, 8, 7, 6, 5, 4, 3, 2, 1, 0, 100]);
        assert_eq!(worker.errors(), Vec::<String>::new());
    });
}

#[test]
fn a_task_that_fails_runs_again_as_often_and_as_late_as_it_says() {
    on_each(3, |server| {
        let worker = worker(server, &[("CONFIG", &server.huey_storage())], &[]);
        let failing = |options, number| call(move || tasks::failing::enqueue_with(options, number));
        let patient = Options::new().max_retries(2).extra("huey", "retry_delay", 1).extra("huey", "retry_backoff", 2);
        flush(
            executor(server),
            [failing(Options::new(), 0), failing(Options::new().max_retries(1), 1), failing(patient, 2)],
        );
        let runs = worker.await_runs(6);
        let mut each = numbers(&runs);
        each.sort_unstable();
        assert_eq!(each, [0, 1, 1, 2, 2, 2]);
        let times: Vec<f64> =
            runs.iter().zip(numbers(&runs)).filter(|(_, number)| *number == 2).map(|(run, _)| run.time).collect();
        assert!(times[1] - times[0] >= 1.0 && times[2] - times[1] >= 2.0, "{times:?}");
    });
}

#[test]
fn a_task_is_interrupted_at_its_limit_by_a_worker_of_its_own_process() {
    let server = Server::redis();
    let worker = worker(&server, &[], &["--worker-type", "process"]);
    let slow = call(|| tasks::slow::enqueue_with(Options::new().timeout(SECOND), 0));
    let half = call(|| tasks::slow::enqueue_with(Options::new().timeout(SECOND / 2), 1));
    flush(executor(&server), [slow, half, note_with(Options::new(), 2)]);
    let runs = worker.await_runs(3);
    assert!(runs[1].time - runs[0].time >= 1.0, "it had its second");
    assert!(runs[2].time - runs[1].time >= 0.5, "it had its half");
    assert!(runs[2].time - runs[0].time < 30.0, "they would run for a minute");
    assert!(worker.log().contains("timed out after 0.5s"), "{}", worker.log());
}

#[test]
fn queues_and_extras_arrive() {
    let server = Server::redis();
    let settings = [("CONFIG", r#"{"clean_name":false}"#)];
    let worker = Worker::huey(python(), &server.url(), "other-büro", &settings, &[]);
    let options = Options::new()
        .queue("other-büro")
        .max_retries(3)
        .timeout(60 * SECOND)
        .extra("huey", "retry_delay", 7)
        .extra("huey", "retry_backoff", 2)
        .extra("dramatiq", "of no concern", 1);
    let executor = executor(&server).clean_name(false).task_prefix("tests.");
    flush(executor.clone(), [call(|| tasks::prefixed::enqueue_with(options, 1))]);
    flush(executor.default_queue("other-büro"), [call(|| tasks::prefixed::enqueue(2))]);
    let runs = worker.await_runs(2);
    let seen = json!({"queue": "other-büro", "retries": 3, "retry_delay": 7, "retry_backoff": 2, "timeout": 60, "priority": null});
    assert_eq!((&*runs[0].task, &runs[0].seen), ("tests.note", &seen));
    let seen = json!({"queue": "other-büro", "retries": 0, "retry_delay": 0, "retry_backoff": 0, "timeout": null, "priority": null});
    assert_eq!(runs[1].seen, seen);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

/// As the page of the executor has it, for people to copy.
const FINGERPRINT: &str = "from shop import huey; print(huey.serializer._signature(b'airlock')[:12].decode())";

#[test]
fn what_is_signed_otherwise_is_lost_and_fingerprints_tell() {
    assert!(include_str!("../../airlock/src/systems/huey/executor.rs").contains(FINGERPRINT));
    let server = Server::redis();
    let config = format!(r#"{{"serializer":{{"secret":"{SECRET}","salt":"pepper"}}}}"#);
    let right = executor(&server).signed(secret()).salt("pepper");
    let wrong = executor(&server).signed(secret());
    let other = right.clone().signed(SecretKey::new("another").unwrap());

    let output = Command::new(python())
        .args(["-c", &FINGERPRINT.replace("shop", "huey_worker")])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/workers"))
        .envs([("BROKER", &*server.url()), ("QUEUES", "options"), ("RUNS", "/dev/null"), ("CONFIG", &config)])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let theirs = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert_eq!(right.fingerprint(), Some(theirs.clone()), "{}", String::from_utf8_lossy(&output.stderr));
    assert!([&wrong, &other].iter().all(|executor| executor.fingerprint().is_some_and(|ours| ours != theirs)));
    assert_eq!(executor(&server).fingerprint(), None);

    let worker = worker(&server, &[("CONFIG", &config)], &[]);
    for lost in [wrong, other, executor(&server)] {
        flush(lost, [note_with(Options::new(), 0)]);
    }
    let sent = flush(right, [note_with(Options::new(), 1)]);
    assert_ran(&worker.await_runs(1), &sent);
    until("each is told", || worker.log().matches("Error reading from queue").count() == 3);
}

#[test]
fn what_was_written_into_a_transaction_runs_once_that_has_committed() {
    for server in [Server::sqlite(), Server::postgres()] {
        let worker = worker(&server, &[("CONFIG", &server.huey_storage())], &[]);
        let sent = crate::insert_notes!(executor(&server), server);
        assert_ran(&worker.await_runs(3), &sent);
        assert_eq!(worker.errors(), Vec::<String>::new());
    }
}
