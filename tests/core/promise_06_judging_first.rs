//! Promise 6: judging comes first. Policies and `accepts` see the whole batch before the first dispatch; whatever is
//! wrong with one intent, nothing has escaped, and the error hands every intent back, naming task, parameter and where
//! it was enqueued.

mod arguments;
mod refusals;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use airlock::{
    Batch, BoxFuture, DispatchErrorKind, EncodeFault, Executor, FlushContext, FlushError, FlushMode, FlushReport,
    InlineExecutor, Intent, IntentId, Lifecycle, Options, Outcome, Policy, Rejection, ScopeBuilder, ScopeEnd,
    ScopeInfo, Unattempted, policy_fn, scope,
};
use airlock_tests::recorder::{Picky, Recorder};
use futures::executor::block_on;
use serde::{Deserialize, Serialize};

thread_local! {
    /// What ran inline on this thread.
    static RAN: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn take_ran() -> Vec<u64> {
    RAN.take()
}

#[airlock::task(name = "p6.send")]
fn send(order_id: u64) {
    RAN.with_borrow_mut(|ran| ran.push(order_id));
}

#[airlock::task(name = "p6.send_async")]
async fn send_async(order_id: u64) {
    send(order_id);
}

#[airlock::task(name = "p6.send_local_async", local)]
async fn send_local_async(order_id: u64) {
    send(order_id);
}

#[airlock::task(name = "p6.send_elsewhere")]
fn send_elsewhere(order_id: u64);

#[airlock::task(name = "p6.refund")]
fn refund(order_id: u64, amount: f64) {
    let _ = amount;
    send(order_id);
}

#[airlock::task(name = "p6.import")]
fn import(rows: Vec<HashMap<Point, u64>>) {
    let _ = rows;
    send(0);
}

#[airlock::task(name = "p6.forget")]
fn forget(forgetful: Forgetful) {
    let _ = forgetful.secret;
    send(0);
}

#[airlock::task(name = "p6.explode")]
fn explode(explosive: Explosive) {
    let _ = explosive;
    send(0);
}

/// No key for a JSON object.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Point(i32, i32);

/// Is written in a form that it can't be read from.
#[derive(Clone, Serialize, Deserialize)]
struct Forgetful {
    #[serde(skip_serializing)]
    secret: String,
}

/// Panics when it is written.
#[derive(Clone, Deserialize)]
struct Explosive;

impl Serialize for Explosive {
    fn serialize<S: serde::Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        panic!("boom")
    }
}

const NOTHING: [&str; 0] = [];

fn checked() -> InlineExecutor {
    InlineExecutor::new().checked()
}

/// Runs the body in the scope, sync or async, reported or not, and gives the error its flush ends in.
#[track_caller]
fn errors(scope: impl Fn() -> ScopeBuilder, modes: &[FlushMode], mut body: impl FnMut() -> Vec<IntentId>) {
    for mode in modes {
        for reported in [false, true] {
            let mut ids = Vec::new();
            let flush: Result<(), FlushError> = match (mode, reported) {
                (FlushMode::Sync, false) => scope().run(|| ids = body()),
                (FlushMode::Sync, true) => scope().run_reported(|| ids = body()).flush.map(drop),
                (FlushMode::Async, false) => block_on(scope().run_async(async { ids = body() })),
                (FlushMode::Async, true) => {
                    block_on(scope().run_reported_async(async { ids = body() })).flush.map(drop)
                }
            };
            let error = flush.expect_err("something is wrong with the batch");
            assert_eq!(take_ran(), [0_u64; 0], "{mode:?}: something escaped");
            let counts = error.report().counts();
            assert_eq!((counts.enqueued, counts.failed + counts.unattempted), (ids.len(), ids.len()), "{mode:?}");
            assert!(error.failed().is_empty() && error.unconfirmed().is_empty());
            let held: Vec<_> = error.undispatched().iter().map(Intent::id).collect();
            assert_eq!(held, ids, "{mode:?}: every intent back, in order");
            let here = |intent: &Intent| intent.location().file().contains("promise_06_judging_first");
            assert!(error.undispatched().iter().all(here));
            assert_eq!(error.into_intents().len(), ids.len());
        }
    }
}

const BOTH: [FlushMode; 2] = [FlushMode::Sync, FlushMode::Async];

/// The error of one sync flush, for its texts.
#[track_caller]
fn error_of(scope: ScopeBuilder, body: impl FnOnce()) -> FlushError {
    let error = scope.run_reported(body).flush.expect_err("something is wrong with the batch");
    assert_eq!(take_ran(), [0_u64; 0]);
    error
}

