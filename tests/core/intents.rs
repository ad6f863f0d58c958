//! Intents: their ids, their arguments, and what running one does with those.

use std::cell::RefCell;
use std::collections::HashSet;
use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use airlock::{DispatchErrorKind, Intent, IntentId, Options, Scope, Task};
use airlock_tests::recorder::Recorder;
use serde::{Deserialize, Serialize};

thread_local! {
    static RAN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn ran() -> Vec<String> {
    RAN.take()
}

#[airlock::task(name = "intents.send", queue = "mail")]
fn send(order_id: u64, #[redact] token: String, tags: Vec<String>) {
    RAN.with_borrow_mut(|ran| ran.push(format!("{order_id} {token} {tags:?}")));
}

#[airlock::task(name = "intents.same_types")]
fn same_types(order_id: u64, token: String, tags: Vec<String>) {
    let _ = (order_id, token, tags);
}

#[airlock::task(name = "intents.nothing")]
fn nothing() {}

#[airlock::task(name = "intents.later")]
async fn later(n: u32) -> Result<(), String> {
    tokio::task::yield_now().await;
    if n == 0 { Err("there is no 0".to_owned()) } else { Ok(()) }
}

#[airlock::task(name = "intents.elsewhere")]
fn elsewhere(n: u32);

fn sample() -> Intent {
    send::intent(42, "s3cret".to_owned(), vec!["a\"b".to_owned()])
}

// Ids.

#[test]
fn an_id_is_shown_as_a_lowercase_dashed_uuid_of_version_4() {
    for _ in 0..100 {
        let id = nothing::intent().id();
        let text = id.to_string();
        let parts: Vec<_> = text.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{text}");
        assert!(text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')), "{text}");
        assert!(parts[2].starts_with('4'), "{text}");
        assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{text}");
        assert_eq!(id.simple().to_string(), parts.concat());
        assert_eq!(format!("{:032x}", id.as_u128()), parts.concat());
        assert_eq!(format!("{id:?}"), format!("IntentId({text})"));
    }
}

#[test]
fn an_id_is_read_dashed_or_not_in_either_case_and_nothing_else_is() {
    let text = "0a0b0c0d-0102-4304-8506-0708090a0b0c";
    let id: IntentId = text.parse().unwrap();
    assert_eq!(id.as_u128(), 0x0a0b_0c0d_0102_4304_8506_0708_090a_0b0c);
    assert_eq!(text.to_uppercase().parse(), Ok(id));
    assert_eq!(text.replace('-', "").parse(), Ok(id));
    assert_eq!(id.to_string().parse(), Ok(id));
    let wrong = [
        "",
        "0a0b0c0d",
        "0a0b0c0d-0102-4304-8506-0708090a0b0",
        "0a0b0c0d-0102-4304-8506-0708090a0b0cc",
        "0a0b0c0d01-02-4304-8506-0708090a0b0c",
        "0a0b0c0d-0102-4304-8506-0708090a0b0g",
        "+a0b0c0d01024304850607080 90a0b0c",
        "0a0b0c0d-0102-4304-8506-0708090a0b\u{e9}",
        "{0a0b0c0d-0102-4304-8506-0708090a0b0c}",
        "0a0b-0c0d010243048506-070809-0a0b0c-",
    ];
    for text in wrong {
        let error = text.parse::<IntentId>().expect_err(text);
        assert_eq!(error.to_string(), "not an intent id; it is a UUID of 32 hex digits, dashed or not");
    }
}

#[test]
fn an_id_is_a_string_in_json() {
    let id = nothing::intent().id();
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json, format!("\"{id}\""));
    assert_eq!(serde_json::from_str::<IntentId>(&json).unwrap(), id);
    assert!(serde_json::from_str::<IntentId>("\"nonsense\"").is_err());
    assert!(serde_json::from_str::<IntentId>("7").is_err());
}

#[test]
fn ids_are_unique_across_threads_that_make_them_at_once() {
    const THREADS: usize = 16;
    const EACH: usize = 5_000;
    let barrier = Barrier::new(THREADS);
    let ids: Vec<IntentId> = std::thread::scope(|threads| {
        let make = || {
            barrier.wait();
            (0..EACH).map(|_| nothing::intent().id()).collect::<Vec<_>>()
        };
        let handles: Vec<_> = (0..THREADS).map(|_| threads.spawn(make)).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), THREADS * EACH);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), THREADS * EACH);
}

