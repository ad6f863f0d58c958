//! Values in `Debug`, in logs of what is lost, and where they are asked for.

use std::sync::{Arc, Mutex};

use airlock::{AlwaysFlush, Batch, BoxFuture, Executor, Intent, LogExecutor, LogOnFlush, Rejection, Scope, Settings};
use airlock_tests::log::logged;
use airlock_tests::recorder::{Recorder, unavailable};

use super::{NUMBER, ORDINARY, REDACTED, Said, enqueue, intent};
use crate::settings::alone;

#[test]
fn everything_that_is_alive_shows_no_value_in_debug() {
    struct Holds(Arc<Mutex<Said>>);

    impl Executor for Holds {
        fn name(&self) -> &str {
            "holds"
        }

        fn accepts(&self, intent: &Intent, flush: &airlock::FlushContext) -> Result<(), Rejection> {
            let mut said = self.0.lock().unwrap();
            said.debug("intent", intent);
            said.debug("context", flush);
            Ok(())
        }

        fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                self.0.lock().unwrap().debug("batch", &batch);
                let begun = batch.begin().unwrap();
                self.0.lock().unwrap().debug("begun", &begun);
                let (_, ticket) = begun.into_parts();
                self.0.lock().unwrap().debug("ticket", &ticket);
                self.0.lock().unwrap().debug("rest of the batch", &batch);
                ticket.settle(Ok(()));
            })
        }
    }

    let said = Arc::new(Mutex::new(Said::default()));
    let guard = airlock::scope().executor(Holds(Arc::clone(&said))).enter();
    enqueue().unwrap();
    airlock::policy(LogOnFlush::new()).run(enqueue).unwrap();
    said.lock().unwrap().debug("guard", &guard);
    said.lock().unwrap().debug("scope", &Scope::current().unwrap());
    said.lock().unwrap().debug("intents", &guard.scope().intents());
    said.lock().unwrap().debug("definition", guard.scope().intents()[0].task());
    let sealed = guard.seal().unwrap();
    said.lock().unwrap().debug("sealed", &sealed);
    let error = sealed.dispatch().unwrap_err();
    said.lock().unwrap().flush_error("error", &error);
    drop(error.into_intents());
    said.lock().unwrap().assert_silent(25);
}

#[test]
fn what_is_dropped_is_logged_without_its_values() {
    let mut said = Said::default();
    let drops: [(&str, fn()); 4] = [
        ("guard", || {
            let guard = airlock::scope().enter();
            enqueue().unwrap();
            drop(guard);
        }),
        ("sealed", || {
            let guard = airlock::scope().enter();
            enqueue().unwrap();
            drop(guard.seal().unwrap());
        }),
        ("panic", || {
            let caught = std::panic::catch_unwind(|| {
                let _guard = airlock::scope().enter();
                enqueue().unwrap();
                panic!("in the body");
            });
            assert!(caught.is_err());
        }),
        ("flush error behind a body's", || {
            let scope = airlock::scope().lifecycle(AlwaysFlush).executor(|_: Intent| Err(unavailable()));
            let result = scope.run(|| -> airlock::Result<()> {
                enqueue()?;
                Err(airlock::Error::other("the body's own"))
            });
            assert_eq!(result.unwrap_err().to_string(), "the body's own");
        }),
    ];
    for (name, case) in drops {
        let ((), log) = logged(case);
        assert!(!log.is_empty(), "{name} is not silent");
        said.text(&format!("log of a dropped {name}"), log);
    }
    said.assert_silent(4);
}

#[test]
fn what_is_lost_shows_no_value_until_it_is_asked_for() {
    alone(|| {
        let said = Arc::new(Mutex::new(Said::default()));
        let sink = Arc::clone(&said);
        airlock::configure(Settings::new().on_lost(move |lost| {
            sink.lock().unwrap().debug("lost", &lost);
            assert!(lost.intents()[0].to_string().contains(ORDINARY));
        }));
        said.lock().unwrap().debug("settings", &airlock::configuration());
        let scope = airlock::scope().executor(|_: Intent| Err(unavailable()));
        let ((), log) = logged(|| drop(scope.run(|| enqueue().map(drop).unwrap())));
        let mut said = said.lock().unwrap();
        said.text("log", log);
        said.assert_silent(5);
    });
}

// Only here.

#[test]
fn display_shows_ordinary_values_and_serialize_shows_all() {
    let intent = intent();
    let shown = intent.to_string();
    assert_eq!(shown, format!(r#"p18.send(to="{ORDINARY}", token=***, number={NUMBER})"#));
    for text in [intent.to_json().unwrap().get().to_owned(), serde_json::to_string(&intent).unwrap()] {
        assert!(text.contains(ORDINARY) && text.contains(REDACTED) && text.contains(&NUMBER.to_string()), "{text}");
    }
}

#[test]
fn with_arguments_shows_ordinary_values_and_no_redacted_ones() {
    type Ask = fn() -> String;
    let asked: [(&str, Ask); 3] = [
        ("report", || {
            let scope = airlock::scope().executor(Recorder::new());
            let report = scope.run_reported(|| enqueue().map(drop)).flush.unwrap();
            report.with_arguments().to_string()
        }),
        ("log executor", || {
            let scope = airlock::scope().executor(LogExecutor::new().with_arguments());
            logged(|| scope.run(|| enqueue().map(drop).unwrap()).unwrap()).1
        }),
        ("log policy", || {
            let scope = airlock::scope().policy(LogOnFlush::new().with_arguments()).executor(Recorder::new());
            logged(|| scope.run(|| enqueue().map(drop).unwrap()).unwrap()).1
        }),
    ];
    for (who, ask) in asked {
        let text = ask();
        assert!(text.contains(&format!(r#"p18.send(to="{ORDINARY}", token=***, number={NUMBER})"#)), "{who}: {text}");
        assert!(!text.contains(REDACTED), "{who}: {text}");
    }
}

#[test]
fn a_failed_flush_shows_values_in_its_report_with_arguments_only() {
    let scope = airlock::scope().executor(|_: Intent| Err(unavailable()));
    let error = scope.run_reported(|| enqueue().map(drop)).flush.unwrap_err();
    let shown = error.report().with_arguments().to_string();
    assert!(shown.contains(ORDINARY) && !shown.contains(REDACTED), "{shown}");
    assert!(!error.report().to_string().contains(ORDINARY));
    drop(error.into_intents());
}
