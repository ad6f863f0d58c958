//! The executors of the core, and executors made of others.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use airlock::{
    Batch, BoxFuture, Deadline, DispatchError, Executor, FlushContext, FlushError, FlushMode, FlushReport,
    InlineExecutor, Intent, LogExecutor, Options, Rejection, ScopeBuilder, executor_fn,
};
use airlock_tests::log::logged;
use airlock_tests::recorder::{Picky, Recorder};
use serde::{Deserialize, Serialize};

thread_local! {
    static RAN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What the tasks on this thread did since the last look.
fn ran() -> Vec<String> {
    RAN.take()
}

fn run(what: impl Into<String>) {
    RAN.with_borrow_mut(|ran| ran.push(what.into()));
}

#[airlock::task(name = "exec.plain")]
fn plain(n: u32) {
    run(format!("plain {n}"));
}

#[airlock::task(name = "exec.later")]
async fn later(n: u32) {
    tokio::task::yield_now().await;
    run(format!("later {n}"));
}

#[airlock::task(name = "exec.elsewhere")]
fn elsewhere(n: u32);

#[airlock::task(name = "exec.local", local)]
fn local(n: u32) {
    run(format!("local {n}"));
}

#[airlock::task(name = "exec.local_later", local)]
async fn local_later(n: u32) {
    tokio::task::yield_now().await;
    run(format!("local later {n}"));
}

fn flush(scope: ScopeBuilder, body: impl FnOnce() -> airlock::Result<()>) -> Result<FlushReport, FlushError> {
    let ended = scope.run_reported(body);
    ended.result.unwrap();
    ended.flush
}

// Inline.

#[test]
fn the_default_runs_plain_tasks_in_order_at_the_end() {
    let report = flush(airlock::scope(), || {
        plain::enqueue(1)?;
        plain::enqueue(2)?;
        assert!(ran().is_empty());
        Ok(())
    });
    assert_eq!(ran(), ["plain 1", "plain 2"]);
    assert_eq!(report.unwrap().executor(), Some("inline"));
}

#[tokio::test]
async fn an_awaited_flush_runs_plain_and_async_tasks_one_after_the_other() {
    let body = async {
        later::enqueue(1).unwrap();
        plain::enqueue(2).unwrap();
        later::enqueue(3).unwrap();
    };
    airlock::scope().run_async(body).await.unwrap();
    assert_eq!(ran(), ["later 1", "plain 2", "later 3"]);
}

#[test]
fn an_async_task_in_a_sync_flush_is_refused_before_anything_runs_and_the_message_says_what_to_do() {
    let error = flush(airlock::scope(), || {
        plain::enqueue(1)?;
        later::enqueue(2)?;
        Ok(())
    });
    let error = error.unwrap_err();
    assert!(ran().is_empty());
    let text = error.to_string();
    assert!(text.contains("; exec.later (tests/core/executors.rs:"), "{text}");
    assert!(
        text.contains(
            "rejected: it is an async task, and this flush is not awaited; use `run_async` or another executor"
        ),
        "{text}"
    );
    assert_eq!(error.into_intents().len(), 2);
}

#[test]
fn a_task_without_a_body_is_refused_inline_before_anything_runs_and_sent_by_others() {
    let body = || {
        plain::enqueue(1)?;
        elsewhere::enqueue(2)?;
        Ok(())
    };
    let error = flush(airlock::scope(), body).unwrap_err();
    assert!(ran().is_empty());
    let text = error.to_string();
    assert!(
        text.ends_with("rejected: it has no body in this program; give the scope an executor that sends it"),
        "{text}"
    );
    let recorder = Recorder::new();
    error.dispatch(&recorder).unwrap();
    assert_eq!(recorder.calls(), ["exec.plain(n=1)", "exec.elsewhere(n=2)"]);
}

#[test]
fn all_that_is_refused_is_told_at_once() {
    let error = flush(airlock::scope(), || {
        later::enqueue(1)?;
        plain::enqueue(2)?;
        elsewhere::enqueue(3)?;
        Ok(())
    });
    let error = error.unwrap_err();
    let outcomes: Vec<_> = error.report().entries().iter().map(|entry| entry.outcome().to_string()).collect();
    assert!(outcomes[0].starts_with("rejected: it is an async task"), "{outcomes:?}");
    assert_eq!(outcomes[1], "unattempted: another intent of this flush was refused");
    assert!(outcomes[2].starts_with("rejected: it has no body"), "{outcomes:?}");
    drop(error.into_intents());
}

#[test]
fn inline_ignores_when_and_where_a_task_should_run() {
    let options = Options::new().delay(Duration::from_secs(3600)).queue("slow").priority(1).max_retries(3);
    flush(airlock::scope(), || Ok(plain::enqueue_with(options, 1).map(drop)?)).unwrap();
    assert_eq!(ran(), ["plain 1"]);
}

/// Loses half of itself on the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Lossy {
    kept: u8,
    #[serde(skip)]
    lost: u8,
}

