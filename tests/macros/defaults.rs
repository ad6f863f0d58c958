//! `#[default]`: messages written before a parameter was there still decode.

use std::sync::atomic::{AtomicU64, Ordering};

use airlock::{ArgumentError, Arguments, Dedupe, InlineExecutor, Intent, RegistryError, Scope, registry};
use airlock_tests::recorder::Recorder;

static MADE: AtomicU64 = AtomicU64::new(7);

#[airlock::task(name = "defaults.send", aliases = ["defaults.mail"])]
fn send(
    order_id: u64,
    #[default] express: bool,
    #[default = MADE.fetch_add(1, Ordering::SeqCst)] sequence: u64,
    #[redact]
    #[default = "hunter2".to_owned()]
    token: String,
) -> Result<(), String> {
    if order_id == 0 { Err(format!("{express} {sequence} {}", token.len())) } else { Ok(()) }
}

fn arguments(json: &str) -> Arguments {
    serde_json::from_str(json).unwrap()
}

/// What the task saw: it fails with it for order 0.
fn run(invoked: Result<(), RegistryError>) -> String {
    match invoked.unwrap_err() {
        RegistryError::Failed { source, .. } => std::error::Error::source(&source).unwrap().to_string(),
        other => other.to_string(),
    }
}

#[test]
fn an_older_message_without_the_parameter_decodes_by_name_by_position_and_under_an_old_name() {
    let seen = run(registry().invoke("defaults.send", arguments(r#"{"order_id": 0}"#)));
    assert!(seen.starts_with("false ") && seen.ends_with(" 7"), "{seen}");
    assert_eq!(run(registry().invoke("defaults.send", arguments("[0, true, 3]"))), "true 3 7");
    assert_eq!(run(registry().invoke("defaults.mail", arguments(r#"{"order_id": 0, "sequence": 1}"#))), "false 1 7");

    let message = r#"{"id": "0a0b0c0d-0102-4304-8506-0708090a0b0c", "task": "defaults.mail", "arguments": {"order_id": 5, "token": "t"}}"#;
    let intent = registry().decode(message).unwrap();
    let (order_id, express, sequence, token) = intent.args::<send>().unwrap();
    assert_eq!((*order_id, *express, token.as_str()), (5, false, "t"));
    assert!(*sequence >= 7, "the expression is evaluated for each message: {sequence}");
    assert_eq!(intent.name(), "defaults.send", "the task has been renamed, and the message finds it");
}

#[test]
fn an_older_message_goes_through_a_scope_as_any_other_intent() {
    let recorder = Recorder::new();
    let batch = |executor: Recorder| {
        airlock::scope().executor(executor).policy(Dedupe::new()).run(|| {
            let scope = Scope::current().unwrap();
            for json in [r#"{"order_id": 1, "sequence": 1}"#, "[1, false, 1]", "[2, true, 1]"] {
                scope.push(registry().intent("defaults.mail", arguments(json)).unwrap()).unwrap();
            }
        })
    };
    batch(recorder.clone()).unwrap();
    let sent = |n, express| format!("defaults.send(order_id={n}, express={express}, sequence=1, token=***)");
    assert_eq!(recorder.calls(), [sent(1, false), sent(2, true)], "equal once decoded, so the second is a duplicate");

    let checked = airlock::scope().executor(InlineExecutor::new().checked()).run_reported(|| {
        let scope = Scope::current().unwrap();
        scope.push(registry().intent("defaults.send", arguments("[3]")).unwrap()).map(drop)
    });
    assert_eq!(checked.flush.unwrap().counts().dispatched, 1);
}

#[test]
fn a_newer_message_with_an_unknown_parameter_is_refused_by_its_name() {
    let message = |task| {
        format!(
            r#"{{"id": "0a0b0c0d-0102-4304-8506-0708090a0b0c", "task": "{task}", "arguments": {{"order_id": 1, "colour": "canary"}}}}"#
        )
    };
    let errors = [
        registry().invoke("defaults.send", arguments(r#"{"order_id": 1, "colour": "canary"}"#)).unwrap_err(),
        registry().intent("defaults.mail", arguments(r#"{"order_id": 1, "colour": "canary"}"#)).unwrap_err(),
        registry().decode(&message("defaults.mail")).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            error.to_string(),
            "task `defaults.send` can't be called: there is no parameter `colour`; \
             the task takes `order_id`, `express`, `sequence`, `token`"
        );
    }
}

#[test]
fn a_parameter_without_a_default_is_still_required() {
    let error = registry().invoke("defaults.send", arguments(r#"{"express": true}"#)).unwrap_err();
    assert!(
        matches!(error, RegistryError::Arguments { error: ArgumentError::Missing { parameter: "order_id" }, .. }),
        "{error}"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_and_not_the_default() {
    let error = registry().invoke("defaults.send", arguments(r#"{"order_id": 1, "express": null}"#)).unwrap_err();
    assert!(error.to_string().contains("argument `express` is not a `bool`"), "{error}");
}

#[test]
fn the_definition_tells_the_defaults_as_written_and_no_redacted_one() {
    let defaults: Vec<_> = <send as airlock::Task>::definition().parameters.iter().map(|p| p.default).collect();
    let expected = [None, Some("Default::default()"), Some("MADE.fetch_add(1, Ordering::SeqCst)"), Some("***")];
    assert_eq!(defaults, expected);
}

#[test]
fn a_call_in_rust_gives_every_argument() {
    let intent: Intent = send::intent(1, true, 2, "t".to_owned());
    assert_eq!(intent.to_string(), "defaults.send(order_id=1, express=true, sequence=2, token=***)");
}
