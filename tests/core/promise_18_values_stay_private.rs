//! Promise 18: argument values reach no log, error, report, `Debug` or tracing event. They show through `Intent`'s
//! `Display` and `Serialize`, and where somebody says `.with_arguments()`; redacted ones only through `Serialize` and
//! `to_json`.
//!
//! The tests send two values through everything that can go wrong and look for them in all that is said about it.

mod alive_and_lost;

use std::fmt::{Debug, Display};
use std::sync::{Arc, Mutex};

use airlock::{
    Arguments, AssertNoEffects, Batch, BlockTasks, BoxFuture, DispatchError, Ended, EnqueueError, Executor, FlushError,
    FlushReport, InlineExecutor, Intent, LogExecutor, LogOnFlush, Options, registry,
};
use airlock_tests::log::logged;
use airlock_tests::recorder::{Picky, Recorder, unavailable};
use serde::{Deserialize, Serialize, Serializer};

/// An ordinary argument.
const ORDINARY: &str = "canary-ordinary-5017";
/// An argument marked `#[redact]`.
const REDACTED: &str = "canary-redacted-8243";
/// An ordinary argument that is a number.
const NUMBER: u64 = 918_273_645_546_372_819;

#[airlock::task(name = "p18.send")]
fn send(to: String, #[redact] token: String, number: u64) {
    let _ = (to, token, number);
}

#[airlock::task(name = "p18.later")]
async fn later(to: String, #[redact] token: String) {
    let _ = (to, token);
}

#[airlock::task(name = "p18.fails")]
fn fails(to: String, #[redact] token: String) -> Result<(), &'static str> {
    let _ = (to, token);
    Err("it failed")
}

#[airlock::task(name = "p18.stubborn")]
fn stubborn(value: Stubborn, #[redact] token: Stubborn) {
    let _ = (value, token);
}

/// Refuses to be written or read, quoting itself.
#[derive(Debug, Clone)]
struct Stubborn(String);

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!("I am {} and stay", self.0)))
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("I can't be {text}")))
    }
}

/// Is written and not read.
#[derive(Debug, Clone)]
struct WriteOnly(String);

impl Serialize for WriteOnly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for WriteOnly {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stubborn::deserialize(deserializer).map(|Stubborn(text)| Self(text))
    }
}

#[airlock::task(name = "p18.write_only")]
fn write_only(value: WriteOnly, #[redact] token: WriteOnly) {
    let _ = (value, token);
}

fn enqueue() -> Result<airlock::IntentId, EnqueueError> {
    send::enqueue(ORDINARY.to_owned(), REDACTED.to_owned(), NUMBER)
}

fn intent() -> Intent {
    send::intent(ORDINARY.to_owned(), REDACTED.to_owned(), NUMBER)
}

/// All that was said, by who said it.
#[derive(Default)]
struct Said(Vec<(String, String)>);

impl Said {
    fn text(&mut self, who: &str, text: impl Into<String>) {
        self.0.push((who.to_owned(), text.into()));
    }

    fn debug(&mut self, who: &str, value: &impl Debug) {
        self.text(&format!("{who} {{:?}}"), format!("{value:?}"));
        self.text(&format!("{who} {{:#?}}"), format!("{value:#?}"));
    }

    fn shown(&mut self, who: &str, value: &(impl Debug + Display)) {
        self.debug(who, value);
        self.text(&format!("{who} {{}}"), value.to_string());
    }

    /// An error with all of its sources.
    fn error(&mut self, who: &str, error: &(dyn std::error::Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.shown(who, &error);
            next = error.source();
        }
    }

    fn report(&mut self, who: &str, report: &FlushReport) {
        self.shown(who, report);
        for entry in report.entries() {
            self.debug(who, entry);
            self.shown(who, entry.outcome());
        }
    }

    fn flush_error(&mut self, who: &str, error: &FlushError) {
        self.error(who, error);
        self.report(who, error.report());
        self.debug(who, &error.undispatched());
        for failure in error.unconfirmed().iter().chain(error.failed()) {
            self.shown(who, failure);
            self.error(who, &failure.error);
        }
    }

    fn enqueue_error(&mut self, who: &str, error: &EnqueueError) {
        self.error(who, error);
        self.debug(who, error.refused());
    }

