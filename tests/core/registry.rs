//! The registry: tasks by name, calls by name, and messages back into intents.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use airlock::{Arguments, Options, Registry, RegistryError, Scope, registry};
use airlock_tests::recorder::Recorder;
use serde::{Deserialize, Serialize};

thread_local! {
    static RAN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn ran() -> Vec<String> {
    RAN.take()
}

fn run(what: String) {
    RAN.with_borrow_mut(|ran| ran.push(what));
}

#[airlock::task(name = "registry.send", aliases = ["registry.mail", "registry.post"])]
fn send(order_id: u64, express: bool, note: Option<String>) {
    run(format!("send {order_id} {express} {note:?}"));
}

#[airlock::task(name = "registry.nothing")]
fn nothing() {
    run("nothing".to_owned());
}

#[airlock::task(name = "registry.later")]
async fn later(n: u32) -> Result<(), String> {
    tokio::task::yield_now().await;
    run(format!("later {n}"));
    if n == 0 { Err("there is no 0".to_owned()) } else { Ok(()) }
}

#[airlock::task(name = "registry.elsewhere")]
fn elsewhere(n: u32);

/// Two functions of one name; where a program has two, both come from somewhere.
mod twins {
    pub(super) mod first {
        #[airlock::task(name = "registry.twin", aliases = ["registry.first"])]
        pub(in super::super) fn twin(n: u32) {
            super::super::run(format!("first {n}"));
        }
    }

    pub(super) mod second {
        #[airlock::task(name = "registry.twin")]
        pub(in super::super) fn twin(n: u32) {
            super::super::run(format!("second {n}"));
        }

        /// Its alias is the other one's name.
        #[airlock::task(name = "registry.third", aliases = ["registry.nothing_at_all", "registry.first"])]
        pub(in super::super) fn third() {}
    }
}

fn arguments(json: &str) -> Arguments {
    serde_json::from_str(json).unwrap()
}

// By name.

#[test]
fn tasks_are_found_by_name_and_by_alias() {
    for name in ["registry.send", "registry.mail", "registry.post"] {
        let task = registry().get(name).expect(name);
        assert_eq!((task.name, task.file), ("registry.send", "tests/core/registry.rs"));
        assert_eq!(
            task.parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>(),
            ["order_id", "express", "note"]
        );
        assert_eq!(task.parameters[2].type_name, "Option<String>");
    }
    assert!(registry().get("send").is_none());
    assert!(registry().get("registry.Send").is_none());
}

#[test]
fn all_tasks_are_there_sorted_by_name() {
    let names: Vec<_> = registry().iter().map(|task| task.name).collect();
    assert!(names.is_sorted());
    assert_eq!(names.iter().filter(|name| **name == "registry.send").count(), 1, "once, however many aliases");
    assert_eq!(names.iter().filter(|name| **name == "registry.twin").count(), 2, "both of those that share a name");
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_and_a_hint() {
    let error = registry().find("registry.snd").unwrap_err();
    let RegistryError::Unknown { name, nearest } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), nearest[0]), ("registry.snd", "registry.send"));
    let text = error.to_string();
    assert!(text.starts_with("there is no task `registry.snd`; did you mean `registry.send`"), "{text}");
    assert!(
        text.ends_with("; a crate that is only listed in Cargo.toml is not linked: write `use your_tasks as _;`"),
        "{text}"
    );
    // A swap of neighbours is one slip, not two.
    let swapped = registry().find("registry.sned").unwrap_err().to_string();
    assert!(swapped.contains("did you mean `registry.send`"), "{swapped}");
    let far = registry().find("xyz").unwrap_err().to_string();
    assert!(far.starts_with("there is no task `xyz`; a crate that"), "{far}");
}

