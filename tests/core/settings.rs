//! What programs configure once, and what scopes make of it.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use airlock::{AllowAll, AlwaysFlush, DropAll, FlushOnSuccess, LogExecutor, OnFailure, ReleaseNested, Settings};
use airlock_tests::recorder::{Recorder, unavailable};

/// Runs a test's body in a process of its own: settings belong to the whole program, and the other tests are in it.
///
/// The process that `cargo test` started runs the one test again in a child, and the child runs the body.
pub(crate) fn alone<F: FnOnce()>(body: F) {
    const CHILD: &str = "AIRLOCK_TEST_ALONE";
    // The closure's own path: `core::module::test::{{closure}}`.
    let path = std::any::type_name::<F>();
    let test = path.split_once("::").and_then(|(_, path)| path.strip_suffix("::{{closure}}")).unwrap();
    if std::env::var(CHILD).is_ok_and(|child| child == test) {
        return body();
    }
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args([test, "--exact", "--nocapture"]).env(CHILD, test).output().unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{errors}");
    assert!(told.contains("1 passed"), "no test is called {test}: {told}");
}

#[airlock::task(name = "settings.note")]
fn note(n: u32) {
    let _ = n;
}

fn note_all(numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        note::enqueue(n).unwrap();
    }
}

#[test]
fn the_defaults_are_as_documented() {
    alone(|| {
        let shown = format!("{:?}", airlock::configuration());
        let expected = r#"Settings { policy: "AllowAll", executor: "inline", on_failure: Continue, deadline: None, timings: false, on_lost: false, .. }"#;
        assert_eq!(shown, expected);
        assert_eq!(format!("{:?}", Settings::default()), expected);
    });
}

#[test]
fn what_is_configured_is_what_new_scopes_use_until_it_is_reset() {
    alone(|| {
        let recorder = Recorder::new();
        airlock::configure(
            Settings::new()
                .executor(recorder.clone())
                .policy(|intent: &airlock::Intent| intent.args::<note>() != Some(&(2,))),
        );
        let ended = airlock::scope().run_reported(|| note_all(1..=3));
        assert_eq!(recorder.calls(), ["settings.note(n=1)", "settings.note(n=3)"]);
        assert_eq!(ended.flush.unwrap().executor(), Some("recorder"));

        airlock::reset_configuration();
        let ended = airlock::scope().run_reported(|| note_all(1..=3));
        let report = ended.flush.unwrap();
        assert_eq!((report.executor(), report.counts().dispatched), (Some("inline"), 3));
        assert_eq!(recorder.calls().len(), 2);
    });
}

#[test]
fn every_setting_reaches_the_scope() {
    alone(|| {
        airlock::configure(
            Settings::new()
                .executor(|intent: airlock::Intent| match intent.args::<note>() {
                    Some((1,)) => Err(airlock::DispatchError::rejected("one")),
                    _ => Ok(()),
                })
                .lifecycle(AlwaysFlush)
                .on_failure(OnFailure::FailFast)
                .timings(true),
        );
        let ended = airlock::scope().run_reported(|| {
            note_all([0, 1, 2]);
            Err::<(), _>("flushed all the same")
        });
        let error = ended.flush.unwrap_err();
        let counts = error.report().counts();
        assert_eq!((counts.dispatched, counts.failed, counts.unattempted), (1, 1, 1));
        let timed: Vec<_> = error.report().entries().iter().map(|entry| entry.time().is_some()).collect();
        assert_eq!(timed, [true, true, false]);
        drop(error.into_intents());
    });
}

#[test]
fn the_configured_deadline_ends_a_flush() {
    alone(|| {
        airlock::configure(Settings::new().deadline(Duration::ZERO).executor(Recorder::new()));
        let ended = airlock::scope().run_reported(|| note_all([0]));
        let error = ended.flush.unwrap_err();
        assert!(error.to_string().ends_with("unattempted: the deadline passed"), "{error}");
        drop(error.into_intents());

        // And the builder's own is the one that counts.
        let ended = airlock::scope().deadline(Duration::from_secs(60)).run_reported(|| note_all([0]));
        assert_eq!(ended.flush.unwrap().counts().dispatched, 1);
    });
}