#[test]
fn the_id_that_enqueue_returns_is_the_one_that_is_dispatched() {
    let guard = airlock::scope().executor(Recorder::new()).enter();
    let ids = [nothing::enqueue().unwrap(), sample().id()];
    assert_eq!(guard.flush().unwrap().entries()[0].id(), ids[0]);
    assert_ne!(ids[0], ids[1]);
}

// Arguments and what is shown.

#[test]
fn arguments_are_typed_and_only_those_of_the_task_asked_for() {
    let intent = sample();
    assert_eq!(intent.args::<send>(), Some(&(42, "s3cret".to_owned(), vec!["a\"b".to_owned()])));
    assert_eq!(intent.args::<same_types>(), None, "the same types, and another task");
    assert_eq!(intent.args::<nothing>(), None);
    assert_eq!(nothing::intent().args::<nothing>(), Some(&()));
}

#[test]
fn display_is_the_call_with_redacted_values_hidden() {
    assert_eq!(sample().to_string(), r#"intents.send(order_id=42, token=***, tags=["a\"b"])"#);
    assert_eq!(nothing::intent().to_string(), "intents.nothing()");
}

#[test]
fn debug_shows_name_id_and_place_and_no_argument() {
    let intent = sample();
    let shown = format!("{intent:?}");
    let expected =
        format!(r#"Intent {{ name: "intents.send", id: {}, location: {}, .. }}"#, intent.id(), intent.location());
    assert_eq!(shown, expected);
}

#[test]
fn an_intent_knows_its_task_its_options_and_where_it_was_made() {
    let plain = sample();
    assert_eq!((plain.name(), plain.task().name), (send::NAME, "intents.send"));
    assert_eq!(plain.options().get_queue(), Some("mail"));
    assert_eq!((plain.origin(), plain.label()), (None, None));
    assert_eq!(plain.location().file(), "tests/core/intents.rs");

    let guard = airlock::scope().executor(Recorder::new()).enter();
    let line = line!() + 1;
    send::enqueue_with(Options::new().origin("GET /").label("hello"), 1, String::new(), vec![]).unwrap();
    let intents = guard.scope().intents();
    assert_eq!((intents[0].location().file(), intents[0].location().line()), (file!(), line));
    assert_eq!((intents[0].origin(), intents[0].label()), (Some("GET /"), Some("hello")));
    assert_eq!(intents[0].options().get_queue(), Some("mail"), "the task's, where the call says nothing");
    guard.discard();
}

#[test]
fn to_json_names_the_arguments_and_shows_the_real_values() {
    assert_eq!(sample().to_json().unwrap().get(), r#"{"order_id":42,"token":"s3cret","tags":["a\"b"]}"#);
    assert_eq!(nothing::intent().to_json().unwrap().get(), "{}");
}

#[test]
fn serialize_writes_the_documented_form() {
    let intent = sample();
    let expected = format!(
        r#"{{"id":"{}","task":"intents.send","arguments":{{"order_id":42,"token":"s3cret","tags":["a\"b"]}},"options":{{"queue":"mail"}},"location":"{}"}}"#,
        intent.id(),
        intent.location()
    );
    assert_eq!(serde_json::to_string(&intent).unwrap(), expected);
    let bare = nothing::intent();
    assert!(!serde_json::to_string(&bare).unwrap().contains("options"), "nothing is in force");
}

// Clones and moves.

/// Counts how often it is cloned.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counted {
    #[serde(skip)]
    clones: Arc<AtomicUsize>,
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::Relaxed);
        Self { clones: Arc::clone(&self.clones) }
    }
}

impl Counted {
    fn clones(&self) -> usize {
        self.clones.load(Ordering::Relaxed)
    }
}

#[airlock::task(name = "intents.counted")]
fn counted(value: Counted) {
    let _ = value;
}

#[test]
fn clones_of_an_intent_are_handles_of_one() {
    let value = Counted::default();
    let clones = Arc::clone(&value.clones);
    let intent = counted::intent(value);
    let copy = intent.clone();
    assert_eq!(intent.id(), copy.id());
    let address = |intent: &Intent| std::ptr::from_ref(intent.args::<counted>().unwrap());
    assert_eq!(address(&intent), address(&copy));
    assert_eq!(clones.load(Ordering::Relaxed), 0);
}

#[test]
fn the_last_handle_moves_its_arguments_into_the_task_and_others_clone_them() {
    let value = Counted::default();
    let watch = Counted { clones: Arc::clone(&value.clones) };
    let intent = counted::intent(value);
    let copy = intent.clone();
    copy.call().unwrap();
    assert_eq!(watch.clones(), 1);
    intent.call().unwrap();
    assert_eq!(watch.clones(), 1, "the last one moves");
}

