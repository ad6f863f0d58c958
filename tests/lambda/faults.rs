//! What becomes of intents when there is no answer.

use std::time::Duration;

use airlock::{LambdaExecutor, OnFailure};
use airlock_tests::aws;
use airlock_tests::process::free_port;
use airlock_tests::servers::{Answer, HttpServer};
use aws_sdk_lambda::config::timeout::TimeoutConfig;

use crate::executor;
use crate::tasks::{flush, flush_notes, heavy, note};

#[test]
fn promise_14_where_nobody_listens_nothing_was_sent_and_the_next_flush_starts_afresh() {
    let client = aws::client(&format!("http://127.0.0.1:{}", free_port()));
    let executor = LambdaExecutor::new(client).functions_by(|_| Some("notes".to_owned())).concurrency(1);
    for _ in 0..2 {
        let account = flush_notes(executor.clone(), 5);
        account.expect(&[("unavailable", 1), ("unattempted", 4)]);
        account.says("nothing was sent to Lambda");
        account.says("connection refused");
        account.took_at_most(Duration::from_secs(5));
    }
}

#[test]
fn promise_13_credentials_that_cannot_be_had_send_nothing() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    let client = aws_sdk_lambda::Client::from_conf(
        aws_sdk_lambda::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_lambda::config::Region::new("us-east-1"))
            .endpoint_url(server.url())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    );
    let account = flush_notes(LambdaExecutor::new(client).functions_by(|_| Some("notes".to_owned())).concurrency(1), 3);
    account.expect(&[("unavailable", 1), ("unattempted", 2)]);
    account.says("credentials");
    assert!(server.requests().is_empty());
}

#[test]
fn promise_13_a_connection_cut_after_the_request_was_read_leaves_it_unconfirmed() {
    let server = HttpServer::start(|number| if number == 1 { Answer::CutAfter } else { Answer::Status(202, "") });
    let account = flush_notes(executor(&server).concurrency(1), 3);
    account.expect(&[("dispatched", 2), ("unconfirmed", 1)]);
    account.says("Lambda did not answer");
    assert_eq!(server.requests().len(), 3, "nothing is sent twice");
}

#[test]
fn promise_13_a_connection_cut_while_the_request_is_read_leaves_it_unconfirmed() {
    let server = HttpServer::start(|_| Answer::CutInside);
    let account = flush(airlock::scope().executor(executor(&server)), || {
        heavy::enqueue(1, "x".repeat(900_000)).unwrap();
    });
    account.expect(&[("unconfirmed", 1)]);
}

#[test]
fn promise_13_a_connection_cut_before_anything_is_read_is_never_taken_for_a_success() {
    let server = HttpServer::start(|_| Answer::CutBefore);
    let account = flush_notes(executor(&server).concurrency(1), 1);
    // Whether the client had begun to write when it saw the end is a race, and it is said which of the two it was.
    assert_eq!(account.count("unconfirmed") + account.count("unavailable"), 1, "{account:?}");
}

#[test]
fn promise_14_a_server_that_does_not_answer_costs_the_deadline_once() {
    let server = HttpServer::start(|_| Answer::Silence);
    let deadline = Duration::from_secs(2);
    let scope = airlock::scope().executor(executor(&server).concurrency(4)).deadline(deadline);
    let account = flush(scope, || {
        (0..100).for_each(|number| {
            note::enqueue(number).unwrap();
        });
    });
    account.expect(&[("unconfirmed", 4), ("unattempted", 96)]);
    account.took_at_most(deadline);
    account.says("deadline");
}

#[test]
fn the_clients_own_timeouts_hold() {
    let server = HttpServer::start(|_| Answer::Silence);
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(300)).build();
    let client = aws_sdk_lambda::Client::from_conf(aws::config(&server.url()).timeout_config(timeouts).build());
    let executor = LambdaExecutor::new(client).function("tests.note", "notes");
    let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(60));
    let account = flush(scope, || {
        note::enqueue(1).unwrap();
    });
    account.expect(&[("unconfirmed", 1)]);
    account.says("timeout");
}

#[test]
fn promise_12_fail_fast_leaves_the_rest_unattempted() {
    let server = HttpServer::start(|_| Answer::Status(404, "ResourceNotFoundException"));
    let scope = airlock::scope().executor(executor(&server).concurrency(2)).on_failure(OnFailure::FailFast);
    let account = flush(scope, || {
        (0..50).for_each(|number| {
            note::enqueue(number).unwrap();
        });
    });
    let rejected = account.count("rejected");
    assert!((1..=2).contains(&rejected), "{account:?}");
    assert_eq!(account.count("unattempted"), 50 - rejected);
    assert_eq!(server.requests().len(), rejected);
}

#[test]
fn promise_03_what_was_begun_when_the_future_is_dropped_is_unconfirmed_and_its_requests_end() {
    let server = HttpServer::start(|_| Answer::Silence);
    let executor = executor(&server).concurrency(3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let body =
            async { (0..10).try_for_each(|number| note::enqueue(number).map(drop)).map_err(airlock::Error::from) };
        let scope = airlock::scope().executor(executor.clone()).deadline(Duration::from_secs(600));
        let mut flush = Box::pin(scope.run_async(body));
        let start = std::time::Instant::now();
        while server.requests().len() < 3 {
            assert!(start.elapsed() < airlock_tests::patience::PATIENCE, "three are sent");
            assert!(futures::poll!(&mut flush).is_pending());
            tokio::task::yield_now().await;
        }
        drop(flush);
        // All permits are free again, long before the deadline of what was dropped.
        let body = async { note::enqueue(10).map(drop).map_err(airlock::Error::from) };
        let next = airlock::scope().executor(executor).deadline(Duration::from_secs(1)).run_async(body).await;
        let error = airlock::FlushError::find(&next.unwrap_err()).unwrap().unconfirmed().len();
        assert_eq!(error, 1, "it was sent");
    });
    assert_eq!(server.requests().len(), 4);
}