/// Can be written and not read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type")]
enum OneWay {
    #[serde(skip_deserializing)]
    Out { secret: String },
}

#[airlock::task(name = "exec.lossy")]
fn lossy(value: Lossy) {
    run(format!("{} {}", value.kept, value.lost));
}

#[airlock::task(name = "exec.one_way")]
fn one_way(n: u8, value: OneWay) {
    let _ = (n, value);
    run("one way");
}

#[airlock::task(name = "exec.float")]
fn float(x: f64) {
    run(format!("float {x}"));
}

#[test]
fn unchecked_arguments_move_as_they_are_and_checked_ones_go_through_their_encoding() {
    let body = || Ok(lossy::enqueue(Lossy { kept: 1, lost: 2 }).map(drop)?);
    flush(airlock::scope(), body).unwrap();
    assert_eq!(ran(), ["1 2"]);
    let report = flush(airlock::scope().executor(InlineExecutor::new().checked()), body).unwrap();
    assert_eq!(ran(), ["1 0"]);
    assert_eq!(report.executor(), Some("inline (checked)"));
}

#[test]
fn checked_refuses_what_does_not_survive_its_encoding_before_anything_runs() {
    let checked = || airlock::scope().executor(InlineExecutor::new().checked());
    let error = flush(checked(), || {
        plain::enqueue(1)?;
        one_way::enqueue(2, OneWay::Out { secret: "s3cret".to_owned() })?;
        float::enqueue(f64::NAN)?;
        Ok(())
    });
    let error = error.unwrap_err();
    assert!(ran().is_empty());
    let outcomes: Vec<_> = error.report().entries().iter().map(|entry| entry.outcome().to_string()).collect();
    assert!(outcomes[1].starts_with("rejected: argument `value` is not a `OneWay`; "), "{outcomes:?}");
    assert!(outcomes[2].starts_with("rejected: argument `x` can't be encoded: a float"), "{outcomes:?}");
    assert!(!outcomes.concat().contains("s3cret"));
    // Unchecked, both run.
    error.dispatch(&InlineExecutor::new()).unwrap();
    assert_eq!(ran(), ["plain 1", "one way", "float NaN"]);
}

#[tokio::test]
async fn checked_runs_async_tasks_and_keeps_the_intent_of_a_task_that_failed() {
    #[airlock::task(name = "exec.fails")]
    fn fails(n: u32) -> Result<(), String> {
        Err(format!("not {n}"))
    }

    let scope = airlock::scope().executor(InlineExecutor::new().checked());
    let body = async {
        later::enqueue(1).unwrap();
        fails::enqueue(2).unwrap();
    };
    let ended = scope.run_reported_async(body).await;
    assert_eq!(ran(), ["later 1"]);
    let error = ended.flush.unwrap_err();
    assert_eq!(error.failed()[0].intent.as_ref().and_then(|intent| intent.args::<fails>()), Some(&(2,)));
}