#[test]
fn a_plain_run_moves_arguments_into_tasks_without_a_clone_and_a_reported_one_keeps_them() {
    let value = Counted::default();
    let watch = Counted { clones: Arc::clone(&value.clones) };
    airlock::scope().run(|| counted::enqueue(value).map(drop).unwrap()).unwrap();
    assert_eq!(watch.clones(), 0);
    let again = Counted { clones: Arc::clone(&watch.clones) };
    let ended = airlock::scope().run_reported(|| counted::enqueue(again).map(drop).unwrap());
    assert_eq!(watch.clones(), 1);
    assert!(ended.flush.unwrap().entries()[0].intent().is_some());
}

// Running.

#[tokio::test]
async fn call_runs_plain_tasks_and_call_async_runs_both() {
    sample().call().unwrap();
    sample().call_async().await.unwrap();
    assert_eq!(ran(), [r#"42 s3cret ["a\"b"]"#; 2]);
    later::intent(1).call_async().await.unwrap();
}

#[tokio::test]
async fn a_task_that_fails_tells_its_error_as_the_source() {
    let error = later::intent(0).call_async().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (DispatchErrorKind::TaskFailed, "the task failed"));
    assert_eq!(error.source().unwrap().to_string(), "there is no 0");
}

#[test]
fn promise_18_an_error_that_would_print_a_password_has_its_text_as_the_source_and_is_there_for_those_who_ask() {
    #[derive(Debug, thiserror::Error)]
    #[error("not sent")]
    struct NotSent(#[source] Url);

    #[derive(Debug, thiserror::Error)]
    #[error("no answer from {0}")]
    struct Url(&'static str);

    for (url, shown) in [("redis://me:secret@h/0", "redis://***@h/0"), ("redis://h/0", "redis://h/0")] {
        let error = airlock::DispatchError::unavailable(NotSent(Url(url)));
        let behind = error.source().unwrap();
        let texts = [behind.to_string(), behind.source().unwrap().to_string()];
        assert_eq!(texts, ["not sent".to_owned(), format!("no answer from {shown}")]);
        assert_eq!(behind.downcast_ref::<NotSent>().is_some(), url == shown);
        assert_eq!(error.get_ref().downcast_ref::<NotSent>().unwrap().0.0, url);
    }
}

#[tokio::test]
async fn what_cant_run_here_is_rejected_and_told_why() {
    let told = |error: airlock::DispatchError| (error.kind(), error.source().unwrap().to_string());
    let (kind, why) = told(later::intent(1).call().unwrap_err());
    assert_eq!(kind, DispatchErrorKind::Rejected);
    assert_eq!(why, "`intents.later` is an async task; use `call_async`, or `run_async` for the scope");
    for error in [elsewhere::intent(1).call(), elsewhere::intent(1).call_async().await] {
        let (kind, why) = told(error.unwrap_err());
        assert_eq!(kind, DispatchErrorKind::Rejected);
        assert!(why.starts_with("the task has no body in this program"), "{why}");
    }
}

#[test]
fn making_an_intent_enqueues_nothing() {
    let recorder = Recorder::new();
    let guard = airlock::scope().executor(recorder.clone()).enter();
    let intent = sample();
    assert!(guard.scope().intents().is_empty());
    guard.scope().push(intent).unwrap();
    guard.flush().unwrap();
    assert_eq!(recorder.calls().len(), 1);
    assert!(ran().is_empty());
}

#[test]
fn an_intent_tells_the_local_policies_around_it() {
    let recorder = Recorder::new();
    let guard = airlock::scope().policy(airlock::DropAll).executor(recorder.clone()).enter();
    airlock::policy(airlock::AllowAll)
        .run(|| airlock::policy(airlock::LogOnFlush::new()).run(nothing::enqueue))
        .unwrap();
    airlock::policy(airlock::DropAll).run(nothing::enqueue).unwrap();
    nothing::enqueue().unwrap();
    let intents = Scope::current().unwrap().intents();
    let names = |intent: &Intent| -> Vec<String> {
        intent.local_policies().iter().map(|policy| policy.name().to_owned()).collect()
    };
    assert_eq!(names(&intents[0]), ["LogOnFlush", "AllowAll"], "innermost first");
    assert_eq!(names(&intents[1]), ["DropAll"]);
    assert!(names(&intents[2]).is_empty(), "the scope's own policy is none of them");
    assert!(intents[0].passes_local_policies() && intents[2].passes_local_policies());
    assert!(!intents[1].passes_local_policies());
    guard.discard();
    assert!(recorder.calls().is_empty());
}
