//! Each option, shown by what a cluster of Django-Q2 does with it.

use std::process::Command;
use std::time::{Duration, SystemTime};

use airlock::{Options, SecretKey};
use airlock_tests::process::until;
use airlock_tests::python::{Worker, python};
use serde_json::json;

use crate::fleet::{SECRET, Server, System, assert_on_time, assert_ran, call, flush, numbers};
use crate::tasks;

const SECOND: Duration = Duration::from_secs(1);

fn cluster(server: &Server, name: &str, config: &str) -> Worker {
    Worker::django_q(&server.url(), name, &[("SECRET_KEY", SECRET), ("CONFIG", config)])
}

#[test]
fn labels_groups_and_hooks_arrive_and_results_are_saved_as_told() {
    let server = Server::redis();
    let worker = cluster(&server, "options", r#"{"save_limit":0}"#);
    let executor = server.django_q().cluster("options").task_prefix("tests.");
    let hooked = || Options::new().extra("django_q", "hook", "tests.hook");
    let unsaved = hooked().extra("django_q", "save", false);
    let full = hooked()
        .label("an order")
        .timeout(60 * SECOND)
        .extra("django_q", "group", "orders")
        .extra("django_q", "save", true)
        .extra("django_q", "ack_failure", true)
        .extra("huey", "of no concern", 1);
    let calls = [call(|| tasks::prefixed::enqueue_with(unsaved, 1)), call(|| tasks::prefixed::enqueue_with(full, 2))];
    let sent = flush(executor, calls);
    // Two tasks, and the hook of the one whose result is saved.
    let runs = worker.await_runs(3);
    let (hooks, tasks): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.task == "tests.hook");
    assert_eq!(numbers(&tasks), [1, 2]);
    let started = &tasks[1].seen["started"];
    assert!(started.as_str().is_some_and(|time| time.ends_with("+00:00")), "{started}");
    let seen = json!({"name": "an order", "group": "orders", "hook": "tests.hook", "save": true, "ack_failure": true,
        "cluster": "options", "started": started});
    assert_eq!((&*tasks[1].task, &tasks[1].seen), ("tests.note", &seen));
    let seen = json!({"name": "note", "group": null, "hook": "tests.hook", "save": false, "ack_failure": null,
        "cluster": "options", "started": tasks[0].seen["started"]});
    assert_eq!(tasks[0].seen, seen);
    assert_eq!(hooks[0].id, sent[1].id().to_string());
    let seen = json!({"func": "tests.note", "rows": 1, "name": "an order", "group": "orders", "success": true});
    assert_eq!((hooks[0].args.get(), hooks[0].kwargs.get()), ("[]", r#"{"number": 2}"#));
    assert_eq!(hooks[0].seen, seen);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn a_task_is_interrupted_at_its_limit_and_one_that_fails_is_told_to_its_hook() {
    let server = Server::redis();
    let worker = cluster(&server, "limits", r#"{"cluster_name":"long"}"#);
    let executor = server.django_q().cluster("limits");
    let (limited, hooked) =
        (Options::new().queue("long").timeout(SECOND), Options::new().extra("django_q", "hook", "tests.hook"));
    flush(executor.clone(), [call(|| tasks::slow::enqueue_with(limited, 0))]);
    flush(
        executor.cluster_name("long"),
        [call(|| tasks::failing::enqueue_with(hooked, 1)), call(|| tasks::note::enqueue(2))],
    );
    let runs = worker.await_runs(4);
    let ran: Vec<_> = runs.iter().filter(|run| run.task != "tests.hook").collect();
    assert_eq!(ran.iter().map(|run| &*run.task).collect::<Vec<_>>(), ["tests.slow", "tests.failing", "tests.note"]);
    let took = ran[1].time - ran[0].time;
    assert!((1.0..30.0).contains(&took), "it had its second of a minute: {took}");
    let log = worker.log();
    assert!(log.contains("Task exceeded maximum timeout value (1 seconds)"), "{log}");
    let hook = runs.iter().find(|run| run.task == "tests.hook").unwrap();
    assert_eq!((&hook.seen["success"], &hook.seen["func"]), (&json!(false), &json!("tests.failing")));
}

/// As the page of the executor has it, for people to copy.
const FINGERPRINT: [&str; 2] = [
    "from django.core.signing import Signer; from django_q.conf import Conf; ",
    "print(Signer(key=Conf.SECRET_KEY, salt=Conf.PREFIX).signature('airlock')[:12])",
];

#[test]
fn what_is_signed_otherwise_is_lost_and_fingerprints_tell() {
    let page = include_str!("../../airlock/src/systems/django_q/executor.rs");
    assert!(FINGERPRINT.iter().all(|line| page.contains(line)));
    let server = Server::redis();
    let right = server.django_q().cluster("signed");
    // In the right queue, under another salt.
    let wrong = server.django_q().cluster("salted").cluster_name("signed");
    let other = SecretKey::new("another").unwrap();
    let other = airlock::DjangoQExecutor::new(server.url(), other).unwrap().cluster("signed");

    let configure = "import os, django; from django.conf import settings; settings.configure(INSTALLED_APPS=['django_q'], \
                     SECRET_KEY=os.environ['SECRET_KEY'], Q_CLUSTER={'name': 'signed', 'timeout': 60, 'retry': 120}); \
                     django.setup();";
    let output = Command::new(python())
        .args(["-c", &format!("{configure} {}", FINGERPRINT.concat())])
        .env("SECRET_KEY", SECRET)
        .output()
        .unwrap();
    let theirs = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert_eq!(right.fingerprint(), theirs, "{}", String::from_utf8_lossy(&output.stderr));
    assert!([&wrong, &other].iter().all(|executor| executor.fingerprint() != theirs));

    let worker = cluster(&server, "signed", "{}");
    flush(wrong, [call(|| tasks::note::enqueue(0))]);
    flush(other, [call(|| tasks::note::enqueue(0))]);
    let sent = flush(right, [call(|| tasks::note::enqueue(1))]);
    assert_ran(&worker.await_runs(1), &sent);
    until("each is told", || worker.log().matches("Failed to push task to queue").count() == 2);
}

#[test]
fn on_the_orm_what_fails_is_run_again_unless_failures_are_acknowledged() {
    let server = Server::sqlite();
    let worker = cluster(&server, "failures", r#"{"timeout":1,"retry":2}"#);
    let executor = server.django_q().cluster("failures");
    flush(executor.clone(), [call(|| tasks::failing::enqueue(1))]);
    let again = Options::new().extra("django_q", "ack_failure", false);
    let calls = [call(|| tasks::failing::enqueue(2)), call(|| tasks::failing::enqueue_with(again, 3))];
    flush(executor.ack_failures(true), calls);
    let runs = worker.await_runs(7);
    let count = |number| numbers(&runs).into_iter().filter(|own| *own == number).count();
    assert!(count(1) > 1 && count(2) == 1 && count(3) > 1, "{:?}", numbers(&runs));
}

/// Times are UTC there, whatever the cluster's own clock shows.
#[test]
fn on_the_orm_a_delayed_task_runs_when_it_is_due_in_any_time_zone() {
    for (server, zone) in [
        (Server::sqlite(), "America/New_York"),
        (Server::sqlite(), "Asia/Kolkata"),
        (Server::postgres(), "America/New_York"),
        (Server::postgres(), "Asia/Kolkata"),
    ] {
        let worker = Worker::django_q(&server.url(), "delays", &[("SECRET_KEY", SECRET), ("TZ", zone)]);
        let (before, eta) = (SystemTime::now(), SystemTime::now() + 4 * SECOND);
        let calls = [
            call(move || tasks::note::enqueue_with(Options::new().eta(eta), 3)),
            call(|| tasks::note::enqueue_with(Options::new().delay(2 * SECOND), 2)),
            call(|| tasks::note::enqueue(1)),
        ];
        flush(server.django_q().cluster("delays"), calls);
        let runs = worker.await_runs(3);
        assert_eq!(numbers(&runs), [1, 2, 3], "{zone}");
        assert_on_time(&runs[1], before + 2 * SECOND);
        assert_on_time(&runs[2], eta);
        assert_eq!(worker.errors(), Vec::<String>::new());
    }
}

#[test]
fn on_the_orm_what_was_written_into_a_transaction_runs_once_that_has_committed() {
    for server in [Server::sqlite(), Server::postgres()] {
        let worker = cluster(&server, "inserted", "{}");
        let sent = crate::insert_notes!(server.django_q().cluster("inserted"), server);
        let runs = worker.await_runs(3);
        assert_ran(server.in_order(System::DjangoQ, &runs, &sent), &sent);
        assert_eq!(worker.errors(), Vec::<String>::new());
    }
}
