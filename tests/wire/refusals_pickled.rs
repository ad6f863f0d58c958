//! What a Huey consumer or a cluster of Django-Q2 would drop, or end over: refused before it is sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::{BrokerUrlError, DjangoQExecutor, HueyExecutor, Intent, Options, SecretKey};

use crate::golden::now;
use crate::refusals::{DAY, raw, with};
use crate::tasks;

const SECOND: Duration = Duration::from_secs(1);

fn huey() -> HueyExecutor {
    HueyExecutor::new("redis://localhost").unwrap()
}

fn key() -> SecretKey {
    SecretKey::new("s3cret").unwrap()
}

fn django_q() -> DjangoQExecutor {
    DjangoQExecutor::new("redis://localhost", key()).unwrap()
}

/// Why each of the two refuses it, empty if it doesn't.
fn refusals(intent: &Intent) -> [String; 2] {
    [huey().message(intent, now()), django_q().message(intent, now())]
        .map(|answer| answer.err().map_or_else(String::new, |refusal| refusal.reason().to_owned()))
}

/// That both refuse it so, or accept it where nothing is expected.
#[track_caller]
fn refused(intent: &Intent, expected: [&str; 2]) {
    for (given, expected) in refusals(intent).iter().zip(expected) {
        assert!(given.contains(expected) && given.is_empty() == expected.is_empty(), "{given:?} for {expected:?}");
        let starts = given.is_empty()
            || given.starts_with(|first: char| !first.is_uppercase())
            || ["Huey", "Django-Q", "RedisHuey"].iter().any(|name| given.starts_with(name));
        assert!(starts && !given.ends_with('.') && (given.is_empty() || given.contains(';')), "{given}");
    }
}

