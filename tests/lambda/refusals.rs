//! What can't be sent is told before anything is.

use std::time::{Duration, SystemTime};

use airlock::{Intent, LambdaExecutor, Options};
use airlock_tests::aws;
use airlock_tests::servers::{Answer, HttpServer};

use crate::executor;
use crate::tasks::{flush, heavy, note};

fn lambda() -> LambdaExecutor {
    LambdaExecutor::new(aws::client("http://127.0.0.1:1")).function("tests.note", "notes")
}

fn with(options: Options) -> Intent {
    let guard = airlock::scope().enter();
    note::enqueue_with(options, 1).unwrap();
    let intent = airlock::Scope::current().unwrap().intents().remove(0);
    let _ = guard.discard();
    intent
}

#[track_caller]
fn assert_refused(executor: &LambdaExecutor, intent: &Intent, says: &str) {
    let refused = executor.event(intent).unwrap_err();
    assert!(refused.reason().contains(says), "{refused}");
}

#[test]
fn promise_17_options_that_an_event_has_no_place_for_are_refused_by_name() {
    let second = Duration::from_secs(1);
    for (options, says) in [
        (Options::new().priority(3), "`priority`"),
        (Options::new().max_retries(3), "`max_retries`"),
        (Options::new().delay(second), "`delay`"),
        (Options::new().eta(SystemTime::now() + second), "`eta`"),
        (Options::new().expires_in(second), "`expires`"),
        (Options::new().expires_at(SystemTime::now() + second), "`expires`"),
        (Options::new().timeout(second), "`timeout`"),
        (Options::new().header("tenant", "acme"), "`header`"),
        (Options::new().extra("lambda", "qualifer", "live"), "`qualifier`"),
        (Options::new().extra("lambda", "qualifier", 3), "some text"),
        (Options::new().extra("lambda", "invocation_type", "Event"), "always"),
        (Options::new().extra("lambda", "client_context", "x"), "argument"),
    ] {
        assert_refused(&lambda(), &with(options), says);
    }
    let fine = Options::new().queue("mail").origin("GET /").label("x").extra("celery", "shadow", "y");
    assert!(lambda().event(&with(fine)).is_ok());
}

#[test]
fn a_task_without_a_function_is_refused_by_name() {
    assert_refused(&lambda(), &heavy::intent(1, String::new()), "no function is set for task `tests.heavy`");
    let some = lambda().functions_by(|intent| intent.name().strip_suffix("heavy").map(|_| "heavy:live".to_owned()));
    assert_eq!(some.event(&heavy::intent(1, String::new())).unwrap().function, "heavy:live");
    assert_eq!(some.event(&note::intent(1)).unwrap().function, "notes", "the table comes first");
    let panics = LambdaExecutor::new(aws::client("http://127.0.0.1:1")).functions_by(|_| panic!("on purpose"));
    assert_refused(&panics, &note::intent(1), "panicked");
}

#[test]
fn a_text_that_names_no_function_is_refused() {
    for name in ["", "with space", "a/b", "ключ", &"x".repeat(257)] {
        assert_refused(&lambda().function("tests.note", name), &note::intent(1), "name");
    }
    let live = with(Options::new().extra("lambda", "qualifier", "live"));
    for name in [
        "notes",
        "my-function",
        "123456789012:function:notes",
        "function:notes",
        "arn:aws:lambda:eu-west-1:123456789012:function:notes",
    ] {
        let executor = lambda().function("tests.note", name);
        assert_eq!(executor.event(&live).unwrap().qualifier.as_deref(), Some("live"));
        assert_refused(&lambda().function("tests.note", format!("{name}:$LATEST")), &live, "keep one");
    }
}

#[test]
fn promise_06_an_event_that_is_too_large_keeps_all_of_them_in() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    let executor = executor(&server);
    let without = executor.event(&heavy::intent(1, String::new())).unwrap().payload.len();
    let most = "x".repeat(1024 * 1024 - without);
    let account = flush(airlock::scope().executor(executor.clone()), || {
        note::enqueue(1).unwrap();
        heavy::enqueue(1, format!("{most}x")).unwrap();
    });
    assert_eq!(account.count("dispatched"), 0);
    account.says("1048577 bytes");
    assert!(server.requests().is_empty());

    let account = flush(airlock::scope().executor(executor), || {
        heavy::enqueue(1, most).unwrap();
    });
    account.expect(&[("dispatched", 1)]);
}

#[test]
fn promise_17_options_of_the_attribute_are_refused_as_those_of_a_call_are() {
    #[airlock::task(name = "refusals.patient", delay = "5m")]
    fn patient();

    assert_refused(&lambda().function("refusals.patient", "notes"), &patient::intent(), "`delay`");
}
