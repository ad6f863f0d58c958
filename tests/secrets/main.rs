//! Promise 18, of what runs here: a password in a URL, a redacted argument and an ordinary one go through everything
//! that fails, logs and is printed, and all that is said is searched for them. The log is the whole process's, also of
//! other threads, so this has a binary of its own.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

#[cfg(all(feature = "django-q", feature = "huey", feature = "redis"))]
mod keys;
#[cfg(feature = "lambda")]
mod lambda;
#[cfg(all(feature = "amqp", feature = "celery"))]
mod rabbit;
#[cfg(all(feature = "celery", feature = "redis"))]
mod urls;
#[cfg(target_os = "linux")]
mod wiped;

use std::fmt::{Debug, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

use airlock::testing::{Expected, Fault, FaultExecutor, capture, drain, perform};
use airlock::{
    DispatchError, Executor, Fallback, InlineExecutor, Intent, LogExecutor, Options, Outcome, Rejection, Retry, Route,
    Settings, ThreadPoolExecutor, TokioExecutor, registry,
};
use airlock_tests::log::logged_everywhere;

const PASSWORD: &str = "canary-password-1309";
const REDACTED: &str = "canary-redacted-2718";
const ORDINARY: &str = "canary-ordinary-3141";
/// What this process has logged so far, from the first look on.
static LOG: LazyLock<Box<dyn Fn() -> String + Send + Sync>> = LazyLock::new(|| Box::new(logged_everywhere()));

const URL: &str = "no answer from redis://me:canary-password-1309@h/0: refused";

#[airlock::task(name = "secrets.send")]
fn send(to: String, #[redact] token: String) -> Result<(), &'static str> {
    let _ = (to, token);
    Err(URL)
}

#[airlock::task(name = "secrets.panics")]
fn panics(to: String, #[redact] token: String) {
    let _ = (to, token);
    panic!("{URL}");
}

airlock::register_executor!("secrets", |settings| {
    let url = settings.required::<String>("url")?;
    let fails = settings.optional::<bool>("fails")?;
    if fails == Some(true) {
        return Err(format!("no answer from {url}").into());
    }
    Ok(airlock::executor_fn(|_: Intent| Ok::<(), DispatchError>(())))
});

fn values() -> (String, String) {
    (ORDINARY.to_owned(), REDACTED.to_owned())
}

/// The error and all behind it, as reporters print them.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(|error| format!("{error} {error:?} {error:#?}\n")).collect()
}

