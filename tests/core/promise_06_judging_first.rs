//! Promise 6: judging comes first. Policies and `accepts` see the whole batch before the first dispatch; whatever is
//! wrong with one intent, nothing has escaped, and the error hands every intent back, naming task, parameter and where
//! it was enqueued.

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
    let _ = forgetful;
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
            assert!(error.undispatched().iter().all(|intent| intent.location().file() == file!()));
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
    assert_eq!(error.undispatched().len(), 3, "nobody has allowed them yet");
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

// Arguments that can't be encoded.

#[test]
fn an_argument_that_cant_be_encoded_keeps_the_whole_batch_in() {
    let bad: [(&str, fn() -> IntentId); 5] = [
        ("not finite", || refund::enqueue(9, f64::NAN).unwrap()),
        ("infinite", || refund::enqueue(9, f64::NEG_INFINITY).unwrap()),
        ("keys that are no strings", || import::enqueue(vec![HashMap::from([(Point(1, 2), 3)])]).unwrap()),
        ("not to be read again", || forget::enqueue(Forgetful { secret: "s3cret".to_owned() }).unwrap()),
        ("panics", || explode::enqueue(Explosive).unwrap()),
    ];
    for (what, bad) in bad {
        for position in 0..3 {
            errors(
                || scope().name(what).executor(checked()),
                &BOTH,
                || {
                    let good = |n| send::enqueue(n).unwrap();
                    (0..3).map(|n| if n == position { bad() } else { good(n) }).collect()
                },
            );
        }
    }
}

#[test]
fn the_error_names_task_parameter_place_and_fault_of_each_and_no_value() {
    let mut lines = Vec::new();
    let error = error_of(scope().executor(checked()), || {
        send::enqueue(1).unwrap();
        refund::enqueue(2, f64::NAN).unwrap();
        lines.push(line!() - 1);
        import::enqueue(vec![HashMap::from([(Point(1234, 5678), 3)])]).unwrap();
        forget::enqueue(Forgetful { secret: "s3cret".to_owned() }).unwrap();
        lines.push(line!() - 1);
    });
    let not_finite = EncodeFault::NotFinite.to_string();
    assert_eq!(
        verdict(error.report(), "p6.refund"),
        format!("rejected: argument `amount` can't be encoded: {not_finite}")
    );
    assert_eq!(
        verdict(error.report(), "p6.import"),
        format!("rejected: argument `rows` can't be encoded: {}", EncodeFault::Refused)
    );
    let forgetful = verdict(error.report(), "p6.forget");
    assert!(forgetful.starts_with("rejected: ") && forgetful.contains("`forgetful`"), "{forgetful}");
    assert_eq!(verdict(error.report(), "p6.send"), "unattempted: another intent of this flush was refused");
    let told = error.to_string();
    assert!(told.contains(&format!("; p6.refund ({}:{}:", file!(), lines[0])), "the first offender: {told}");
    assert!(told.ends_with(&format!("argument `amount` can't be encoded: {not_finite}")), "{told}");
    let report = error.report().to_string();
    for line in lines {
        assert!(report.contains(&format!("({}:{line}:", file!())), "{report}");
    }
    for text in [told, report, format!("{error:?}")] {
        assert!(!["s3cret", "1234", "NaN"].iter().any(|value| text.contains(value)), "{text}");
    }
}

#[test]
fn a_serialize_that_panics_is_told_by_its_task_and_place() {
    let error = error_of(scope().executor(checked()), || {
        send::enqueue(1).unwrap();
        explode::enqueue(Explosive).unwrap();
    });
    let place = error.undispatched()[1].location();
    let expected = format!("the executor panicked: boom, asked about `p6.explode` ({place})");
    assert!(error.to_string().ends_with(&expected), "{error}");
}

#[test]
fn checked_arguments_that_survive_their_encoding_run() {
    let ended = scope().executor(checked()).run_reported(|| {
        three();
        refund::enqueue(4, 0.1).unwrap();
    });
    assert_eq!(ended.flush.unwrap().counts().dispatched, 4);
    assert_eq!(take_ran(), [1, 2, 3, 4]);
    scope().run(|| refund::enqueue(5, f64::NAN).map(drop).unwrap()).unwrap();
    assert_eq!(take_ran(), [5], "unchecked, arguments move as they are");
}

