//! The advice for library authors, from the application's side: a library enqueues into the application's scopes and
//! decides nothing.

use std::collections::BTreeSet;

use airlock::{BlockTasks, DropAll, EnqueueError, Outcome, Scope, Settings, registry, scope};
use airlock_fixture_library::{archive, issue, issue_all, outbox, remind, send_invoice};
use airlock_tests::recorder::Recorder;

use crate::settings::alone;

#[airlock::task(name = "library.confirm")]
fn confirm(order_id: u64) {
    let _ = order_id;
}

/// The application's code: some effects are its own, some the library's.
fn order(order_id: u64) -> Result<(), EnqueueError> {
    confirm::enqueue(order_id)?;
    issue(order_id, "DE02 1203")?;
    confirm::enqueue(order_id + 1)?;
    Ok(())
}

const ORDERED: [&str; 4] = [
    "library.confirm(order_id=1)",
    "fixture_library.archive(invoice_id=1)",
    "fixture_library.send_invoice(invoice_id=1, iban=***)",
    "library.confirm(order_id=2)",
];

#[test]
fn a_library_enqueues_into_the_application_s_scope_among_its_own_intents() {
    let recorder = Recorder::new();
    scope()
        .executor(recorder.clone())
        .run(|| -> airlock::Result<()> {
            order(1)?;
            let held: Vec<_> = Scope::current().unwrap().own_intents().iter().map(ToString::to_string).collect();
            assert_eq!(held, ORDERED);
            assert!(recorder.calls().is_empty());
            Ok(())
        })
        .unwrap();
    assert_eq!(recorder.calls(), ORDERED);
    assert!(outbox().is_empty(), "it is the application's executor that has them");
}

#[test]
fn what_a_library_enqueued_is_discarded_with_the_application_s_scope() {
    let recorder = Recorder::new();
    let ended = scope().executor(recorder.clone()).run_reported(|| {
        order(1).unwrap();
        Err::<(), _>("out of stock")
    });
    assert_eq!(ended.flush.unwrap().counts().discarded, 4);
    assert!(recorder.calls().is_empty() && outbox().is_empty());
}

#[test]
fn without_a_scope_the_library_hands_the_error_to_its_caller_and_does_nothing() {
    let error = issue(1, "DE02 1203").unwrap_err();
    let EnqueueError::NoScope { refused } = &error else { panic!("{error}") };
    assert_eq!(refused.intent().name(), "fixture_library.archive", "the first of the two");
    assert!(!error.to_string().contains("1203"), "{error}");
    assert!(matches!(issue_all(&[1, 2], "DE02 1203"), Err(EnqueueError::NoScope { .. })));
    assert!(outbox().is_empty());
}

#[test]
fn a_track_caller_library_function_shows_the_application_s_line_in_reports() {
    let line = line!() + 1;
    let ended = scope().policy(DropAll).run_reported(|| issue(1, "DE02 1203").map(drop));
    let report = ended.flush.unwrap();
    for entry in report.entries() {
        assert_eq!((entry.location().file(), entry.location().line()), ("tests/core/library.rs", line));
    }
    assert_eq!(report.entries().len(), 2);
}

#[test]
fn the_application_s_policies_name_the_library_s_tasks_by_type_or_by_name() {
    for policy in [BlockTasks::of::<send_invoice>(), BlockTasks::named(["fixture_library.send_invoice"]).unwrap()] {
        let recorder = Recorder::new();
        let ended = scope().executor(recorder.clone()).policy(policy).run_reported(|| order(1));
        let dropped: Vec<_> = ended
            .flush
            .unwrap()
            .entries()
            .iter()
            .filter_map(|entry| match entry.outcome() {
                Outcome::Dropped { policy } => Some(format!("{} by {policy}", entry.name())),
                _ => None,
            })
            .collect();
        assert_eq!(dropped, ["fixture_library.send_invoice by BlockTasks"]);
        assert_eq!(recorder.calls(), [ORDERED[0], ORDERED[1], ORDERED[3]]);
    }
}

#[test]
fn a_library_s_own_threads_enqueue_into_the_scope_it_carries_there() {
    let recorder = Recorder::new();
    scope()
        .executor(recorder.clone())
        .run(|| issue_all(&[1, 2, 3, 4], "DE02 1203").map_err(airlock::Error::from))
        .unwrap();
    let calls: BTreeSet<_> = recorder.calls().into_iter().collect();
    let expected: BTreeSet<_> = (1..=4)
        .flat_map(|id| {
            [
                format!("fixture_library.archive(invoice_id={id})"),
                format!("fixture_library.send_invoice(invoice_id={id}, iban=***)"),
            ]
        })
        .collect();
    assert_eq!(calls, expected);
    assert_eq!(recorder.calls().len(), 8, "each once");
}