/// What the report says of the intents of a task, without what stands around it.
#[track_caller]
fn verdict(report: &FlushReport, task: &str) -> String {
    report.entries().iter().find(|entry| entry.name() == task).expect("the task").outcome().to_string()
}

/// Writes down each question and each hand-over: policy and executor in one.
#[derive(Clone, Default)]
struct Witness(Recorder);

impl Policy for Witness {
    fn name(&self) -> &str {
        "Witness"
    }

    fn allows(&self, intent: &Intent) -> bool {
        self.0.note(format!("judge {}", intent.args::<send>().unwrap().0));
        true
    }
}

impl Executor for Witness {
    fn name(&self) -> &str {
        "witness"
    }

    fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        self.0.note(format!("accept {}", intent.args::<send>().unwrap().0));
        Ok(())
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                self.0.note(format!("dispatch {}", begun.intent().args::<send>().unwrap().0));
                begun.settle(Ok(()));
            }
        })
    }
}

#[test]
fn all_are_judged_then_all_accepted_then_the_first_is_dispatched() {
    let expected = ["judge", "accept", "dispatch"].map(|what| [1, 2, 3].map(|n| format!("{what} {n}"))).concat();
    for mode in BOTH {
        let witness = Witness::default();
        let scope = scope().policy(witness.clone()).executor(witness.clone());
        let body = || {
            send::enqueue(1).unwrap();
            airlock::scope().run(|| send::enqueue(2).map(drop).unwrap()).unwrap();
            send::enqueue(3).unwrap();
        };
        match mode {
            FlushMode::Sync => scope.run(body).unwrap(),
            FlushMode::Async => block_on(scope.run_async(async { body() })).unwrap(),
        }
        assert_eq!(witness.0.calls(), expected);
    }
}

#[test]
fn an_executor_is_not_asked_about_what_a_policy_drops() {
    let witness = Witness::default();
    let ended =
        scope().policy(policy_fn(|intent| intent.name() == "p6.send")).executor(witness.clone()).run_reported(|| {
            send_elsewhere::enqueue(1).unwrap();
            send::enqueue(2).unwrap();
        });
    assert_eq!(ended.flush.unwrap().counts().to_string(), "2 enqueued: 1 dispatched, 1 dropped");
    assert_eq!(witness.0.calls(), ["accept 2", "dispatch 2"]);

    let ended = scope().policy(policy_fn(|intent| intent.name() == "p6.send")).run_reported(|| {
        send_elsewhere::enqueue(1).unwrap();
        send_async::enqueue(2).unwrap();
        send::enqueue(3).unwrap();
    });
    assert_eq!(ended.flush.unwrap().counts().to_string(), "3 enqueued: 1 dispatched, 2 dropped");
    assert_eq!(take_ran(), [3], "what can't run inline is no trouble once it is dropped");
}

// Policies that panic.

fn three() -> Vec<IntentId> {
    (1..=3).map(|order_id| send::enqueue(order_id).unwrap()).collect()
}

fn panics_at(order_id: u64) -> impl Policy {
    struct Fragile(u64);
    impl Policy for Fragile {
        fn name(&self) -> &str {
            "Fragile"
        }

        fn allows(&self, intent: &Intent) -> bool {
            assert!(intent.args::<send>() != Some(&(self.0,)), "cracked");
            true
        }
    }
    Fragile(order_id)
}