/// An error with one behind it, in which the password is.
#[derive(Debug, thiserror::Error)]
#[error("not sent")]
struct NotSent(#[source] Behind);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Behind(&'static str);

/// One that only its `Debug` tells.
#[derive(Debug, thiserror::Error)]
#[error("not sent either")]
struct Quiet {
    #[allow(dead_code, reason = "it is printed by `Debug`")]
    to: &'static str,
}

fn enqueue() {
    let ((to, token), (also_to, also_token)) = (values(), values());
    send::enqueue(to, token).unwrap();
    panics::enqueue(also_to, also_token).unwrap();
}

fn expired() {
    let (to, token) = values();
    let options = Options::new().expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    send::enqueue_with(options, to, token).unwrap();
}

fn executors(told: &Arc<Mutex<String>>) -> Vec<Arc<dyn Executor>> {
    let sink = || {
        let told = Arc::clone(told);
        move |failure: airlock::Failure| writeln!(told.lock().unwrap(), "{failure} {failure:?} {failure:#?}").unwrap()
    };
    let faults = [Fault::Unavailable, Fault::Rejected, Fault::Unconfirmed, Fault::TaskFailed, Fault::Panics];
    let kinds: [fn(&'static str) -> DispatchError; 7] = [
        DispatchError::unavailable,
        DispatchError::rejected,
        DispatchError::unconfirmed,
        DispatchError::task_failed,
        |text| DispatchError::rejected(Rejection::new(text)),
        |text| DispatchError::rejected(NotSent(Behind(text))),
        |to| DispatchError::rejected(Quiet { to }),
    ];
    let mut all: Vec<Arc<dyn Executor>> = vec![
        Arc::new(InlineExecutor::new()),
        Arc::new(InlineExecutor::new().checked()),
        Arc::new(LogExecutor::new()),
        Arc::new(|_: Intent| -> Result<(), DispatchError> { panic!("{URL}") }),
        Arc::new(Retry::new(FaultExecutor::new().then(9, Fault::Unavailable))),
        Arc::new(FaultExecutor::new().refuses("secrets.send")),
        Arc::new(Route::new()),
        Arc::new(Fallback::new(
            |_: Intent| Err(DispatchError::unavailable(URL)),
            |_: Intent| Err(DispatchError::unavailable(URL)),
        )),
        Arc::new(ThreadPoolExecutor::new().on_error(sink())),
        Arc::new(TokioExecutor::new().on_error(sink())),
    ];
    all.extend(faults.map(|fault| Arc::new(FaultExecutor::new().then(1, fault)) as Arc<dyn Executor>));
    all.extend(kinds.map(|kind| Arc::new(move |_: Intent| Err(kind(URL))) as Arc<dyn Executor>));
    all
}

#[test]
fn promise_18_neither_passwords_nor_arguments_are_in_anything_that_is_said() {
    LazyLock::force(&LOG);
    let told = Arc::new(Mutex::new(String::new()));
    let say = |what: &dyn Debug| writeln!(told.lock().unwrap(), "{what:?} {what:#?}").unwrap();
    let shown = |what: String| told.lock().unwrap().push_str(&what);
    let lost = Arc::clone(&told);
    airlock::configure(
        Settings::new().on_lost(move |lost_ones| writeln!(lost.lock().unwrap(), "{lost_ones:?}").unwrap()),
    );

    let (to, token) = values();
    let error = send::enqueue(to, token).unwrap_err();
    say(&error);
    shown(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for executor in executors(&told) {
        for body in [enqueue, expired] {
            let scope = airlock::scope().executor(Arc::clone(&executor));
            say(&scope);
            let _inside = runtime.enter();
            match scope.run_reported(body).flush {
                Ok(report) => {
                    say(&report);
                    shown(report.to_string());
                }
                Err(error) => {
                    say(&error);
                    say(error.report());
                    shown(format!("{error} {} {:?}", error.report(), error.failed()));
                    shown(chain(&error));
                    error.failed().iter().chain(error.unconfirmed()).for_each(|failure| shown(chain(&failure.error)));
                    error.report().entries().iter().for_each(|entry| match entry.outcome() {
                        Outcome::Failed { error } | Outcome::Unconfirmed { error } => shown(chain(error)),
                        _ => {}
                    });
                    drop(error);
                }
            }
        }
    }
    say(&airlock::shutdown(airlock::Deadline::after(Duration::from_secs(10))));

    let captured = capture(|| {
        say(&airlock::Scope::current());
        enqueue();
    });
    say(&captured);
    let error = drain(&captured).unwrap_err();
    say(&error);
    shown(error.to_string());
    let error = perform::<send>(values()).unwrap_err();
    say(&error);
    shown(chain(&error));
    for arguments in [format!(r#"["{ORDINARY}", "{REDACTED}"]"#), format!(r#"[["{ORDINARY}"], {{"{REDACTED}": 1}}]"#)] {
        let error = registry().invoke("secrets.send", serde_json::from_str(&arguments).unwrap()).unwrap_err();
        say(&error);
        shown(chain(&error));
    }
    let error = registry().decode(&format!(r#"{{"task": "secrets.send", "args": ["{ORDINARY}"]}}"#)).unwrap_err();
    say(&error);
    shown(chain(&error));
    say(&Expected::of::<send>().field("to", ORDINARY).field("token", REDACTED));
    say(registry());
    say(&Options::new().queue("mail").header("token", REDACTED));

    let load = |text: String| Settings::loader().text("airlock.toml", text).without_variables().load();
    let table = format!("executor = \"secrets\"\n[secrets]\nurl = \"redis://me:{PASSWORD}@h/0\"\n");
    let error = load(table.clone() + "fails = true\n").unwrap_err();
    say(&error);
    shown(error.to_string());
    airlock::configure(load(table).unwrap());
    say(&airlock::configuration());
    shown(airlock::configuration().to_string());

    let told = told.lock().unwrap().clone() + &LOG();
    assert!(told.contains("secrets.send") && told.contains("accepted work did not end well"), "{told}");
    for canary in [PASSWORD, REDACTED, ORDINARY] {
        let line = told.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is shown");
    }
    // Only where it was asked for.
    let assertion = catch_unwind(AssertUnwindSafe(|| airlock::assert_enqueued!(captured, send { to: "else", .. })));
    let assertion = *assertion.unwrap_err().downcast::<String>().unwrap();
    for text in [captured.intents()[0].to_string(), assertion] {
        assert!(text.contains(ORDINARY) && !text.contains(REDACTED), "{text}");
    }
}
