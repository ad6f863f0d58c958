//! Options: how the attribute's and the call's come together, and which contradict each other.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airlock::{EnqueueError, MAX_PRIORITY, Options, OptionsError, Scope, When};
use airlock_tests::recorder::Recorder;

#[airlock::task(
    name = "options.full",
    queue = "slow",
    priority = 3,
    max_retries = 5,
    delay = "1m30s",
    expires = "2h",
    timeout = "90s"
)]
fn full() {}

#[airlock::task(name = "options.bare")]
fn bare() {}

const MINUTE: Duration = Duration::from_secs(60);

/// The options in force for a call.
fn in_force(enqueue: impl FnOnce() -> Result<airlock::IntentId, EnqueueError>) -> Options {
    let guard = airlock::scope().enter();
    enqueue().unwrap();
    let options = guard.scope().intents()[0].options().clone();
    guard.discard();
    options
}

#[test]
fn the_attribute_s_options_hold_for_every_call() {
    let options = in_force(full::enqueue);
    assert_eq!(options.get_queue(), Some("slow"));
    assert_eq!(options.get_priority(), Some(3));
    assert_eq!(options.get_max_retries(), Some(5));
    assert_eq!(options.get_start(), Some(When::In(Duration::from_secs(90))));
    assert_eq!(options.get_expiry(), Some(When::In(2 * 60 * MINUTE)));
    assert_eq!(options.get_timeout(), Some(Duration::from_secs(90)));
    assert_eq!((options.get_origin(), options.get_label()), (None, None));
    assert!(options.get_headers().is_empty() && options.get_extras().is_empty());
}

#[test]
fn a_call_s_options_override_the_attribute_s_one_by_one() {
    let options = in_force(|| full::enqueue_with(Options::new().queue("fast").priority(0)));
    assert_eq!((options.get_queue(), options.get_priority()), (Some("fast"), Some(0)));
    assert_eq!(options.get_max_retries(), Some(5), "what the call leaves out stays");

    let eta = UNIX_EPOCH + MINUTE;
    let call = Options::new().max_retries(0).eta(eta).expires_at(eta + MINUTE).timeout(MINUTE);
    let options = in_force(|| full::enqueue_with(call));
    assert_eq!(options.get_queue(), Some("slow"));
    assert_eq!(options.get_max_retries(), Some(0));
    assert_eq!(options.get_start(), Some(When::At(eta)), "a time replaces the attribute's delay");
    assert_eq!(options.get_expiry(), Some(When::At(eta + MINUTE)));
    assert_eq!(options.get_timeout(), Some(MINUTE));
}

#[test]
fn one_call_s_options_are_not_the_next_one_s() {
    in_force(|| full::enqueue_with(Options::new().queue("fast")));
    assert_eq!(in_force(full::enqueue).get_queue(), Some("slow"));
    assert_eq!(in_force(bare::enqueue).get_queue(), None);
}

#[test]
fn both_of_a_pair_are_an_error_at_the_call_in_either_order() {
    let now = SystemTime::now();
    let start = OptionsError::Both("delay", "eta");
    let expiry = OptionsError::Both("expires_in", "expires_at");
    let wrong = [
        (Options::new().delay(MINUTE).eta(now), &start),
        (Options::new().eta(now).delay(MINUTE), &start),
        (Options::new().expires_in(MINUTE).expires_at(now), &expiry),
        (Options::new().expires_at(now).expires_in(MINUTE), &expiry),
        (Options::new().delay(MINUTE).eta(now).eta(now), &start),
    ];
    let recorder = Recorder::new();
    let guard = airlock::scope().executor(recorder.clone()).enter();
    for (options, expected) in wrong {
        assert_eq!(options.check().as_ref(), Err(expected));
        let error = bare::enqueue_with(options).unwrap_err();
        assert!(matches!(error, EnqueueError::Options { .. }), "{error}");
        let text = error.to_string();
        assert!(text.starts_with("task `options.bare` can't be enqueued at tests/core/options.rs:"), "{text}");
        assert!(text.ends_with(&format!(": {expected}")), "{text}");
        // Handed back and pushed, it is the same error.
        let pushed = Scope::current().unwrap().push(error.into_intent()).unwrap_err();
        assert!(matches!(pushed, EnqueueError::Options { .. }), "{pushed}");
    }
    assert_eq!(start.to_string(), "`delay` and `eta` are both set; keep one");
    assert_eq!(guard.flush().unwrap().counts().enqueued, 0);
    assert!(recorder.calls().is_empty());
}

#[test]
fn the_same_of_a_pair_twice_is_the_last_one() {
    let options = Options::new().delay(MINUTE).delay(2 * MINUTE).expires_in(MINUTE).expires_in(3 * MINUTE);
    assert_eq!(options.check(), Ok(()));
    assert_eq!(options.get_start(), Some(When::In(2 * MINUTE)));
    assert_eq!(options.get_expiry(), Some(When::In(3 * MINUTE)));
}

#[test]
fn priority_goes_from_0_to_9_and_not_further() {
    assert_eq!(MAX_PRIORITY, 9);
    for priority in 0..=9 {
        assert_eq!(in_force(|| bare::enqueue_with(Options::new().priority(priority))).get_priority(), Some(priority));
    }
    let guard = airlock::scope().enter();
    let error = bare::enqueue_with(Options::new().priority(10)).unwrap_err().to_string();
    assert!(error.ends_with("priority 10 is out of range; use 0 to 9, higher is sooner"), "{error}");
    assert_eq!(guard.discard().counts().enqueued, 0);
}

#[test]
fn headers_and_extras_keep_their_order_and_the_same_key_replaces() {
    let options = Options::new()
        .header("tenant", "acme")
        .header("trace", "1")
        .header("tenant", "globex")
        .extra("celery", "ignore_result", true)
        .extra("dramatiq", "pipe", [1, 2])
        .extra("celery", "ignore_result", false);
    let options = in_force(|| full::enqueue_with(options));
    let headers: Vec<_> = options.get_headers().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, [("tenant", "globex"), ("trace", "1")]);
    let extras: Vec<_> =
        options.get_extras().iter().map(|extra| (extra.system(), extra.key(), extra.value().get())).collect();
    assert_eq!(extras, [("celery", "ignore_result", "false"), ("dramatiq", "pipe", "[1,2]")]);
}

#[test]
fn an_extra_without_a_json_form_is_an_error_that_names_it_and_not_its_value() {
    let options = Options::new().extra("celery", "weight", f64::NAN);
    assert_eq!(options.check(), Err(OptionsError::Extra("celery.weight".to_owned())));
    let guard = airlock::scope().enter();
    let error = bare::enqueue_with(options).unwrap_err().to_string();
    assert!(error.ends_with("the extra `celery.weight` has no JSON form"), "{error}");
    guard.discard();
}

#[test]
fn the_first_contradiction_is_the_one_that_is_told() {
    let options = Options::new().priority(99).delay(MINUTE).eta(UNIX_EPOCH);
    assert_eq!(options.check(), Err(OptionsError::Priority(99)));
}

#[test]
fn debug_names_headers_and_extras_and_shows_no_value_of_theirs() {
    let options = Options::new().header("authorization", "Bearer canary").extra("celery", "shadow", "canary");
    let told = format!("{options:?}");
    assert!(told.contains("authorization") && told.contains("celery.shadow"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}
