//! What each answer of AWS means for an intent.

use airlock_tests::servers::{Answer, HttpServer};

use crate::executor;
use crate::tasks::flush_notes;

/// One answer after the other: the status, the exception, how the intent ends, and what is said.
const ANSWERS: [(u16, &str, &str, &str); 24] = [
    (202, "", "dispatched", ""),
    (200, "", "unconfirmed", "only 202 says"),
    (204, "", "unconfirmed", "only 202 says"),
    (307, "", "rejected", "refused"),
    (400, "InvalidRequestContentException", "rejected", "not valid"),
    (400, "InvalidParameterValueException", "rejected", "not valid"),
    (400, "ThrottlingException", "unavailable", "too many requests"),
    (401, "UnrecognizedClientException", "rejected", "credentials"),
    (403, "AccessDeniedException", "rejected", "credentials"),
    (403, "InvalidSignatureException", "rejected", "credentials"),
    (404, "ResourceNotFoundException", "rejected", "no such function"),
    (408, "RequestTimeoutException", "unavailable", "too slow"),
    (409, "ResourceConflictException", "unavailable", "being changed"),
    (413, "RequestTooLargeException", "rejected", "too large"),
    (415, "UnsupportedMediaTypeException", "rejected", "refused"),
    (429, "TooManyRequestsException", "unavailable", "too many requests"),
    (500, "ServiceException", "unconfirmed", "whether the event is queued"),
    (501, "", "rejected", "doesn't know the request"),
    (505, "", "rejected", "another HTTP"),
    (511, "", "rejected", "wants a login"),
    (502, "EC2UnexpectedException", "unconfirmed", "whether the event is queued"),
    (502, "", "unconfirmed", "whether the event is queued"),
    (503, "ServiceUnavailableException", "unconfirmed", "whether the event is queued"),
    (504, "", "unconfirmed", "whether the event is queued"),
];

#[test]
fn promise_13_each_status_has_its_kind_and_is_asked_once() {
    for (status, code, end, says) in ANSWERS {
        let server = HttpServer::start(move |_| Answer::Status(status, code));
        let account = flush_notes(executor(&server), 1);
        assert_eq!(account.count(end), 1, "{status} {code}: {account:?}");
        assert_eq!(server.requests().len(), 1, "{status} {code} was asked again");
        if end != "dispatched" {
            account.says(&format!("`notes`: Lambda answered {status}"));
            account.says(says);
            account.says(code);
        }
    }
}

#[test]
fn promise_12_a_rejected_event_does_not_cost_the_others() {
    let server = HttpServer::start(|number| match number {
        1 => Answer::Status(404, "ResourceNotFoundException"),
        3 => Answer::Status(500, "ServiceException"),
        _ => Answer::Status(202, ""),
    });
    let account = flush_notes(executor(&server).concurrency(1), 6);
    account.expect(&[("dispatched", 4), ("rejected", 1), ("unconfirmed", 1)]);
}

#[test]
fn promise_14_after_too_many_requests_the_rest_is_not_attempted() {
    let server = HttpServer::start(|number| match number {
        0..10 => Answer::Status(202, ""),
        _ => Answer::Status(429, "TooManyRequestsException"),
    });
    let account = flush_notes(executor(&server).concurrency(1), 100);
    account.expect(&[("dispatched", 10), ("unavailable", 1), ("unattempted", 89)]);
    assert_eq!(server.requests().len(), 11);
}
