//! Lambda at its best: what is flushed is sent once, started in order, so many at a time.

use std::time::Duration;

use airlock::{LambdaExecutor, Options};
use airlock_tests::aws;
use airlock_tests::servers::{Answer, HttpServer, Request};
use serde_json::Value;

use crate::executor;
use crate::tasks::{Account, flush, note};

fn number(request: &Request) -> u64 {
    let event: Value = serde_json::from_slice(&request.body).unwrap();
    event["kwargs"]["number"].as_u64().unwrap()
}

/// Flushes so many notes, with time enough for a busy machine.
fn notes(executor: LambdaExecutor, count: u64) -> Account {
    let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(300));
    flush(scope, || {
        (0..count).for_each(|number| {
            note::enqueue(number).unwrap();
        });
    })
}

#[test]
fn promise_04_one_at_a_time_they_go_in_the_order_of_the_calls_over_one_connection() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    notes(executor(&server).concurrency(1), 500).expect(&[("dispatched", 500)]);
    assert_eq!(server.requests().iter().map(number).collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
    assert_eq!(server.connections(), 1);
}

#[test]
fn promise_05_ten_thousand_side_by_side_are_each_sent_once() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    notes(executor(&server), 10_000).expect(&[("dispatched", 10_000)]);
    let mut numbers: Vec<_> = server.requests().iter().map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..10_000).collect::<Vec<_>>());
    assert!(server.connections() <= 32, "{} connections", server.connections());
}

#[test]
fn clones_share_the_number_that_may_be_under_way() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    let executor = executor(&server).concurrency(2);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| notes(executor.clone(), 50).expect(&[("dispatched", 50)]));
        }
    });
    assert!(server.most_at_once() <= 2, "{} at once", server.most_at_once());
    assert_eq!(server.requests().len(), 200);
}

#[test]
fn a_request_is_what_the_api_asks_for() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:notes";
    let executor = LambdaExecutor::new(aws::client(&server.url())).function("tests.note", arn);
    flush(airlock::scope().executor(executor), || {
        let extras = Options::new().extra("lambda", "qualifier", "live").extra("lambda", "tenant_id", "acme");
        note::enqueue_with(extras, 7).unwrap();
        note::enqueue(8).unwrap();
    })
    .expect(&[("dispatched", 2)]);
    let requests = server.requests();
    let with_qualifier = requests.iter().find(|request| number(request) == 7).unwrap();
    let plain = requests.iter().find(|request| number(request) == 8).unwrap();
    let path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Anotes/invocations";
    assert_eq!(with_qualifier.line, format!("POST {path}?Qualifier=live HTTP/1.1"));
    assert_eq!(with_qualifier.header("x-amz-tenant-id"), Some("acme"));
    assert_eq!(plain.line, format!("POST {path} HTTP/1.1"));
    assert_eq!(plain.header("x-amz-invocation-type"), Some("Event"));
    assert_eq!(plain.header("content-length"), Some(plain.body.len().to_string().as_str()));
    assert!(plain.header("authorization").unwrap().contains("/us-east-1/lambda/aws4_request"));
}