#[test]
fn a_library_s_task_that_enqueues_has_a_scope_of_its_own_and_runs_by_name_as_inline() {
    scope().run(|| remind::enqueue(7, "DE02 1203".to_owned()).map(drop).map_err(airlock::Error::from)).unwrap();
    assert_eq!(outbox(), ["invoice 7 to be paid from DE02 1203"]);
    let arguments = serde_json::from_str(r#"{"invoice_id": 8, "iban": "x"}"#).unwrap();
    registry().invoke("fixture_library.remind", arguments).unwrap();
    assert_eq!(outbox(), ["invoice 8 to be paid from x"]);
    // Its own scope tells what went wrong in it.
    let failed = scope().run(|| remind::enqueue(0, "x".to_owned()).map(drop).map_err(airlock::Error::from));
    let error = failed.unwrap_err().to_string();
    assert!(error.contains("fixture_library.remind") && error.contains("there is no invoice 0"), "{error}");
    assert!(outbox().is_empty());
}

#[test]
fn the_library_s_tasks_are_in_the_registry_under_its_prefix_and_nothing_else_is() {
    registry().require(["fixture_library.archive", "fixture_library.remind", "fixture_library.send_invoice"]).unwrap();
    assert_eq!(registry().get("fixture_library.send").unwrap().name, "fixture_library.send_invoice", "its alias");
    let of_the_library: Vec<_> =
        registry().iter().filter(|task| task.module_path.starts_with("airlock_fixture_library")).collect();
    assert_eq!(of_the_library.len(), 3);
    for task in of_the_library {
        assert!(task.name.starts_with("fixture_library."), "{}", task.name);
        assert!(task.aliases.iter().all(|alias| alias.starts_with("fixture_library.")), "{:?}", task.aliases);
    }
}

#[test]
fn the_application_s_settings_rule_and_the_library_leaves_them_alone() {
    alone(|| {
        let recorder = Recorder::new();
        airlock::configure(Settings::new().executor(recorder.clone()));
        let before = format!("{:?}", airlock::configuration());
        scope().run(|| order(1).map_err(airlock::Error::from)).unwrap();
        assert_eq!(recorder.calls(), ORDERED);
        // The scope that the library opens takes them, too.
        remind(2, "x".to_owned()).unwrap();
        assert_eq!(recorder.calls()[4..], ["fixture_library.send_invoice(invoice_id=2, iban=***)"]);
        assert!(outbox().is_empty());
        assert_eq!(format!("{:?}", airlock::configuration()), before);
    });
}

#[test]
fn a_library_s_tasks_can_be_called_like_functions_and_then_nothing_is_enqueued() {
    let ended = scope().run_reported(|| {
        archive(3);
        send_invoice(3, "x".to_owned())
    });
    assert_eq!(ended.flush.unwrap().counts().enqueued, 0);
    assert_eq!(outbox(), ["invoice 3 archived", "invoice 3 to be paid from x"]);
}

/// An application that lists the library in its Cargo.toml and not airlock.
mod through_the_re_export {
    use airlock_fixture_library::airlock as relocked;

    #[relocked::task(name = "library.through", crate = ::airlock_fixture_library::airlock)]
    fn through(order_id: u64) {
        let _ = order_id;
    }

    #[relocked::scoped(crate = ::airlock_fixture_library::airlock)]
    fn checkout(order_id: u64) -> relocked::Result<()> {
        through::enqueue(order_id)?;
        airlock_fixture_library::issue(order_id, "x")?;
        Ok(())
    }

    #[test]
    fn the_re_exported_airlock_is_the_one_with_the_application_s_scopes_and_registry() {
        // A scope of the one, seen by the other.
        let ended = airlock::scope().policy(airlock::DropAll).run_reported(|| {
            assert!(relocked::Scope::current().is_some());
            checkout(5)
        });
        ended.result.unwrap();
        let report: relocked::FlushReport = ended.flush.unwrap();
        let names: Vec<_> = report.entries().iter().map(relocked::ReportEntry::name).collect();
        assert_eq!(names, ["library.through", "fixture_library.archive", "fixture_library.send_invoice"]);
        assert!(airlock::registry().get("library.through").is_some());
        checkout(6).unwrap();
        assert_eq!(airlock_fixture_library::outbox(), ["invoice 6 archived", "invoice 6 to be paid from x"]);
    }
}