#[test]
fn arguments_without_a_faithful_form() {
    refused(&tasks::float::intent(f64::NAN), ["a float that is not finite"; 2]);
    refused(&raw(&format!("{}{}", "[".repeat(65), "]".repeat(65))), ["nests deeper than 64 levels"; 2]);
    refused(&raw(&"9".repeat(4301)), ["more than 4300 digits"; 2]);
    refused(&raw("[1e999]"), ["larger than any float"; 2]);
    refused(&raw(r#""\ud800""#), ["half of a surrogate pair"; 2]);
    // Here there is no kombu, and no text that a message couldn't hold.
    refused(&tasks::typed::intent("uuid".to_owned(), 1), [""; 2]);
    refused(&raw("\"\\u0000\""), [""; 2]);
}

#[test]
fn messages_above_the_limit_and_none_at_it() {
    for intent in [raw(&format!("\"{}\"", "x".repeat(10_000))), raw(&format!("[{}0.1]", "1e9,".repeat(5_000)))] {
        let size = |message| match message {
            Ok(airlock::BrokerMessage::Redis(airlock::RedisMessage::PushLeft { body, .. })) => body.len(),
            Ok(airlock::BrokerMessage::Redis(airlock::RedisMessage::PushRight { body, .. })) => body.len(),
            other => panic!("{other:?}"),
        };
        let bytes = size(huey().message(&intent, now()));
        assert_eq!(size(huey().body_limit(bytes).message(&intent, now())), bytes);
        let refusal = huey().body_limit(bytes - 1).message(&intent, now()).unwrap_err();
        assert!(refusal.reason().starts_with(&format!("the message takes {bytes} bytes")), "{refusal}");
        let bytes = size(django_q().message(&intent, now()));
        assert_eq!(size(django_q().body_limit(bytes).message(&intent, now())), bytes);
        assert!(django_q().body_limit(bytes - 1).message(&intent, now()).is_err());
    }
}

#[test]
fn options_that_the_system_has_no_place_for() {
    refused(&with(Options::new().header("tenant", "acme")), ["no place for headers", "no place for headers"]);
    refused(&with(Options::new().priority(0)), ["RedisHuey has no priorities", "Django-Q has no priorities"]);
    refused(&with(Options::new().max_retries(3)), ["", "Django-Q has no `max_retries`"]);
    refused(&with(Options::new().expires_in(DAY)), ["", "Django-Q has no expiry"]);
    refused(&with(Options::new().delay(SECOND)), ["", "on Redis can't delay"]);
    refused(&with(Options::new().delay(Duration::ZERO)), ["", ""]);
    refused(&with(Options::new().timeout(SECOND)), ["Huey 2 has no time limits", ""]);
    refused(&with(Options::new().extra("huey", "retry_backoff", 2)), ["Huey 2 has no `retry_backoff`", ""]);
    let other = huey().consumer(4).message(&with(Options::new()), now()).unwrap_err();
    assert!(other.reason().starts_with("messages are written for Huey 2 and 3"), "{other}");
    assert!(huey().priorities().message(&with(Options::new().priority(9)), now()).is_ok());
    assert!(huey().default_priority(3).message(&with(Options::new()), now()).is_err());
    assert!(huey().priorities().default_priority(3).message(&with(Options::new()), now()).is_ok());
}

#[test]
fn times_that_pythons_calendar_or_timers_do_not_have() {
    let late = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
    refused(&with(Options::new().eta(late(253_402_300_799))), ["", "can't delay"]);
    refused(&with(Options::new().eta(late(253_402_300_800))), ["after the year 9999", "can't delay"]);
    refused(&with(Options::new().expires_at(late(1 << 60))), ["after the year 9999", "no expiry"]);
    refused(&with(Options::new().expires_at(SystemTime::UNIX_EPOCH - DAY)), ["", "no expiry"]);

    let limited = |timeout| with(Options::new().timeout(timeout));
    let huey = huey().consumer(3);
    for (timeout, fits, whole) in [
        (Duration::ZERO, false, false),
        (Duration::from_nanos(999), false, false),
        (Duration::from_millis(1500), true, false),
        (SECOND, true, true),
        (Duration::from_secs(i32::MAX as u64), true, true),
        (Duration::from_secs(1 << 31), false, false),
        (Duration::MAX, false, false),
    ] {
        assert_eq!(huey.message(&limited(timeout), now()).is_ok(), fits, "{timeout:?}");
        assert_eq!(django_q().message(&limited(timeout), now()).is_ok(), whole, "{timeout:?}");
    }

    let backoff = || Options::new().extra("huey", "retry_backoff", 2);
    for part in [backoff(), backoff().max_retries(3), backoff().extra("huey", "retry_delay", 1)] {
        let refusal = huey.message(&with(part), now()).unwrap_err();
        assert!(refusal.reason().starts_with("`retry_backoff` needs `retry_delay` and `max_retries`"), "{refusal}");
    }
    let retried = |delay: u64, backoff: u64, retries| {
        let options = Options::new().max_retries(retries).extra("huey", "retry_delay", delay);
        with(options.extra("huey", "retry_backoff", backoff))
    };
    assert!(huey.message(&retried(60, 2, 20), now()).is_ok());
    assert!(huey.message(&retried(1, 1, u32::MAX), now()).is_ok());
    for never in [retried(60, 2, 40), retried(1 << 40, 1, 1), retried(1, 1 << 50, u32::MAX)] {
        let refusal = huey.message(&never, now()).unwrap_err();
        assert!(refusal.reason().starts_with("its last retry would wait for more than ten years;"), "{refusal}");
    }
}

#[airlock::task]
fn bare();

#[airlock::task(name = "wire..hollow")]
fn hollow();

#[test]
fn names_that_no_worker_finds() {
    for intent in [bare::intent(), hollow::intent()] {
        refused(&intent, ["by module and name, as in `shop.tasks.send`"; 2]);
    }
    assert!(huey().task_prefix("shop.").message(&bare::intent(), now()).is_ok());
    assert!(django_q().task_prefix("shop.tasks.").message(&bare::intent(), now()).is_ok());
    assert!(django_q().task_prefix("x.".repeat(127)).message(&bare::intent(), now()).is_err());

    refused(&with(Options::new().queue("")), ["the queue's name is empty"; 2]);
    refused(&with(Options::new().queue("a\nb")), ["a control character"; 2]);
    refused(&with(Options::new().queue("büro-☃")), [""; 2]);
    refused(&with(Options::new().queue("☃-☃")), ["the queue has none", ""]);
    refused(&with(Options::new().queue("q".repeat(101))), ["", "101 characters and 100 are possible"]);
}

#[test]
fn extras_that_are_unknown_protected_or_of_another_kind() {
    let extra = |system: &'static str, key: &'static str, json: &str| {
        let value = serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
        with(Options::new().extra(system, key, value))
    };
    refused(&extra("huey", "retry_dealy", "1"), ["`huey` has no extra `retry_dealy`; it has `", ""]);
    refused(&extra("huey", "expires_resolved", "1"), ["use `expires_in` or `expires_at`", ""]);
    refused(&extra("huey", "retry_delay", "1.5"), ["a whole number of seconds, at least 0", ""]);
    refused(&extra("django_q", "gruop", "\"x\""), ["", "`django_q` has no extra `gruop`; it has `"]);
    refused(&extra("django_q", "cluster", "\"x\""), ["", "use `queue`"]);
    refused(&extra("django_q", "chain", "[]"), ["", "let it enqueue what follows"]);
    refused(&extra("django_q", "cached", "true"), ["", "a whole number of seconds, at least 0"]);
    refused(&extra("django_q", "save", "1"), ["", "give it true or false"]);
    refused(&extra("django_q", "hook", "\"print\""), ["", "finds functions by module"]);
    refused(&extra("django_q", "group", "\"a\\u0000\""), ["", "holds a NUL"]);
    refused(&extra("django_q", "group", &format!("\"{}\"", "x".repeat(101))), ["", "101 characters"]);
    refused(&with(Options::new().label("☃".repeat(100))), [""; 2]);
    refused(&with(Options::new().label("☃".repeat(101))), ["", "the label has 101 characters"]);
}

#[test]
fn a_broker_that_the_system_does_not_run_over_is_told_before_its_feature() {
    let refused = |error: BrokerUrlError| error.to_string();
    assert!(refused(HueyExecutor::new("amqp://localhost").unwrap_err()).starts_with("Huey doesn't run over this kind"));
    let error = DjangoQExecutor::new("amqp://me:hunter2@localhost", key()).unwrap_err();
    assert_eq!(error, BrokerUrlError::System("Django-Q"));
    assert!(!refused(error).contains("hunter2"));
}

/// A `SignedSerializer` takes none either.
#[test]
#[should_panic(expected = "the salt is empty, which no `SignedSerializer` takes")]
fn an_empty_salt_is_a_mistake() {
    drop(huey().salt(""));
}

#[test]
fn keys_are_in_no_text() {
    let (huey, django_q) = (huey().signed(key()), django_q());
    let message = django_q.message(&with(Options::new()), now()).unwrap();
    for text in [format!("{huey:?} {django_q:?} {message:?} {}", key()), format!("{:?}", key())] {
        assert!(!text.contains("s3cret"), "{text}");
    }
}