#[test]
fn a_policy_that_panics_lets_nothing_out_and_hands_every_intent_back() {
    let recorder = Recorder::new();
    for order_id in 1..=3 {
        errors(|| scope().policy(panics_at(order_id)).executor(recorder.clone()), &BOTH, three);
        errors(|| scope().policy(panics_at(order_id)), &BOTH, three);
    }
    errors(|| scope().policy((airlock::AllowAll, panics_at(2))).executor(recorder.clone()), &BOTH, three);
    errors(|| scope().executor(recorder.clone()), &BOTH, || airlock::policy(panics_at(3)).run(three));
    errors(
        || scope().policy(panics_at(2)).executor(recorder.clone()),
        &BOTH,
        || {
            let mut ids = Vec::new();
            scope().run(|| ids = three()).unwrap();
            ids
        },
    );
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn the_error_of_a_panicking_policy_names_policy_task_place_and_panic() {
    let mut place = String::new();
    let error = error_of(scope().name("fragile").policy(panics_at(2)), || {
        send::enqueue(1).unwrap();
        send::enqueue(2).unwrap();
        place = format!("{}:{}:", file!(), line!() - 1);
    });
    let told = error.to_string();
    assert!(told.starts_with("the flush of scope `fragile` ("), "{told}");
    assert!(told.contains(") failed: 2 enqueued: 2 unattempted; "), "{told}");
    assert!(told.contains("policy Fragile panicked at `p6.send` ("), "{told}");
    assert!(told.contains(&place) && told.ends_with("): cracked"), "{told}");
    for entry in error.report().entries() {
        assert!(matches!(entry.outcome(), Outcome::Unattempted { reason: Unattempted::JudgePanicked(_) }));
    }
}

#[test]
fn a_panicking_local_policy_is_named_and_not_the_scopes() {
    let error = error_of(scope().policy(airlock::AllowAll), || {
        airlock::policy(panics_at(1)).run(|| send::enqueue(1).map(drop).unwrap());
    });
    assert!(error.to_string().contains("policy Fragile panicked at `p6.send`"), "{error}");
}

#[test]
fn a_panic_without_a_text_is_told_too() {
    let silent = policy_fn(|_| std::panic::panic_any(7));
    let error = error_of(scope().policy(silent), || send::enqueue(1).map(drop).unwrap());
    assert!(error.to_string().ends_with("a panic without a message"), "{error}");
}

#[test]
fn the_thread_enqueues_and_flushes_as_before_after_a_policy_panicked() {
    drop(error_of(scope().policy(panics_at(1)), || send::enqueue(1).map(drop).unwrap()).into_intents());
    scope().policy(panics_at(1)).run(|| send::enqueue(2).map(drop).unwrap()).unwrap();
    assert_eq!(take_ran(), [2]);
}

#[test]
fn what_a_panicking_policy_kept_in_can_go_out_later_once_it_is_judged() {
    let (recorder, mended) = (Recorder::new(), std::sync::Arc::new(AtomicBool::new(false)));
    let is_mended = std::sync::Arc::clone(&mended);
    let fragile = policy_fn(move |intent| {
        assert!(is_mended.load(Ordering::Relaxed), "not yet");
        intent.args::<send>() != Some(&(2,))
    });
    let mut ids = Vec::new();
    let error = error_of(scope().policy(fragile).executor(Recorder::new()), || ids = three());
    let error = error.dispatch(&recorder).unwrap_err();
    assert_eq!(error.undispatched().len(), 3, "no policy has allowed them yet");
    assert_eq!(recorder.calls(), NOTHING);
    mended.store(true, Ordering::Relaxed);
    let report = error.dispatch(&recorder).unwrap();
    assert_eq!(report.counts().to_string(), "3 enqueued: 2 dispatched, 1 dropped");
    assert_eq!(recorder.calls(), ["p6.send(order_id=1)", "p6.send(order_id=3)"]);
    assert_eq!(report.entries().iter().map(airlock::ReportEntry::id).collect::<Vec<_>>(), ids);
}

// Lifecycles and executors that panic.

#[test]
fn a_lifecycle_that_panics_over_a_release_hands_every_intent_back() {
    struct Undecided;
    impl Lifecycle for Undecided {
        fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
            end.succeeded()
        }

        fn releases(&self, _descendant: &ScopeInfo, intent: &Intent) -> bool {
            assert!(intent.args::<send>() != Some(&(2,)), "who knows");
            true
        }
    }
    let recorder = Recorder::new();
    scope()
        .lifecycle(Undecided)
        .executor(recorder.clone())
        .run(|| {
            errors(|| scope().executor(recorder.clone()), &BOTH, three);
            let error = error_of(scope(), || drop(three()));
            assert!(error.to_string().contains("a lifecycle panicked: who knows"), "{error}");
        })
        .unwrap();
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn an_executor_that_panics_when_asked_hands_every_intent_back() {
    struct Jumpy(Recorder);
    impl Executor for Jumpy {
        fn name(&self) -> &str {
            "jumpy"
        }

        fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
            assert!(intent.args::<send>() != Some(&(3,)), "boo");
            Ok(())
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            self.0.dispatch(batch)
        }
    }
    let recorder = Recorder::new();
    errors(|| scope().executor(Jumpy(recorder.clone())), &BOTH, three);
    assert_eq!(recorder.calls(), NOTHING);
    let error = error_of(scope().executor(Jumpy(recorder)), || drop(three()));
    let place = error.undispatched()[2].location();
    assert!(
        error.to_string().ends_with(&format!("the executor panicked: boo, asked about `p6.send` ({place})")),
        "{error}"
    );
}