#[test]
fn an_explicit_choice_beats_the_configured_one() {
    alone(|| {
        let (configured, explicit) = (Recorder::new(), Recorder::new());
        airlock::configure(
            Settings::new()
                .policy(DropAll)
                .executor(configured.clone())
                .lifecycle(AlwaysFlush)
                .on_failure(OnFailure::FailFast)
                .timings(true),
        );
        let builder = || airlock::scope().policy(AllowAll).executor(explicit.clone()).timings(false);
        let report = builder().run_reported(|| note_all([1])).flush.unwrap();
        assert_eq!((report.counts().dispatched, report.entries()[0].time()), (1, None));
        let failed = builder().lifecycle(FlushOnSuccess).run_reported(|| {
            note_all([2]);
            Err::<(), _>("no")
        });
        assert_eq!(failed.flush.unwrap().counts().discarded, 1);
        let sink = explicit.clone();
        let picky = move |intent: airlock::Intent| {
            sink.note(intent.to_string());
            if intent.args::<note>() == Some(&(3,)) { Err(airlock::DispatchError::rejected("three")) } else { Ok(()) }
        };
        let going_on = builder().executor(picky).on_failure(OnFailure::Continue).run_reported(|| note_all([3, 4]));
        assert_eq!(going_on.flush.unwrap_err().into_intents().len(), 1);
        assert_eq!(explicit.calls(), ["settings.note(n=1)", "settings.note(n=3)", "settings.note(n=4)"]);
        assert!(configured.calls().is_empty());
    });
}

#[test]
fn open_scopes_keep_the_settings_they_opened_with() {
    alone(|| {
        let (before, after) = (Recorder::new(), Recorder::new());
        let lost = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lost);
        airlock::configure(Settings::new().executor(before.clone()).on_lost(move |found| {
            sink.lock().unwrap().push(found.intents().len());
        }));
        let open = airlock::scope().enter();
        let failing =
            airlock::scope().lifecycle(ReleaseNested).executor(|_: airlock::Intent| Err(unavailable())).enter();
        airlock::configure(Settings::new().executor(after.clone()).policy(DropAll));

        // A scope opened now follows the new settings, inside the old ones or not.
        let report =
            std::thread::spawn(|| airlock::scope().run_reported(|| note_all([1])).flush.unwrap()).join().unwrap();
        assert_eq!(report.counts().dropped, 1);
        failing.discard();
        note_all([2]);
        airlock::reset_configuration();
        open.flush().unwrap();
        assert_eq!(before.calls(), ["settings.note(n=2)"]);
        assert!(after.calls().is_empty());
        assert!(lost.lock().unwrap().is_empty());
    });
}

#[test]
fn the_on_lost_hook_is_the_one_the_scope_opened_with() {
    alone(|| {
        let lost = Arc::new(Mutex::new(Vec::new()));
        let hook = |name: &'static str| {
            let sink = Arc::clone(&lost);
            Settings::new().on_lost(move |_| sink.lock().unwrap().push(name))
        };
        airlock::configure(hook("old"));
        let guard = airlock::scope().executor(|_: airlock::Intent| Err(unavailable())).enter();
        note_all([1]);
        airlock::configure(hook("new"));
        drop(guard.flush().unwrap_err());
        assert_eq!(*lost.lock().unwrap(), ["old"]);
    });
}

#[test]
fn a_changed_copy_of_the_configuration_changes_nothing_until_it_is_configured() {
    alone(|| {
        airlock::configure(Settings::new().deadline(Duration::from_secs(3)));
        let changed = airlock::configuration().executor(LogExecutor::new());
        assert!(format!("{:?}", airlock::configuration()).contains(r#"executor: "inline""#));
        airlock::configure(changed);
        let shown = format!("{:?}", airlock::configuration());
        assert!(shown.contains(r#"executor: "log""#) && shown.contains("deadline: Some(3s)"), "{shown}");
    });
}

#[test]
fn an_executor_may_look_at_the_settings_as_it_is_replaced() {
    struct LooksAsItGoes(Recorder);

    impl airlock::Executor for LooksAsItGoes {
        fn name(&self) -> &str {
            "looks as it goes"
        }

        fn dispatch<'a>(&'a self, batch: airlock::Batch) -> airlock::BoxFuture<'a, ()> {
            self.0.dispatch(batch)
        }
    }

    impl Drop for LooksAsItGoes {
        fn drop(&mut self) {
            self.0.note(format!("{:?}", airlock::configuration()));
        }
    }

    alone(|| {
        let recorder = Recorder::new();
        airlock::configure(Settings::new().executor(LooksAsItGoes(recorder.clone())));
        airlock::configure(Settings::new().executor(LogExecutor::new()));
        assert!(recorder.calls()[0].contains(r#"executor: "log""#), "{:?}", recorder.calls());
    });
}
