//! What a worker gets is what was given, whatever it is, in the order it was given.

use std::collections::BTreeMap;

use airlock::Intent;
use airlock_tests::python::Worker;
use serde_json::value::RawValue;

use crate::fleet::{Server, System, assert_ran, flush_all};
use crate::tasks;

const ORDERED: u64 = 10_000;

fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap()
}

/// Lists and maps around each other: sixty of them, and the arguments' own object.
fn deep() -> Box<RawValue> {
    let (mut open, mut close) = (String::new(), String::new());
    for level in 0..60 {
        let (left, right) = if level % 2 == 0 { ("[1,", "]") } else { ("{\"a\":", "}") };
        open.push_str(left);
        close.insert_str(0, right);
    }
    raw(format!("{open}null{close}"))
}

/// Arguments of every kind, small and large.
pub(crate) fn matrix(has_nul: bool) -> Vec<Intent> {
    let odd =
        "héllo ☃ 😀 \u{0}\u{1}\u{7f}\u{2028}\u{fffd} \"quoted\" back\\slash 'single' \r\n\t {{%s}} {0}".to_owned();
    let odd = if has_nul { odd } else { odd.replace('\0', "") };
    let named = BTreeMap::from([
        (String::new(), None),
        ("ключ".to_owned(), Some("значение".to_owned())),
        ("__type__".to_owned(), Some("x".to_owned())),
        ("a b\n".to_owned(), Some(odd.clone())),
    ]);
    let floats = vec![0.0, -0.0, 1.0, 1.5, 1e16, 1e300, 5e-324, f64::MAX, f64::MIN, 0.1 + 0.2, -1e-7];
    vec![
        tasks::none::intent(),
        tasks::positional::intent(1, "zwei".to_owned(), Some(true)),
        tasks::positional::intent(0, String::new(), None),
        tasks::note::intent(u64::MAX),
        tasks::numbers::intent(i64::MIN, u64::MAX, i128::MIN, u128::MAX, floats, 0.1),
        tasks::numbers::intent(i64::MAX, 0, -1, 1 << 64, Vec::new(), f32::MIN_POSITIVE),
        tasks::texts::intent(odd.clone(), vec![odd; 3], named),
        tasks::any::intent(raw("null".to_owned())),
        tasks::any::intent(raw(r#"[[],{},[null,[true,{"a":[]}]]]"#.to_owned())),
        tasks::any::intent(deep()),
        tasks::any::intent(raw(format!("1{}", "0".repeat(4000)))),
        tasks::texts::intent("x☃".repeat(250_000), Vec::new(), BTreeMap::new()),
        tasks::secret::intent(42, "tok_4242".to_owned()),
    ]
}

/// All of the matrix, and then many at once, in order.
fn round_trip(server: &Server, system: System, queue: &'static str) -> Worker {
    round_trip_of(server, system, queue, ORDERED)
}

fn round_trip_of(server: &Server, system: System, queue: &'static str, ordered: u64) -> Worker {
    let (executor, worker) = server.staffed(system, queue);
    let sent = matrix(!server.keeps_jsonb(system));
    flush_all(executor.clone(), &sent);
    let runs = worker.await_runs(sent.len());
    server.assert_ran(system, &runs, &sent);

    let ordered: Vec<Intent> = (0..ordered).map(tasks::note::intent).collect();
    flush_all(executor, &ordered);
    let all = worker.await_runs(sent.len() + ordered.len());
    assert_ran(server.in_order(system, &all[sent.len()..], &ordered), &ordered);
    assert_eq!(worker.errors(), Vec::<String>::new());
    assert!(!worker.log().contains("tok_4242"), "a redacted value is in the worker's log");
    worker
}

#[test]
fn celery_on_redis_runs_what_was_given() {
    round_trip(&Server::redis(), System::Celery, "arguments");
}

#[test]
fn celery_on_rabbitmq_runs_what_was_given() {
    round_trip(&Server::rabbit(), System::Celery, "celery-arguments");
}

#[test]
fn django_tasks_on_sqlite_runs_what_was_given() {
    round_trip(&Server::sqlite(), System::DjangoTasks, "arguments");
}

#[test]
fn django_tasks_on_postgres_runs_what_was_given() {
    round_trip(&Server::postgres(), System::DjangoTasks, "arguments");
}

#[test]
fn dramatiq_on_redis_runs_what_was_given() {
    round_trip(&Server::redis(), System::Dramatiq, "arguments");
}

#[test]
fn dramatiq_on_rabbitmq_runs_what_was_given() {
    round_trip(&Server::rabbit(), System::Dramatiq, "dramatiq-arguments");
}

#[test]
fn huey_on_sqlite_runs_what_was_given() {
    round_trip(&Server::sqlite(), System::Huey, "my-shop");
}

#[test]
fn huey_2_on_sqlite_runs_what_was_given() {
    round_trip(&Server::sqlite(), System::Huey2, "my-shop");
}

#[test]
fn huey_on_postgres_runs_what_was_given() {
    round_trip(&Server::postgres(), System::Huey, "my-shop");
}

#[test]
fn huey_runs_what_was_given() {
    round_trip(&Server::redis(), System::Huey, "arguments");
}

#[test]
fn huey_with_priorities_runs_what_was_given() {
    round_trip(&Server::redis(), System::HueyPriority, "arguments");
}

/// Of those that queue as another one does, or that keep no order.
const FEW: u64 = 100;

#[test]
fn huey_whose_results_expire_and_huey_with_compressed_messages_run_what_was_given() {
    let server = Server::redis();
    for (system, queue) in [
        (System::HueyExpire, "expire"),
        (System::HueyPriorityExpire, "priority_expire"),
        (System::HueyGzip, "gzip"),
        (System::HueyZlib, "zlib"),
    ] {
        round_trip_of(&server, system, queue, FEW);
    }
}

#[test]
fn huey_with_signed_and_compressed_messages_runs_what_was_given() {
    round_trip(&Server::redis(), System::HueySigned, "arguments");
}

#[test]
fn huey_2_runs_what_was_given() {
    round_trip(&Server::redis(), System::Huey2, "arguments");
}

#[test]
fn django_q_on_sqlite_runs_what_was_given() {
    round_trip(&Server::sqlite(), System::DjangoQ, "arguments");
}

#[test]
fn django_q_on_postgres_runs_what_was_given() {
    round_trip_of(&Server::postgres(), System::DjangoQ, "arguments", FEW);
}

#[test]
fn django_q_runs_what_was_given() {
    round_trip(&Server::redis(), System::DjangoQ, "arguments");
}

#[test]
fn django_q_runs_what_was_given_compressed() {
    round_trip_of(&Server::redis(), System::DjangoQCompressed, "arguments", FEW);
}