// Local tasks.

#[test]
fn local_tasks_run_here_after_the_rest_is_handed_over() {
    let recorder = Recorder::new();
    let sink = recorder.clone();
    let executor = move |intent: Intent| -> Result<(), DispatchError> {
        assert!(RAN.with_borrow(Vec::is_empty), "the rest comes first");
        sink.note(intent.to_string());
        Ok(())
    };
    let report = flush(airlock::scope().executor(executor), || {
        local::enqueue(1)?;
        plain::enqueue(2)?;
        local::enqueue(3)?;
        plain::enqueue(4)?;
        Ok(())
    });
    assert_eq!(recorder.calls(), ["exec.plain(n=2)", "exec.plain(n=4)"]);
    assert_eq!(ran(), ["local 1", "local 3"]);
    let report = report.unwrap();
    assert_eq!(report.counts().dispatched, 4);
    assert_eq!(report.executor(), Some("closure, then inline"));
}

#[test]
fn inline_keeps_local_tasks_in_their_place() {
    flush(airlock::scope(), || {
        local::enqueue(1)?;
        plain::enqueue(2)?;
        local::enqueue(3)?;
        Ok(())
    })
    .unwrap();
    assert_eq!(ran(), ["local 1", "plain 2", "local 3"]);
}

#[test]
fn a_local_task_that_cant_run_here_is_refused_before_anything_is_handed_over() {
    let recorder = Recorder::new();
    let body = || {
        plain::enqueue(1)?;
        local_later::enqueue(2)?;
        Ok(())
    };
    let error = flush(airlock::scope().executor(recorder.clone()), body).unwrap_err();
    assert!(recorder.calls().is_empty());
    assert!(error.to_string().contains("exec.local_later"), "{error}");
    futures::executor::block_on(error.dispatch_async(&recorder)).unwrap();
    assert_eq!(recorder.calls(), ["exec.plain(n=1)"]);
    assert_eq!(ran(), ["local later 2"]);
}

#[test]
fn an_executor_is_not_asked_about_local_tasks() {
    let picky = Picky { refuses: "exec.local", ..Picky::default() };
    flush(airlock::scope().executor(picky.clone()), || Ok(local::enqueue(1).map(drop)?)).unwrap();
    assert_eq!(ran(), ["local 1"]);
    assert!(picky.recorder.calls().is_empty());
}

// Log.

#[test]
fn a_dry_run_logs_and_runs_nothing_not_even_local_tasks() {
    let (report, log) = logged(|| {
        flush(airlock::scope().executor(LogExecutor::new()), || {
            plain::enqueue(47110815)?;
            local::enqueue(2)?;
            later::enqueue(3)?;
            elsewhere::enqueue(4)?;
            Ok(())
        })
    });
    let report = report.unwrap();
    assert!(ran().is_empty());
    assert_eq!((report.counts().dispatched, report.executor()), (4, Some("log")));
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    let id = report.entries()[0].id().to_string();
    for part in ["INFO", "would dispatch", "exec.plain", &id, "tests/core/executors.rs:"] {
        assert!(lines[0].contains(part), "{part}: {log}");
    }
    assert!(!log.contains("47110815"), "{log}");
}

#[test]
fn a_dry_run_shows_arguments_on_request() {
    let executor = LogExecutor::new().with_arguments();
    let (report, log) =
        logged(|| flush(airlock::scope().executor(executor), || Ok(plain::enqueue(47110815).map(drop)?)));
    report.unwrap();
    assert!(log.contains("call=exec.plain(n=47110815)"), "{log}");
}

// Closures and compositions.

#[test]
fn a_closure_gets_each_intent_by_value_and_may_run_it() {
    let executor = executor_fn(|intent| intent.call());
    assert_eq!(executor.name(), "closure");
    flush(airlock::scope().executor(executor), || Ok(plain::enqueue(1).map(drop)?)).unwrap();
    assert_eq!(ran(), ["plain 1"]);
}

