//! The client of AWS has credentials, and traces what it sends.

use std::sync::LazyLock;

use airlock::{FlushError, LambdaExecutor};
use airlock_tests::aws::{SECRETS, client};
use airlock_tests::servers::{Answer, HttpServer};

use super::{LOG, send};

/// Not those of the other tests: they look through all that is traced.
const ORDINARY: &str = "canary-event-9869";
const REDACTED: &str = "canary-event-6044";

#[test]
fn promise_18_no_error_or_log_shows_what_the_arguments_the_client_or_aws_said() {
    LazyLock::force(&LOG);
    for (status, code) in [(403, "InvalidSignatureException"), (400, "canary-code: no exception"), (500, "Oops")] {
        let server = HttpServer::start(move |_| Answer::Status(status, code));
        let executor = LambdaExecutor::new(client(&server.url())).functions_by(|_| Some("any".to_owned()));
        let call = || (ORDINARY.to_owned(), REDACTED.to_owned());
        let ((to, token), (also_to, also_token)) = (call(), call());
        let body = || send::enqueue(to, token).map(drop).map_err(airlock::Error::from);
        let error = airlock::scope().executor(executor.clone()).run(body).unwrap_err();
        let event = executor.event(&send::intent(also_to, also_token)).unwrap();
        let flush = FlushError::find(&error).unwrap();
        let (report, failed, unconfirmed) = (flush.report(), flush.failed(), flush.unconfirmed());
        let told = format!(
            "{error} {error:?} {executor:?} {executor:#?} {event:?} {report:?} {report} {failed:?} {unconfirmed:?}"
        );
        drop(error);
        for secret in SECRETS.into_iter().chain([ORDINARY, REDACTED, "canary-code", "canary-answer"]) {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
        // Not even at `trace`: the thread that drives the client logs nothing.
        let log = LOG();
        for secret in SECRETS.into_iter().chain([ORDINARY, REDACTED]) {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None);
        }
    }
}