    /// Nothing of it has a value in it, and there is something of it.
    fn assert_silent(&self, at_least: usize) {
        assert!(self.0.len() >= at_least, "only {} texts", self.0.len());
        for (who, text) in &self.0 {
            assert!(!text.is_empty() || who.starts_with("log"), "{who} said nothing");
            for canary in [ORDINARY, REDACTED, &NUMBER.to_string()] {
                assert!(!text.contains(canary), "{who} shows {canary}: {text}");
            }
        }
    }
}

// Nowhere.

#[test]
fn errors_of_enqueue_show_no_value() {
    let mut said = Said::default();
    let ((), log) = logged(|| {
        said.enqueue_error("no scope", &enqueue().unwrap_err());
        let asserting = airlock::scope().policy(AssertNoEffects).enter();
        said.enqueue_error("rejected", &enqueue().unwrap_err());
        asserting.discard();
        let blocking = airlock::scope().policy(BlockTasks::of::<send>().rejecting()).enter();
        said.enqueue_error("blocked", &enqueue().unwrap_err());
        let handle = blocking.scope();
        blocking.discard();
        let closed = airlock::scope().enter();
        let scope = closed.scope();
        closed.flush().unwrap();
        said.enqueue_error("closed", &scope.run(enqueue).unwrap_err());
        said.enqueue_error("rejected push", &handle.push(intent()).unwrap_err());
        let open = airlock::scope().enter();
        let (to, token) = (ORDINARY.to_owned(), REDACTED.to_owned());
        let options = Options::new().priority(77);
        said.enqueue_error("options", &send::enqueue_with(options, to, token, NUMBER).unwrap_err());
        let twice = intent();
        open.scope().push(twice.clone()).unwrap();
        said.enqueue_error("repeated", &open.scope().push(twice).unwrap_err());
        open.discard();
        let in_policy = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&in_policy);
        let enqueues = move |_: &Intent| {
            *slot.lock().unwrap() = enqueue().err();
            true
        };
        let scope = airlock::scope().policy(enqueues).executor(Recorder::new());
        scope.run(|| enqueue().map(drop).unwrap()).unwrap();
        said.enqueue_error("in policy", &in_policy.lock().unwrap().take().unwrap());
        said.error("wrapped", &airlock::Error::from(enqueue().unwrap_err()));
    });
    said.text("log", log);
    said.assert_silent(40);
}

/// Every way in which a hand-over goes wrong.
fn executors() -> Vec<(&'static str, Box<dyn Executor>)> {
    struct Custom(fn(Batch));

    impl Executor for Custom {
        fn name(&self) -> &str {
            "custom"
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            Box::pin(async { (self.0)(batch) })
        }
    }

    let picky = Picky { refuses: "p18.send", ..Picky::default() };
    vec![
        ("rejected", Box::new(|_: Intent| Err(DispatchError::rejected("bad queue")))),
        ("unavailable", Box::new(|_: Intent| Err(unavailable()))),
        ("unconfirmed", Box::new(|_: Intent| Err(DispatchError::unconfirmed("no answer")))),
        ("task failed", Box::new(|_: Intent| Err(DispatchError::task_failed("went wrong")))),
        ("refused", Box::new(picky)),
        ("nothing", Box::new(Custom(drop))),
        ("panics", Box::new(Custom(|_| panic!("out of sockets")))),
        ("unsettled", Box::new(Custom(|mut batch| drop(batch.begin())))),
        ("recorder", Box::new(Recorder::new())),
        ("log", Box::new(LogExecutor::new())),
        ("inline", Box::new(InlineExecutor::new())),
        ("checked", Box::new(InlineExecutor::new().checked())),
    ]
}

#[test]
fn flushes_that_fail_and_their_reports_and_logs_show_no_value() {
    let mut said = Said::default();
    for (name, executor) in executors() {
        let executor: Arc<dyn Executor> = Arc::from(executor);
        let flush = |said: &mut Said| {
            let scope = airlock::scope().policy(LogOnFlush::new()).executor(Arc::clone(&executor));
            said.debug(name, &scope);
            let ended: Ended<Result<(), EnqueueError>> = scope.run_reported(|| {
                enqueue()?;
                fails::enqueue(ORDINARY.to_owned(), REDACTED.to_owned())?;
                Ok(())
            });
            said.debug(name, &ended);
            ended.flush
        };
        let (ended, log) = logged(|| flush(&mut said));
        said.text(&format!("log of {name}"), log);
        match ended {
            Ok(report) => said.report(name, &report),
            Err(error) => {
                said.flush_error(name, &error);
                let ((), log) = logged(|| drop(error));
                assert!(log.contains("a flush error was dropped"), "{log}");
                said.text(&format!("log of dropping {name}"), log);
            }
        }
    }
    said.assert_silent(150);
}

