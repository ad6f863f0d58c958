//! Any valid intent arrives as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use airlock::{Intent, Options};
use airlock_tests::roundtrip::{double, single};
use airlock_tests::values::{json, runner, text};
use proptest::collection::{btree_map, vec};
use proptest::option::{self, weighted};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::value::RawValue;

use crate::fleet::{Call, Server, System, flush, flush_all};
use crate::tasks;

/// So many a combination, or as many as `AIRLOCK_RANDOM_INTENTS` says.
const INTENTS: usize = 500;

fn intent() -> impl Strategy<Value = Intent> {
    prop_oneof![
        json().prop_map(|json| tasks::any::intent(RawValue::from_string(json).unwrap())),
        any::<u64>().prop_map(tasks::note::intent),
        (any::<u64>(), text(), any::<Option<bool>>())
            .prop_map(|(first, second, third)| tasks::positional::intent(first, second, third)),
        (any::<i64>(), any::<u64>(), any::<i128>(), any::<u128>(), vec(double(), 0..8), single())
            .prop_map(|(a, b, c, d, e, f)| tasks::numbers::intent(a, b, c, d, e, f)),
        (text(), vec(text(), 0..5), btree_map(text(), option::of(text()), 0..5))
            .prop_map(|(text, more, named): (_, _, BTreeMap<_, _>)| tasks::texts::intent(text, more, named)),
    ]
}

/// Options of every kind, sensible or not.
fn options() -> impl Strategy<Value = Options> {
    let headers = vec((prop_oneof![text(), "x-[a-z]{1,9}"], text()), 0..4);
    let soon = || (0_u64..3).prop_map(Duration::from_secs);
    let extras = prop_oneof![
        text().prop_map(|text| ("celery", "shadow", serde_json::json!(text))),
        any::<bool>().prop_map(|ignore| ("celery", "ignore_result", serde_json::json!(ignore))),
        text().prop_map(|text| ("celery", "root_id", serde_json::json!(text))),
        Just(("django_tasks", "backend", serde_json::json!("default"))),
        text().prop_map(|text| ("celery", "reply_to", serde_json::json!(text))),
        any::<u32>().prop_map(|seconds| ("celery", "soft_time_limit", serde_json::json!(seconds))),
        any::<u64>().prop_map(|backoff| ("dramatiq", "min_backoff", serde_json::json!(backoff))),
        any::<bool>().prop_map(|notify| ("dramatiq", "notify_shutdown", serde_json::json!(notify))),
        any::<u64>().prop_map(|ttl| ("dramatiq", "result_ttl", serde_json::json!(ttl))),
        any::<u64>().prop_map(|delay| ("huey", "retry_delay", serde_json::json!(delay))),
        any::<u32>().prop_map(|times| ("huey", "retry_backoff", serde_json::json!(times))),
        text().prop_map(|text| ("django_q", "group", serde_json::json!(text))),
        any::<bool>().prop_map(|save| ("django_q", "save", serde_json::json!(save))),
        any::<bool>().prop_map(|acknowledges| ("django_q", "ack_failure", serde_json::json!(acknowledges))),
        any::<u32>().prop_map(|seconds| ("django_q", "cached", serde_json::json!(seconds))),
    ];
    let times = (
        weighted(0.1, soon()),
        option::of((3600..10_000_000_000_u64).prop_map(Duration::from_secs)),
        option::of(prop_oneof![1..100_000_u64, 1..u64::MAX].prop_map(Duration::from_secs)),
    );
    let numbers = (weighted(0.2, any::<u32>()), weighted(0.1, 0..=9_u8));
    (headers, times, option::of(text()), numbers, vec(extras, 0..3)).prop_map(
        |(headers, (delay, expires, timeout), origin, (retries, priority), extras)| {
            let mut options = Options::new();
            options = priority.into_iter().fold(options, Options::priority);
            options = headers.into_iter().fold(options, |options, (name, value)| options.header(name, value));
            options =
                extras.into_iter().fold(options, |options, (system, key, value)| options.extra(system, key, value));
            options = delay.into_iter().fold(options, Options::delay);
            options = expires.into_iter().fold(options, Options::expires_in);
            options = timeout.into_iter().fold(options, Options::timeout);
            options = origin.into_iter().fold(options, |options, origin| options.origin(origin));
            retries.into_iter().fold(options, Options::max_retries)
        },
    )
}