// Options.

#[test]
fn an_option_that_an_executor_cant_honour_is_named_before_anything_escapes() {
    struct NoDelays(Recorder);
    impl Executor for NoDelays {
        fn name(&self) -> &str {
            "no delays"
        }

        fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
            match intent.options().get_start() {
                Some(_) => Err(Rejection::new("`delay` can't be honoured here")),
                None => Ok(()),
            }
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            self.0.dispatch(batch)
        }
    }
    let recorder = Recorder::new();
    let soon = || Options::new().delay(Duration::from_secs(1));
    errors(
        || scope().executor(NoDelays(recorder.clone())),
        &BOTH,
        || vec![send::enqueue(1).unwrap(), send::enqueue_with(soon(), 2).unwrap(), send::enqueue(3).unwrap()],
    );
    let error = error_of(scope().executor(NoDelays(recorder.clone())), || {
        send::enqueue_with(soon(), 1).unwrap();
    });
    assert!(error.to_string().ends_with("rejected: `delay` can't be honoured here"), "{error}");
    assert_eq!(recorder.calls(), NOTHING);
}

// Refusals of executors.

#[test]
fn all_offenders_are_reported_and_the_others_stay_with_them() {
    let (recorder, inner) = (Recorder::new(), Recorder::new());
    let picky = || scope().executor(Picky { recorder: recorder.clone(), refuses: "p6.refund" });
    errors(picky, &BOTH, || {
        let refunds = || refund::enqueue(1, 2.0).unwrap();
        vec![send::enqueue(1).unwrap(), refunds(), send::enqueue(2).unwrap(), refunds()]
    });
    let error = error_of(picky(), || {
        refund::enqueue(1, 2.0).unwrap();
        send::enqueue(1).unwrap();
        scope().executor(inner.clone()).run(|| refund::enqueue(2, 2.0).map(drop).unwrap()).unwrap();
    });
    let kinds: Vec<_> = error.report().entries().iter().map(|entry| entry.outcome().to_string()).collect();
    let refused = "rejected: not this one";
    assert_eq!(kinds, [refused, "unattempted: another intent of this flush was refused", refused]);
    let Outcome::Failed { error: first } = error.report().entries()[0].outcome() else { panic!("{error}") };
    assert_eq!(first.kind(), DispatchErrorKind::Rejected);
    assert_eq!(error.report().executor(), None, "nobody was handed anything");

    let ids: Vec<_> = error.undispatched().iter().map(Intent::id).collect();
    let report = error.dispatch(&recorder).unwrap();
    assert_eq!(report.entries().iter().map(airlock::ReportEntry::id).collect::<Vec<_>>(), ids);
    assert_eq!(
        recorder.calls(),
        ["p6.refund(order_id=1, amount=2.0)", "p6.send(order_id=1)", "p6.refund(order_id=2, amount=2.0)"],
        "another way, all of it"
    );
    assert_eq!(inner.calls(), NOTHING);
}

#[test]
fn an_async_task_in_a_sync_flush_is_refused_with_the_way_out() {
    let body = || vec![send::enqueue(1).unwrap(), send_async::enqueue(2).unwrap(), send::enqueue(3).unwrap()];
    errors(scope, &[FlushMode::Sync], body);
    errors(|| scope().executor(checked()), &[FlushMode::Sync], body);
    let error = error_of(scope(), || drop(body()));
    let expected = "rejected: it is an async task, and this flush is not awaited; use `run_async` or another executor";
    assert!(verdict(error.report(), "p6.send_async").starts_with(expected), "{}", error.report());
    assert!(error.to_string().contains("; p6.send_async ("), "{error}");

    assert_eq!(block_on(error.dispatch_async(&InlineExecutor::new())).unwrap().counts().dispatched, 3);
    assert_eq!(take_ran(), [1, 2, 3], "awaited, they all run");
    block_on(scope().run_async(async { drop(body()) })).unwrap();
    assert_eq!(take_ran(), [1, 2, 3]);
}

#[test]
fn a_scoped_function_that_is_not_async_gets_the_hint() {
    #[airlock::scoped]
    fn checkout() -> airlock::Result<()> {
        send_async::enqueue(1)?;
        Ok(())
    }
    let error = checkout().unwrap_err();
    assert!(error.to_string().contains("on `#[scoped]`, make the function async"), "{error}");
    assert_eq!(FlushError::find(&error).expect("a flush error").undispatched().len(), 1);
    assert_eq!(take_ran(), [0_u64; 0]);
}

