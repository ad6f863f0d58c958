//! The other end: what a function gets runs the task, with the arguments that were given.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;

use airlock::{Intent, LambdaExecutor, RegistryError, invoke_event, invoke_event_async};
use airlock_tests::roundtrip::{Values, bits};
use airlock_tests::{aws, roundtrip};
use proptest::prelude::*;
use serde_json::value::RawValue;

/// What the tasks here were called with, by the intent's own encoding.
static RAN: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[airlock::task(name = "events.numbers")]
fn numbers(small: i64, large: u64, least: i128, most: u128, floats: Vec<f64>, single: f32) {
    ran(&numbers::intent(small, large, least, most, floats, single));
}

#[airlock::task(name = "events.texts", positional)]
fn texts(text: String, more: Vec<String>, named: BTreeMap<String, Option<String>>) {
    ran(&texts::intent(text, more, named));
}

#[airlock::task(name = "events.any")]
fn any(value: Box<RawValue>) {
    ran(&any::intent(value));
}

#[airlock::task(name = "events.none")]
fn none() {
    ran(&none::intent());
}

#[airlock::task(name = "events.later")]
async fn later(number: u64) {
    ran(&later::intent(number));
}

#[airlock::task(name = "events.fails")]
fn fails(#[redact] token: String) -> Result<(), String> {
    Err(format!("no, after {} bytes", token.len()))
}

fn ran(intent: &Intent) {
    RAN.lock().unwrap().push(format!("{} {}", intent.name(), intent.to_json().unwrap()));
}

fn matrix() -> Vec<Intent> {
    let odd = "héllo ☃ 😀 \u{0}\u{1}\u{7f}\u{2028} \"quoted\" back\\slash \r\n\t {{%s}}".to_owned();
    let named = BTreeMap::from([(String::new(), None), ("ключ".to_owned(), Some(odd.clone()))]);
    let floats = vec![0.0, -0.0, 1.0, 1.5, 1e16, 1e300, 5e-324, f64::MAX, f64::MIN, 0.1 + 0.2];
    let raw = |json: String| RawValue::from_string(json).unwrap();
    let deep = format!("{}null{}", "[".repeat(60), "]".repeat(60));
    vec![
        none::intent(),
        numbers::intent(i64::MIN, u64::MAX, i128::MIN, u128::MAX, floats, 0.1),
        numbers::intent(0, 0, -1, 1 << 64, Vec::new(), f32::MIN_POSITIVE),
        texts::intent(odd.clone(), vec![odd; 3], named),
        texts::intent("x☃".repeat(200_000), Vec::new(), BTreeMap::new()),
        any::intent(raw(deep)),
        any::intent(raw(format!("1{}", "0".repeat(4000)))),
        later::intent(7),
    ]
}

#[test]
fn what_the_executor_writes_runs_the_task_with_equal_arguments() {
    let executor = LambdaExecutor::new(aws::client("http://127.0.0.1:1")).functions_by(|_| Some("any".to_owned()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for intent in matrix() {
        RAN.lock().unwrap().clear();
        let payload = executor.event(&intent).unwrap().payload;
        let expected = format!("{} {}", intent.name(), intent.to_json().unwrap());
        runtime.block_on(invoke_event_async(&payload)).unwrap();
        if intent.name() != "events.later" {
            invoke_event(str::from_utf8(&payload).unwrap()).unwrap();
            invoke_event(payload).unwrap();
            assert_eq!(*RAN.lock().unwrap(), [&expected, &expected, &expected].map(String::clone));
        } else {
            assert_eq!(*RAN.lock().unwrap(), [expected]);
        }
    }
}

#[airlock::task(name = "events.values")]
fn values(values: Values, double: f64) {
    SEEN.with_borrow_mut(|seen| seen.push(format!("{} {double:?}", bits(&values))));
}

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promise_27_an_event_gives_back_every_value_to_the_bit(sent in roundtrip::values()) {
        let executor = LambdaExecutor::new(aws::client("http://127.0.0.1:1")).functions_by(|_| Some("any".to_owned()));
        let expected = format!("{} {:?}", bits(&sent), sent.double);
        let double = sent.double;
        let payload = executor.event(&values::intent(sent, double)).unwrap().payload;
        SEEN.take();
        invoke_event(&payload).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(invoke_event_async(payload)).unwrap();
        prop_assert_eq!(SEEN.take(), [expected.clone(), expected]);
    }
}

#[test]
fn mistakes_are_told_by_name_and_without_values() {
    for (event, says) in [
        ("", "the message can't be read: the event is not a JSON object"),
        ("[1]", "the message can't be read: the event is not a JSON object"),
        ("{}", "its field `task` is missing"),
        (r#"{"task":7}"#, "its field `task` has another type or shape"),
        (r#"{"task":"events.none","id":"canary"}"#, "its field `id` has another type or shape"),
        (r#"{"task":"events.none","args":{"a":1}}"#, "its field `args` is not an array"),
        (r#"{"task":"events.none","kwargs":["canary"]}"#, "its field `kwargs` is not an object"),
        (
            r#"{"task":"events.none","kwarg":{}}"#,
            "it has an unknown field `kwarg`; an event has `id`, `task`, `args` and `kwargs`",
        ),
        (r#"{"task":"events.nome"}"#, "there is no task `events.nome`; did you mean `events.none`"),
        (r#"{"task":"events.fails"}"#, "task `events.fails` can't be called: argument `token` is missing"),
        (r#"{"task":"events.fails","args":[["canary"]]}"#, "argument `token` is not a `String`"),
        (r#"{"task":"events.fails","args":["canary"],"kwargs":{"token":"x"}}"#, "argument `token` is given twice"),
        (r#"{"task":"events.none","args":["canary"]}"#, "1 positional arguments were given; the task takes 0"),
        (r#"{"task":"events.later","args":[1]}"#, "it is an async task; use `invoke_event_async`"),
        (r#"{"task":"tests.note","args":[1]}"#, "task `tests.note` can't run here"),
    ] {
        let error = invoke_event(event).unwrap_err();
        let told = error.to_string();
        assert!(told.contains(says), "{event}: {told}");
        assert!(!format!("{told} {error:?}").contains("canary"), "{event}: {error:?}");
    }
    assert!(invoke_event([0xff]).unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn a_task_that_fails_is_told_apart_with_its_error() {
    let error = invoke_event(r#"{"task":"events.fails","args":["secret"]}"#).unwrap_err();
    let RegistryError::Failed { task: "events.fails", source } = error else { panic!("{error:?}") };
    assert!(format!("{source:?}").contains("no, after 6 bytes"));
}