/// What the executor accepts of many odd options runs, and the worker has nothing to say.
#[expect(clippy::print_stdout, reason = "it is shown when the test fails")]
fn options_round_trip(server: &Server, system: System, queue: &'static str) {
    let (mut runner, seed) = runner();
    println!("AIRLOCK_SEED={seed}");
    let (executor, worker) = server.staffed(system, queue);
    let accepted = |options: &Options| {
        let guard = airlock::scope().enter();
        tasks::note::enqueue_with(options.clone(), 0).unwrap();
        let intent = airlock::Scope::current().unwrap().intents().remove(0);
        let _ = guard.discard();
        server.message(system, &intent).is_ok()
    };
    let options: Vec<_> =
        (0..3000).map(|_| options().new_tree(&mut runner).unwrap().current()).filter(accepted).collect();
    assert!(options.len() > 100, "only {} are accepted", options.len());
    let calls = options.into_iter().zip(0..).map(|(options, number)| {
        let enqueue: Call = Box::new(move || tasks::note::enqueue_with(options, number));
        enqueue
    });
    let mut sent: Vec<_> = flush(executor, calls).iter().map(|intent| intent.id().to_string()).collect();
    let mut ran: Vec<_> = worker.await_runs(sent.len()).into_iter().map(|run| run.id).collect();
    // Some were delayed.
    sent.sort();
    ran.sort();
    assert_eq!(ran, sent);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

/// Different ones each time, of those that are accepted; the seed is told when they don't arrive.
#[expect(clippy::print_stdout, reason = "it is shown when the test fails")]
pub(crate) fn some_intents(accepted: impl Fn(&Intent) -> bool) -> Vec<Intent> {
    let count = std::env::var("AIRLOCK_RANDOM_INTENTS").map_or(INTENTS, |count| count.parse().unwrap());
    let (mut runner, seed) = runner();
    println!("AIRLOCK_SEED={seed}");
    let drawn = std::iter::repeat_with(|| intent().new_tree(&mut runner).unwrap().current());
    drawn.filter(accepted).take(count).collect()
}

fn round_trip(server: &Server, system: System, queue: &'static str) {
    let (executor, worker) = server.staffed(system, queue);
    let sent = some_intents(|intent| server.message(system, intent).is_ok());
    flush_all(executor, &sent);
    server.assert_ran(system, &worker.await_runs(sent.len()), &sent);
    assert_eq!(worker.errors(), Vec::<String>::new());
}

#[test]
fn celery_on_redis_gets_any_intent() {
    round_trip(&Server::redis(), System::Celery, "random");
}

#[test]
fn celery_on_rabbitmq_gets_any_intent() {
    round_trip(&Server::rabbit(), System::Celery, "celery-random");
}

#[test]
fn django_tasks_on_sqlite_gets_any_intent() {
    round_trip(&Server::sqlite(), System::DjangoTasks, "random");
}

#[test]
fn django_tasks_on_postgres_gets_any_intent() {
    round_trip(&Server::postgres(), System::DjangoTasks, "random");
}

#[test]
fn dramatiq_on_redis_gets_any_intent() {
    round_trip(&Server::redis(), System::Dramatiq, "random");
}

#[test]
fn dramatiq_on_rabbitmq_gets_any_intent() {
    round_trip(&Server::rabbit(), System::Dramatiq, "dramatiq-random");
}

#[test]
fn celery_on_redis_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::redis(), System::Celery, "options");
}

#[test]
fn celery_on_rabbitmq_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::rabbit(), System::Celery, "celery-random-options");
}

#[test]
fn django_tasks_on_sqlite_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::sqlite(), System::DjangoTasks, "options");
}

#[test]
fn django_tasks_on_postgres_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::postgres(), System::DjangoTasks, "options");
}

#[test]
fn dramatiq_on_redis_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::redis(), System::Dramatiq, "options");
}

#[test]
fn dramatiq_on_rabbitmq_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::rabbit(), System::Dramatiq, "dramatiq-random-options");
}

#[test]
fn huey_on_sqlite_gets_any_intent() {
    round_trip(&Server::sqlite(), System::Huey, "random");
}

#[test]
fn huey_on_postgres_gets_any_intent() {
    round_trip(&Server::postgres(), System::Huey, "random");
}

#[test]
fn huey_gets_any_intent() {
    round_trip(&Server::redis(), System::Huey, "random");
}

#[test]
fn huey_with_priorities_gets_any_intent() {
    round_trip(&Server::redis(), System::HueyPriority, "random");
}

#[test]
fn huey_with_signed_and_compressed_messages_gets_any_intent() {
    round_trip(&Server::redis(), System::HueySigned, "random");
}

#[test]
fn huey_2_gets_any_intent() {
    round_trip(&Server::redis(), System::Huey2, "random");
}

#[test]
fn django_q_on_sqlite_gets_any_intent() {
    round_trip(&Server::sqlite(), System::DjangoQ, "random");
}

#[test]
fn django_q_on_postgres_gets_any_intent() {
    round_trip(&Server::postgres(), System::DjangoQ, "random");
}

#[test]
fn django_q_gets_any_intent() {
    round_trip(&Server::redis(), System::DjangoQ, "random");
}

#[test]
fn huey_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::redis(), System::Huey, "options");
}

#[test]
fn huey_with_priorities_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::redis(), System::HueyPriority, "options");
}

#[test]
fn huey_2_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::redis(), System::Huey2, "options");
}

#[test]
fn django_q_on_sqlite_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::sqlite(), System::DjangoQ, "options");
}

#[test]
fn django_q_gets_any_options_that_are_accepted() {
    options_round_trip(&Server::redis(), System::DjangoQ, "options");
}