#[test]
fn require_tells_the_first_name_that_is_missing() {
    registry().require(["registry.send", "registry.mail", "registry.later"]).unwrap();
    let error = registry().require(["registry.send", "registry.ltaer", "nonsense"]).unwrap_err();
    assert!(
        error.to_string().starts_with("there is no task `registry.ltaer`; did you mean `registry.later`"),
        "{error}"
    );
    assert!(matches!(registry().require(["registry.twin"]), Err(RegistryError::Duplicate { .. })));
}

// Duplicates.

#[test]
fn a_name_of_two_tasks_is_neither_and_the_error_names_both_with_their_places() {
    assert!(registry().get("registry.twin").is_none());
    let error = registry().find("registry.twin").unwrap_err();
    let RegistryError::Duplicate { name, tasks } = &error else { panic!("{error}") };
    assert_eq!(name, "registry.twin");
    assert!(tasks[0].line < tasks[1].line, "in the order of their places");
    let place = |module: &str, line: u32| {
        format!("`registry.twin` in `core::registry::twins::{module}` (tests/core/registry.rs:{line})")
    };
    let expected = format!(
        "the name `registry.twin` belongs to more than one task: {} and {}; rename all but one",
        place("first", tasks[0].line),
        place("second", tasks[1].line)
    );
    assert_eq!(error.to_string(), expected);
    assert!(registry().check().is_err());
}

#[test]
fn nothing_runs_under_a_name_of_two_and_other_names_keep_working() {
    let attempts = [
        registry().invoke("registry.twin", arguments("[1]")),
        registry().intent("registry.twin", arguments("[1]")).map(drop),
        registry().decode(&serde_json::to_string(&twins::first::twin::intent(1)).unwrap()).map(drop),
        // An alias of one that is an alias of another.
        registry().invoke("registry.first", arguments("[1]")),
    ];
    for attempt in attempts {
        assert!(matches!(attempt, Err(RegistryError::Duplicate { .. })), "{attempt:?}");
    }
    assert!(ran().is_empty());
    registry().invoke("registry.nothing_at_all", Arguments::new()).unwrap();
    registry().invoke("registry.nothing", Arguments::new()).unwrap();
    // Through the compiler there is no doubt which one is meant.
    airlock::scope().run(|| twins::second::twin::enqueue(2).map(drop).unwrap()).unwrap();
    assert_eq!(ran(), ["nothing", "second 2"]);
}

#[test]
fn a_task_that_is_added_twice_is_no_duplicate() {
    let twice = Registry::new().with::<send>().with::<nothing>().with::<send>();
    twice.check().unwrap();
    assert_eq!(twice.iter().count(), 2);
    assert!(twice.get("registry.mail").is_some());
}

// Explicit registries.

