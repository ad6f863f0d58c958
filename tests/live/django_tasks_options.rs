//! Each option, shown by what a worker of django-tasks-db does with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::Options;
use airlock_tests::python::{Worker, manage};
use serde_json::json;

use crate::fleet::{Call, Server, assert_on_time, assert_ran, call, flush, numbers};
use crate::tasks;

const SECOND: Duration = Duration::from_secs(1);

fn note_with(options: Options, number: u64) -> Call {
    call(move || tasks::note::enqueue_with(options, number))
}

fn databases() -> [Server; 2] {
    [Server::sqlite(), Server::postgres()]
}

#[test]
fn a_delayed_task_runs_when_it_is_due() {
    for server in databases() {
        let worker = Worker::django_tasks(&server.url(), "default", &[]);
        let eta = SystemTime::now() + 3 * SECOND;
        let calls = [
            note_with(Options::new().eta(eta), 4),
            note_with(Options::new().delay(2 * SECOND), 3),
            note_with(Options::new().eta(UNIX_EPOCH), 0),
            note_with(Options::new().delay(Duration::ZERO), 1),
            note_with(Options::new(), 2),
            // The last second that can be said.
            note_with(Options::new().eta(UNIX_EPOCH + Duration::from_secs(253_370_764_799)), 5),
        ];
        let before = SystemTime::now();
        flush(server.django_tasks(), calls);
        let runs = worker.await_runs(5);
        // What is past goes in the order of the calls, as what has no time.
        assert_eq!(numbers(&runs), [0, 1, 2, 3, 4]);
        assert_on_time(&runs[3], before + 2 * SECOND);
        assert_on_time(&runs[4], eta);
        assert_eq!(worker.errors(), Vec::<String>::new());
    }
}

#[test]
fn urgent_tasks_run_first_and_of_the_same_priority_in_order() {
    for server in databases() {
        let mut calls: Vec<_> =
            (0..=9).map(|priority| note_with(Options::new().priority(priority), priority.into())).collect();
        calls.extend((100..110).map(|number| note_with(Options::new().priority(4), number)));
        flush(server.django_tasks(), calls);
        flush(server.django_tasks().default_priority(9), [call(|| tasks::note::enqueue(200))]);
        flush(server.django_tasks(), [call(|| tasks::note::enqueue(300))]);
        let worker = Worker::django_tasks(&server.url(), "default", &[]);
        let order: Vec<u64> = [9, 200, 8, 7, 6, 5, 4].into_iter().chain(100..110).chain([3, 2, 1, 0, 300]).collect();
        assert_eq!(numbers(&worker.await_runs(order.len())), order);
        assert_eq!(worker.errors(), Vec::<String>::new());
    }
}

#[test]
fn queue_and_backend_lead_to_their_workers() {
    for server in databases() {
        let executor = server.django_tasks().task_prefix("tests.");
        let calls = [
            call(|| {
                tasks::prefixed::enqueue_with(Options::new().queue("special").priority(3).origin("POST /orders"), 1)
            }),
            call(|| tasks::prefixed::enqueue_with(Options::new().extra("django_tasks", "backend", "other"), 2)),
            call(|| tasks::prefixed::enqueue_with(Options::new().extra("celery", "of no concern", 1), 3)),
        ];
        flush(executor.clone(), calls);
        let (special, other) = (
            Worker::django_tasks(&server.url(), "special", &[]),
            Worker::django_tasks(&server.url(), "default", &["--backend", "other"]),
        );
        let (in_special, of_other) = (special.await_runs(1), other.await_runs(1));
        assert_eq!((numbers(&in_special), numbers(&of_other)), (vec![1], vec![2]));
        assert_eq!(in_special[0].task, "tests.note");
        let seen = |queue, priority, backend| json!({"queue": queue, "priority": priority, "backend": backend, "run_after": null, "attempts": 1});
        assert_eq!(in_special[0].seen, seen("special", 3, "default"));
        assert_eq!(of_other[0].seen, seen("default", 0, "other"));
        // Another backend for all intents, and the worker of both queues.
        flush(executor.backend("other").default_queue("special"), [call(|| tasks::prefixed::enqueue(4))]);
        let both = Worker::django_tasks(&server.url(), "*", &["--backend", "other"]);
        let _ = both.await_runs(1);
        let rest = Worker::django_tasks(&server.url(), "*", &[]);
        assert_eq!(numbers(&rest.await_runs(1)), [3]);
        for worker in [special, other, both, rest] {
            assert_eq!(worker.errors(), Vec::<String>::new());
        }
    }
}

/// What Django itself reads: the result by the intent's id, in every form of it.
#[test]
fn django_finds_the_result_by_the_intents_id() {
    for server in databases() {
        let sent =
            flush(server.django_tasks(), [call(|| tasks::note::enqueue(7)), call(|| tasks::failing::enqueue(8))]);
        let mut worker = Worker::django_tasks(&server.url(), "default", &["--batch"]);
        assert_ran(&worker.await_runs(2), &sent);
        worker.await_end();
        let script = format!(
            "from django_tasks import default_task_backend as b\nfor i in ('{}', '{}'): r = b.get_result(i); print(r.status, \
             r.is_finished, r.kwargs)",
            sent[0].id(),
            sent[1].id()
        );
        let said = manage(&server.url(), &["shell", "--verbosity", "0", "-c", &script]);
        assert_eq!(said.trim(), "SUCCESSFUL True {'number': 7}\nFAILED True {'number': 8}");
    }
}