#[test]
fn an_async_task_refused_inline_shows_no_value() {
    let mut said = Said::default();
    let scope = airlock::scope().executor(InlineExecutor::new());
    let ended = scope.run_reported(|| later::enqueue(ORDINARY.to_owned(), REDACTED.to_owned()).map(drop));
    let error = ended.flush.unwrap_err();
    said.flush_error("async", &error);
    drop(error.into_intents());
    said.assert_silent(5);
}

#[test]
fn values_that_refuse_their_encoding_in_their_own_words_are_not_quoted() {
    let mut said = Said::default();
    let value = || (Stubborn(ORDINARY.to_owned()), Stubborn(REDACTED.to_owned()));
    let checked = || airlock::scope().executor(InlineExecutor::new().checked());
    let enqueue_stubborn = || {
        let (value, token) = value();
        stubborn::enqueue(value, token).map(drop)
    };
    let error = checked().run_reported(enqueue_stubborn).flush.unwrap_err();
    said.flush_error("not written", &error);
    drop(error.into_intents());
    let enqueue_write_only =
        || write_only::enqueue(WriteOnly(ORDINARY.to_owned()), WriteOnly(REDACTED.to_owned())).map(drop);
    let error = checked().run_reported(enqueue_write_only).flush.unwrap_err();
    said.flush_error("not read", &error);
    drop(error.into_intents());

    let (value, token) = value();
    said.error("positional", &Arguments::new().positional(&value).unwrap_err());
    said.error("named", &Arguments::new().named("value", &token).unwrap_err());
    let intent = stubborn::intent(value, token);
    said.error("to_json", &intent.to_json().unwrap_err());
    said.error("serialize", &serde_json::to_string(&intent).unwrap_err());
    // Display has to say something, and the value's own words are not it.
    said.shown("display", &intent);
    said.assert_silent(20);
}

#[test]
fn wrong_arguments_and_messages_are_told_without_their_values() {
    let mut said = Said::default();
    let arguments = |json: String| serde_json::from_str::<Arguments>(&json).unwrap();
    let wrong = [
        format!(r#"["{ORDINARY}", "{REDACTED}", "{NUMBER}"]"#),
        format!(r#"[{NUMBER}, "{REDACTED}", {NUMBER}]"#),
        format!(r#"["{ORDINARY}", {{"inside": "{REDACTED}"}}, {NUMBER}]"#),
        format!(r#"["{ORDINARY}", ["{REDACTED}"], -{NUMBER}]"#),
        format!(r#"["{ORDINARY}", "{REDACTED}", {NUMBER}, "{ORDINARY}"]"#),
        format!(r#"{{"to": "{ORDINARY}", "token": "{REDACTED}", "nonsense": "{REDACTED}"}}"#),
        format!(r#"{{"to": "{ORDINARY}", "to": "{REDACTED}"}}"#),
        format!(r#"{{"token": "{REDACTED}"}}"#),
    ];
    for json in wrong {
        said.debug("arguments", &arguments(json.clone()));
        said.error("invoke", &registry().invoke("p18.send", arguments(json.clone())).unwrap_err());
        let id = intent().id();
        let message = format!(r#"{{"id":"{id}","task":"p18.send","arguments":{json}}}"#);
        said.error("decode", &registry().decode(&message).unwrap_err());
    }
    let stubborn = arguments(format!(r#"["{ORDINARY}", "{REDACTED}"]"#));
    said.error("stubborn", &registry().invoke("p18.stubborn", stubborn).unwrap_err());
    let messages = [
        format!(r#""{ORDINARY}""#),
        format!(r#"{{"id":"{ORDINARY}"}}"#),
        format!(r#"{{"task":["{ORDINARY}"]}}"#),
        format!(r#"{{"arguments":"{REDACTED}"}}"#),
        format!(r#"{{"options":{{"queue":["{REDACTED}"]}}}}"#),
        format!(r#"{{"options":{{"priority":{NUMBER}}}}}"#),
        format!(r#"{{"colour":"{REDACTED}"}}"#),
        format!(r#"{{"arguments":["{ORDINARY}", "{REDACTED}"#),
    ];
    for message in messages {
        said.error("message", &registry().decode(&message).unwrap_err());
    }
    said.assert_silent(50);
}