#[test]
fn an_explicit_registry_knows_only_its_tasks() {
    let few = Registry::new().with::<send>().with::<twins::first::twin>();
    assert_eq!(few.iter().map(|task| task.name).collect::<Vec<_>>(), ["registry.send", "registry.twin"]);
    assert_eq!(format!("{few:?}"), r#"{"registry.send", "registry.twin"}"#);
    few.check().unwrap();
    few.invoke("registry.twin", arguments("[1]")).unwrap();
    assert_eq!(ran(), ["first 1"]);
    assert!(matches!(few.find("registry.later"), Err(RegistryError::Unknown { .. })));
    let error = few.with::<twins::second::twin>().check().unwrap_err();
    assert!(error.to_string().starts_with("the name `registry.twin` belongs to more than one task: "), "{error}");
    assert_eq!(Registry::default().iter().count(), 0);
}

// Calls by name.

#[test]
fn arguments_are_taken_by_position_by_name_or_mixed() {
    let sent = "send 18446744073709551615 true Some(\"x\")";
    let all = [
        r#"[18446744073709551615, true, "x"]"#,
        r#"{"order_id": 18446744073709551615, "express": true, "note": "x"}"#,
        r#"{"note": "x", "express": true, "order_id": 18446744073709551615}"#,
    ];
    for json in all {
        registry().invoke("registry.send", arguments(json)).unwrap();
        assert_eq!(ran(), [sent], "{json}");
    }
    let mixed =
        Arguments::new().positional(&u64::MAX).unwrap().named("note", "x").unwrap().named("express", &true).unwrap();
    registry().invoke("registry.post", mixed).unwrap();
    assert_eq!(ran(), [sent]);
    registry().invoke("registry.send", arguments(r#"[1, false, null]"#)).unwrap();
    assert_eq!(ran(), ["send 1 false None"]);
    for empty in ["[]", "{}"] {
        registry().invoke("registry.nothing", arguments(empty)).unwrap();
    }
    assert_eq!(ran(), ["nothing", "nothing"]);
}

#[test]
fn arguments_that_do_not_fit_are_told_by_parameter_and_nothing_runs() {
    let prefix = "task `registry.send` can't be called: ";
    let wrong = [
        ("[1]", "argument `express` is missing"),
        ("[1, true]", "argument `note` is missing"),
        (r#"{"express": true, "note": null}"#, "argument `order_id` is missing"),
        (
            r#"{"order_id": 1, "express": true, "note": null, "colour": "red"}"#,
            "there is no parameter `colour`; the task takes `order_id`, `express`, `note`",
        ),
        (r#"[1, true, null, 4]"#, "4 positional arguments were given; the task takes 3"),
        (r#"{"order_id": 1, "order_id": 2, "express": true, "note": null}"#, "argument `order_id` is given twice"),
        (
            r#"["one", true, null]"#,
            "argument `order_id` is not a `u64`; the value has another type or shape (column 5 of the argument)",
        ),
        (
            r#"[1, "yes", null]"#,
            "argument `express` is not a `bool`; the value has another type or shape (column 5 of the argument)",
        ),
        (
            r#"[1, true, 5]"#,
            "argument `note` is not a `Option<String>`; the value has another type or shape (column 1 of the argument)",
        ),
        (
            r#"[-1, true, null]"#,
            "argument `order_id` is not a `u64`; the value has another type or shape (column 2 of the argument)",
        ),
        (
            r#"[1.0, true, null]"#,
            "argument `order_id` is not a `u64`; the value has another type or shape (column 3 of the argument)",
        ),
    ];
    for (json, expected) in wrong {
        let error = registry().invoke("registry.mail", arguments(json)).unwrap_err();
        assert_eq!(error.to_string(), format!("{prefix}{expected}"), "{json}");
    }
    let twice = Arguments::new().positional(&1).unwrap().named("order_id", &2).unwrap();
    let error = registry().invoke("registry.send", twice).unwrap_err();
    assert_eq!(error.to_string(), format!("{prefix}argument `order_id` is given twice"));
    let error = registry().invoke("registry.nothing", arguments(r#"{"a": 1}"#)).unwrap_err();
    assert!(error.to_string().ends_with("there is no parameter `a`; the task takes none"), "{error}");
    assert!(ran().is_empty());
}

#[tokio::test]
async fn invoke_async_runs_async_tasks_and_plain_ones_and_invoke_refuses_the_former() {
    let error = registry().invoke("registry.later", arguments("[1]")).unwrap_err();
    assert_eq!(error.to_string(), "task `registry.later` can't run here: it is an async task; use `invoke_async`");
    assert!(ran().is_empty());
    registry().invoke_async("registry.later", arguments(r#"{"n": 1}"#)).await.unwrap();
    registry().invoke_async("registry.nothing", Arguments::new()).await.unwrap();
    assert_eq!(ran(), ["later 1", "nothing"]);
}

#[tokio::test]
async fn a_task_that_fails_is_told_with_its_error_as_the_source() {
    let error = registry().invoke_async("registry.later", arguments("[0]")).await.unwrap_err();
    assert_eq!(error.to_string(), "task `registry.later` failed");
    let mut chain = Vec::new();
    let mut next = std::error::Error::source(&error);
    while let Some(source) = next {
        chain.push(source.to_string());
        next = source.source();
    }
    assert_eq!(chain, ["the task failed", "there is no 0"]);
}

#[tokio::test]
async fn a_task_without_a_body_cant_be_invoked() {
    let attempts = [
        registry().invoke("registry.elsewhere", arguments("[1]")),
        registry().invoke_async("registry.elsewhere", arguments("[1]")).await,
    ];
    for attempt in attempts {
        let text = attempt.unwrap_err().to_string();
        assert!(
            text.starts_with("task `registry.elsewhere` can't run here: the task has no body in this program"),
            "{text}"
        );
    }
}

#[test]
fn arguments_are_an_array_or_an_object_and_nothing_else() {
    for json in ["1", "\"x\"", "null", "true", "[1", "{\"a\"}", ""] {
        assert!(serde_json::from_str::<Arguments>(json).is_err(), "{json}");
    }
}

#[test]
fn an_intent_by_name_is_one_like_any_other() {
    let recorder = Recorder::new();
    let line = line!() + 1;
    let intent = registry().intent("registry.mail", arguments(r#"[7, false, null]"#)).unwrap();
    assert_eq!((intent.name(), intent.location().line()), ("registry.send", line));
    assert_eq!(intent.args::<send>(), Some(&(7, false, None)));
    airlock::scope()
        .executor(recorder.clone())
        .run(|| Scope::current().unwrap().push(intent).map(drop).unwrap())
        .unwrap();
    assert_eq!(recorder.calls(), ["registry.send(order_id=7, express=false, note=null)"]);
}

// Messages.

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Address {
    street: String,
    geo: (f64, f64),
}

#[airlock::task(name = "registry.rich", aliases = ["registry.poor"], queue = "slow", max_retries = 9)]
fn rich(addresses: BTreeMap<String, Option<Address>>, big: i128, text: String) {
    let _ = (addresses, big, text);
}

/// The options as they are serialised, values of headers and extras included.
fn options_of(intent: &airlock::Intent) -> serde_json::Value {
    serde_json::to_value(intent).unwrap()["options"].take()
}

#[test]
fn decode_is_the_inverse_of_serialize_with_the_same_id_arguments_and_options() {
    let address = Address { street: "Ærøvej \"1\"".to_owned(), geo: (-0.0, 1e-300) };
    let addresses = BTreeMap::from([("a".to_owned(), Some(address)), ("b".to_owned(), None)]);
    let options = Options::new()
        .queue("fast")
        .priority(9)
        .eta(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123))
        .expires_in(Duration::from_millis(1500))
        .timeout(Duration::from_secs(3))
        .origin("GET /")
        .label("hello")
        .header("tenant", "acme")
        .extra("celery", "ignore_result", true)
        .extra("huey", "context", BTreeMap::from([("a", u128::MAX)]));
    let guard = airlock::scope().enter();
    rich::enqueue_with(options, addresses, i128::MIN, "x".to_owned()).unwrap();
    rich::enqueue(BTreeMap::new(), 0, String::new()).unwrap();
    let intents = guard.scope().intents();
    guard.discard();
    for intent in intents {
        let message = serde_json::to_string(&intent).unwrap();
        let decoded = registry().decode(&message).unwrap();
        assert_eq!(decoded.id(), intent.id());
        assert_eq!(decoded.name(), "registry.rich");
        assert_eq!(decoded.args::<rich>(), intent.args::<rich>());
        assert_eq!(options_of(&decoded), options_of(&intent));
        // All but the place, which is where the message was read.
        let place = |message: &str| message.split_once(r#","location""#).unwrap().0.to_owned();
        assert_eq!(place(&serde_json::to_string(&decoded).unwrap()), place(&message));
    }
}

#[test]
fn a_decoded_intent_can_be_enqueued_and_a_message_may_use_an_alias_or_positions() {
    let id = "0a0b0c0d-0102-4304-8506-0708090a0b0c";
    let message = format!(r#" {{"arguments": [1, true, null], "task": "registry.mail", "id": "{id}"}}"#);
    let intent = registry().decode(&message).unwrap();
    assert_eq!(intent.id().to_string(), id);
    let recorder = Recorder::new();
    let scope = airlock::scope().executor(recorder.clone());
    scope.run(|| Scope::current().unwrap().push(intent).map(drop).unwrap()).unwrap();
    assert_eq!(recorder.calls(), ["registry.send(order_id=1, express=true, note=null)"]);
}

#[test]
fn what_a_message_leaves_out_is_the_task_s_own_and_what_it_says_counts() {
    let message = |options: &str| {
        let id = rich::intent(BTreeMap::new(), 0, String::new()).id();
        format!(r#"{{"id":"{id}","task":"registry.rich","arguments":[{{}},0,""]{options}}}"#)
    };
    let intent = registry().decode(&message("")).unwrap();
    assert_eq!((intent.options().get_queue(), intent.options().get_max_retries()), (Some("slow"), Some(9)));
    let intent = registry().decode(&message(r#","options":{"queue":"other"}"#)).unwrap();
    assert_eq!((intent.options().get_queue(), intent.options().get_max_retries()), (Some("other"), Some(9)));
}

#[test]
fn a_message_that_cant_be_read_is_told_by_field_and_never_by_value() {
    let message = |id: &str, task: &str, arguments: &str, rest: &str| {
        format!(r#"{{"id":{id},"task":{task},"arguments":{arguments}{rest}}}"#)
    };
    let id = r#""0a0b0c0d-0102-4304-8506-0708090a0b0c""#;
    let with = |rest: &str| message(id, r#""registry.nothing""#, "{}", rest);
    registry().decode(&with("")).unwrap();
    let wrong = [
        (String::new(), "the message is not a JSON object"),
        ("[1, 2]".to_owned(), "the message is not a JSON object"),
        (with("")[1..].to_owned(), "the message is not a JSON object"),
        (r#"{"task":"registry.nothing","arguments":{}}"#.to_owned(), "its field `id` is missing"),
        (format!(r#"{{"id":{id},"arguments":{{}}}}"#), "its field `task` is missing"),
        (format!(r#"{{"id":{id},"task":"registry.nothing"}}"#), "its field `arguments` is missing"),
        (message(r#""s3cret""#, r#""registry.nothing""#, "{}", ""), "its field `id` has another type or shape"),
        (message(id, "[\"s3cret\"]", "{}", ""), "its field `task` has another type or shape"),
        (message(id, r#""registry.nothing""#, "\"s3cret\"", ""), "its field `arguments` has another type or shape"),
        (with(r#","colour":"s3cret""#), "it has an unknown field `colour`"),
        (with(r#","options":"s3cret""#), "its field `options` is not a JSON object"),
        (with(r#","options":{"colour":"s3cret"}"#), "its options have an unknown field `colour`"),
        (with(r#","options":{"priority":"s3cret"}"#), "its field `priority` has another type or shape"),
        (
            with(r#","options":{"priority":10}"#),
            "its options are wrong: priority 10 is out of range; use 0 to 9, higher is sooner",
        ),
        (
            with(r#","options":{"delay_ms":1,"eta_ms":1}"#),
            "its options are wrong: `delay` and `eta` are both set; keep one",
        ),
        (with(r#","options":{"headers":["s3cret"]}"#), "its field `headers` has another type or shape"),
    ];
    for (text, expected) in wrong {
        let error = registry().decode(&text).unwrap_err();
        assert_eq!(error.to_string(), format!("the message can't be read: {expected}"), "{text}");
    }
    let error = registry().decode(&message(id, r#""registry.nothng""#, "{}", "")).unwrap_err();
    assert!(error.to_string().contains("did you mean `registry.nothing`"), "{error}");
    let error = registry().decode(&message(id, r#""registry.send""#, r#"["s3cret", true, null]"#, "")).unwrap_err();
    assert!(
        error.to_string().starts_with("task `registry.send` can't be called: argument `order_id` is not a `u64`"),
        "{error}"
    );
    assert!(!error.to_string().contains("s3cret"));
}