#[test]
fn shared_and_boxed_executors_are_the_executor_in_them() {
    let picky = || Picky { refuses: "exec.plain", ..Picky::default() };
    let recorder = Recorder::new();
    let all: [Arc<dyn Executor>; 4] = [
        Arc::new(picky()),
        Arc::new(Arc::new(picky())),
        Arc::new(Box::new(picky()) as Box<dyn Executor>),
        Arc::new(Arc::new(picky()) as Arc<dyn Executor>),
    ];
    for executor in all {
        assert_eq!(executor.name(), "picky");
        let error = flush(airlock::scope().executor(executor), || Ok(plain::enqueue(1).map(drop)?)).unwrap_err();
        assert!(error.to_string().ends_with("rejected: not this one"), "`accepts` is passed on: {error}");
        drop(error.into_intents());
    }
    for executor in [Box::new(recorder.clone()) as Box<dyn Executor>, Box::new(Arc::new(recorder.clone()))] {
        flush(airlock::scope().executor(executor), || Ok(plain::enqueue(1).map(drop)?)).unwrap();
    }
    assert_eq!(recorder.calls().len(), 2);
}

#[test]
fn a_shared_inline_executor_stays_inline() {
    for executor in [
        Arc::new(InlineExecutor::new()) as Arc<dyn Executor>,
        Arc::new(Box::new(InlineExecutor::new()) as Box<dyn Executor>),
    ] {
        let report = flush(airlock::scope().executor(executor), || {
            local::enqueue(1)?;
            plain::enqueue(2)?;
            Ok(())
        });
        assert_eq!(ran(), ["local 1", "plain 2"], "local tasks keep their place");
        assert_eq!(report.unwrap().executor(), Some("inline"));
    }
}

/// Notes what a flush tells an executor.
#[derive(Clone, Default)]
struct Curious(Arc<Mutex<Vec<(FlushMode, bool)>>>, Recorder);

impl Executor for Curious {
    fn name(&self) -> &str {
        "curious"
    }

    fn accepts(&self, _intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let left = flush.deadline.remaining().expect("what waits on something has a deadline");
        let default = left <= Duration::from_secs(5) && left > Duration::from_secs(3);
        self.0.lock().unwrap().push((flush.mode, default));
        Ok(())
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        assert_eq!(batch.remaining(), 1);
        assert!(batch.deadline().instant().is_some());
        self.1.dispatch(batch)
    }
}

#[test]
fn an_executor_is_told_the_mode_and_has_five_seconds_unless_the_scope_says_otherwise() {
    let curious = Curious::default();
    let scope = || airlock::scope().executor(curious.clone());
    flush(scope(), || Ok(plain::enqueue(1).map(drop)?)).unwrap();
    futures::executor::block_on(scope().run_async(async { plain::enqueue(2).map(drop).unwrap() })).unwrap();
    flush(scope().deadline(Duration::from_secs(60)), || Ok(plain::enqueue(3).map(drop)?)).unwrap();
    assert_eq!(
        *curious.0.lock().unwrap(),
        [(FlushMode::Sync, true), (FlushMode::Async, true), (FlushMode::Sync, false)]
    );
    assert_eq!(curious.1.calls().len(), 3);
}

#[test]
fn an_executor_that_keeps_nothing_has_nothing_unfinished_at_shutdown() {
    let unfinished = futures::executor::block_on(Recorder::new().shutdown(Deadline::NONE));
    assert!(unfinished.intents.is_empty());
}

#[test]
fn an_awaited_flush_can_be_spawned() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }

    let recorder = Recorder::new();
    let flush = airlock::scope().executor(recorder.clone()).run_async(async { later::enqueue(1).map(drop).unwrap() });
    futures::executor::block_on(assert_send(flush)).unwrap();
    assert_eq!(recorder.calls(), ["exec.later(n=1)"]);
}
