//! What AWS gets of a flush, as moto records it: the events that functions would be given.
//!
//! moto answers some forty requests a second; ten thousand in one flush go to a server of the harness (`tests/lambda`).

use std::sync::Arc;

use airlock::{Executor, Intent, LambdaExecutor};
use airlock_tests::aws;
use airlock_tests::exact::Exact;
use airlock_tests::servers::{MotoServer, Recorded};
use serde_json::value::RawValue;

use crate::arguments::matrix;
use crate::fleet::flush_all;
use crate::random::some_intents;
use crate::tasks;

const ORDERED: u64 = 300;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    id: String,
    task: String,
    args: Box<RawValue>,
    kwargs: Box<RawValue>,
}

/// One at a time, so that the record has an order.
fn executor(server: &MotoServer) -> Arc<dyn Executor> {
    let function = |intent: &Intent| Some(intent.name().replace('.', "-"));
    Arc::new(LambdaExecutor::new(aws::client(&server.url())).functions_by(function).concurrency(1))
}

#[track_caller]
fn assert_recorded(recorded: &[Recorded], sent: &[Intent]) {
    assert_eq!(recorded.len(), sent.len(), "{} were sent", sent.len());
    for (request, intent) in recorded.iter().zip(sent) {
        let path = format!("/2015-03-31/functions/{}/invocations", intent.name().replace('.', "-"));
        assert!(request.url.ends_with(&path), "{}", request.url);
        assert_eq!(request.headers["X-Amz-Invocation-Type"], "Event");
        let body = request.body();
        let event: Event = serde_json::from_str(&body).unwrap();
        assert_eq!((event.id, event.task), (intent.id().to_string(), intent.name().to_owned()));
        let (given, other) = match intent.task().positional {
            true => (event.args, ("{}", event.kwargs)),
            false => (event.kwargs, ("[]", event.args)),
        };
        assert!(Exact::of(given.get()) == Exact::of(intent.to_json().unwrap().get()), "{}", intent.name());
        assert_eq!(other.0, other.1.get());
    }
}

#[test]
fn lambda_is_given_what_was_given() {
    let server = MotoServer::start();
    let mut sent = matrix(true);
    sent.extend((0..ORDERED).map(tasks::note::intent));
    flush_all(executor(&server), &sent);
    assert_recorded(&server.invocations(), &sent);
}

#[test]
fn lambda_is_given_any_intent() {
    let server = MotoServer::start();
    let sent = some_intents(|_| true);
    // The largest flushes would outlast their deadline.
    sent.chunks(500).for_each(|some| flush_all(executor(&server), some));
    assert_recorded(&server.invocations(), &sent);
}