#[test]
fn a_task_without_a_body_is_refused_inline_sync_or_async() {
    let body = || vec![send::enqueue(1).unwrap(), send_elsewhere::enqueue(2).unwrap()];
    errors(scope, &BOTH, body);
    errors(|| scope().executor(checked()), &BOTH, body);
    let error = error_of(scope(), || drop(body()));
    assert_eq!(
        verdict(error.report(), "p6.send_elsewhere"),
        "rejected: it has no body in this program; give the scope an executor that sends it"
    );
}

#[test]
fn what_is_refused_inline_is_refused_after_capture_too() {
    // The outer scope itself holds plain functions only.
    for bad in [|| send_async::enqueue(2).unwrap(), || send_elsewhere::enqueue(2).unwrap()] {
        errors(scope, &[FlushMode::Sync], || {
            let mut ids = vec![send::enqueue(1).unwrap()];
            scope().run(|| scope().run(|| ids.push(bad())).unwrap()).unwrap();
            ids.push(send::enqueue(3).unwrap());
            ids
        });
    }
    let carried = scope().enter();
    let handle = carried.scope();
    std::thread::spawn(move || handle.push(send_elsewhere::intent(1)).unwrap()).join().unwrap();
    send::enqueue(2).unwrap();
    assert_eq!(carried.flush().unwrap_err().into_intents().len(), 2);
    assert_eq!(take_ran(), [0_u64; 0]);
}

#[test]
fn a_local_async_task_is_refused_before_the_executor_is_handed_the_rest() {
    let recorder = Recorder::new();
    let body = || vec![send::enqueue(1).unwrap(), send_local_async::enqueue(2).unwrap()];
    errors(|| scope().executor(recorder.clone()), &[FlushMode::Sync], body);
    assert_eq!(recorder.calls(), NOTHING);
    block_on(scope().executor(recorder.clone()).run_async(async { drop(body()) })).unwrap();
    assert_eq!(recorder.calls(), ["p6.send(order_id=1)"]);
    assert_eq!(take_ran(), [2]);
}

#[test]
fn sealing_tells_at_once_what_no_flush_could_send() {
    let guard = scope().enter();
    send::enqueue(1).unwrap();
    send_elsewhere::enqueue(2).unwrap();
    let error = guard.seal().unwrap_err();
    assert_eq!(error.into_intents().len(), 2);

    let guard = scope().policy(panics_at(1)).enter();
    send::enqueue(1).unwrap();
    assert_eq!(guard.seal().unwrap_err().into_intents().len(), 1);

    // An async task is fine until it is known that nobody awaits it.
    for mode in BOTH {
        let guard = scope().enter();
        send_async::enqueue(1).unwrap();
        let sealed = guard.seal().unwrap();
        match mode {
            FlushMode::Sync => assert_eq!(sealed.dispatch().unwrap_err().into_intents().len(), 1),
            FlushMode::Async => assert_eq!(block_on(sealed.dispatch_async()).unwrap().counts().dispatched, 1),
        }
    }
    assert_eq!(take_ran(), [1]);
}

#[test]
fn an_executor_is_told_the_mode_of_the_flush_and_its_deadline() {
    struct Asked(Recorder);
    impl Executor for Asked {
        fn name(&self) -> &str {
            "asked"
        }

        fn accepts(&self, _intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
            let left = flush.deadline.remaining().map(|left| left > Duration::from_secs(50));
            self.0.note(format!("{:?} {left:?}", flush.mode));
            Ok(())
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            self.0.dispatch(batch)
        }
    }
    let recorder = Recorder::new();
    let to = || scope().deadline(Duration::from_secs(60)).executor(Asked(recorder.clone()));
    to().run(|| send::enqueue(1).map(drop).unwrap()).unwrap();
    block_on(to().run_async(async { send::enqueue(2).map(drop).unwrap() })).unwrap();
    assert_eq!(recorder.calls(), ["Sync Some(true)", "p6.send(order_id=1)", "Async Some(true)", "p6.send(order_id=2)"]);
}
