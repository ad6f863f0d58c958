//! Promise 4: dispatch order is the order of the enqueue calls, captured intents included; per executor and per queue
//! where a flush fans out. `local` tasks are split off once, in the flush, and run inline after the rest is handed over.

mod handing_over;

use std::cell::RefCell;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use airlock::{
    Batch, Begun, BoxFuture, DispatchError, Executor, FlushReport, InlineExecutor, Intent, Lifecycle, LogExecutor,
    Options, Scope, ScopeEnd, ScopeInfo, policy_fn, scope,
};
use airlock_tests::recorder::Recorder;
use futures::channel::oneshot;
use futures::executor::block_on;

thread_local! {
    /// What ran inline on this thread.
    static TRACE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn trace(what: String) {
    TRACE.with_borrow_mut(|trace| trace.push(what));
}

fn take_trace() -> Vec<String> {
    TRACE.take()
}

#[airlock::task(name = "p4.step")]
fn step(n: u64) {
    trace(format!("step {n}"));
}

#[airlock::task(name = "p4.step_local", local)]
fn step_local(n: u64) {
    trace(format!("local {n}"));
}

#[airlock::task(name = "p4.step_async")]
async fn step_async(n: u64) {
    trace(format!("async {n} starts"));
    tokio::task::yield_now().await;
    trace(format!("async {n} ends"));
}

#[airlock::task(name = "p4.audit")]
fn audit(n: u64) {
    trace(format!("audit {n}"));
}

fn enqueue(n: u64) {
    step::enqueue(n).unwrap();
}

/// The number of a step, whichever task it is of.
fn number(intent: &Intent) -> u64 {
    let steps = intent.args::<step>().or(intent.args::<step_local>());
    steps.or(intent.args::<step_async>()).or(intent.args::<audit>()).expect("a task of this module").0
}

fn numbers<'a>(intents: impl IntoIterator<Item = &'a Intent>) -> Vec<u64> {
    intents.into_iter().map(number).collect()
}

fn reported(report: &FlushReport) -> Vec<u64> {
    numbers(report.entries().iter().filter_map(|entry| entry.intent()))
}

fn up_to(last: u64) -> Vec<u64> {
    (1..=last).collect()
}

/// Hands over to a list of numbers.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<Vec<u64>>>);

impl Numbers {
    fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Executor for Numbers {
    fn name(&self) -> &str {
        "numbers"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                self.0.lock().unwrap().push(number(begun.intent()));
                begun.settle(Ok(()));
            }
        })
    }
}

#[test]
fn intents_go_out_in_the_order_of_the_calls() {
    let sent = Numbers::default();
    scope().executor(sent.clone()).run(|| up_to(1000).into_iter().for_each(enqueue)).unwrap();
    assert_eq!(sent.take(), up_to(1000));
    scope().run(|| up_to(100).into_iter().for_each(enqueue)).unwrap();
    assert_eq!(take_trace(), up_to(100).iter().map(|n| format!("step {n}")).collect::<Vec<_>>());
}

#[test]
fn no_option_changes_the_order() {
    let sent = Numbers::default();
    let guard = scope().executor(sent.clone()).enter();
    for n in 1..=9 {
        let queue = if n % 2 == 0 { "even" } else { "odd" };
        step::enqueue_with(Options::new().priority(n as u8).queue(queue), n).unwrap();
    }
    assert_eq!(reported(&guard.flush().unwrap()), up_to(9));
    assert_eq!(sent.take(), up_to(9));
}

#[test]
fn captured_intents_keep_their_place_among_the_others() {
    let sent = Numbers::default();
    let ended = scope().executor(sent.clone()).run_reported(|| {
        enqueue(1);
        scope()
            .run(|| {
                enqueue(2);
                scope().run(|| enqueue(3)).unwrap();
                enqueue(4);
            })
            .unwrap();
        enqueue(5);
        scope().run(|| enqueue(6)).unwrap();
        enqueue(7);
    });
    assert_eq!(reported(&ended.flush.unwrap()), up_to(7));
    assert_eq!(sent.take(), up_to(7));
}

#[test]
fn a_nested_scope_open_among_calls_of_the_outer_one_is_merged_call_by_call() {
    let sent = Numbers::default();
    let outer = scope().executor(sent.clone()).enter();
    let around = outer.scope();
    enqueue(1);
    let inner = scope().enter();
    for n in [2, 4, 6] {
        enqueue(n);
        around.run(|| enqueue(n + 1));
    }
    assert_eq!(numbers(&around.intents()), [1, 3, 5, 7]);
    inner.flush().unwrap();
    assert_eq!(numbers(&around.intents()), up_to(7), "the handle shows the order it will go out in");
    assert_eq!(numbers(&around.own_intents()), [1, 3, 5, 7]);
    assert_eq!(numbers(&around.captured_intents()), [2, 4, 6]);
    enqueue(8);
    assert_eq!(reported(&outer.flush().unwrap()), up_to(8));
    assert_eq!(sent.take(), up_to(8));
}

#[test]
fn siblings_that_end_in_another_order_than_they_began_are_merged_call_by_call() {
    let sent = Numbers::default();
    let outer = scope().executor(sent.clone()).enter();
    let around = outer.scope();
    let open = || around.run(|| scope().enter());
    let siblings = [open(), open(), open()];
    for n in 0..9 {
        siblings[n % 3].scope().run(|| enqueue(n as u64 + 1));
    }
    let [first, second, third] = siblings;
    second.flush().unwrap();
    assert_eq!(numbers(&around.intents()), [2, 5, 8]);
    third.flush().unwrap();
    assert_eq!(numbers(&around.intents()), [2, 3, 5, 6, 8, 9]);
    first.flush().unwrap();
    outer.flush().unwrap();
    assert_eq!(sent.take(), up_to(9));
}

#[test]
fn grandchildren_cousins_and_handles_keep_the_order_of_the_calls() {
    // Every scope of a deep tree enqueues in turn, round and round, before any of them ends.
    let sent = Numbers::default();
    let outer = scope().executor(sent.clone()).enter();
    let nested = |around: &Scope| around.run(|| scope().enter());
    let children: Vec<_> = (0..3).map(|_| nested(&outer.scope())).collect();
    let grandchildren: Vec<_> =
        children.iter().flat_map(|child| [nested(&child.scope()), nested(&child.scope())]).collect();
    let mut all = vec![outer.scope()];
    all.extend(children.iter().chain(&grandchildren).map(airlock::ScopeGuard::scope));
    for n in 1..=50 {
        all[n * 7 % all.len()].run(|| enqueue(n as u64));
    }
    // The youngest first, and the last of them first.
    for guard in grandchildren.into_iter().rev().chain(children) {
        guard.flush().unwrap();
    }
    assert_eq!(reported(&outer.flush().unwrap()), up_to(50));
    assert_eq!(sent.take(), up_to(50));
}

#[test]
fn concurrent_async_siblings_are_merged_call_by_call() {
    let sent = Numbers::default();
    let (resume_first, first_resumed) = oneshot::channel::<()>();
    let (resume_second, second_resumed) = oneshot::channel::<()>();
    let first = async {
        enqueue(1);
        resume_second.send(()).unwrap();
        first_resumed.await.unwrap();
        enqueue(4);
    };
    let second = async {
        enqueue(2);
        second_resumed.await.unwrap();
        enqueue(3);
        resume_first.send(()).unwrap();
    };
    block_on(scope().executor(sent.clone()).run_async(async {
        let (first, second) = futures::join!(scope().run_async(first), scope().run_async(second));
        first.unwrap();
        second.unwrap();
        enqueue(5);
    }))
    .unwrap();
    assert_eq!(sent.take(), up_to(5));
}

#[test]
fn calls_of_several_threads_that_follow_each_other_keep_their_order() {
    let sent = Numbers::default();
    let guard = scope().executor(sent.clone()).enter();
    let carried = guard.scope();
    let (ask, asked): (Sender<u64>, Receiver<u64>) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let other = thread::spawn(move || {
        // One nested scope, open all the while, and the carried one: in turn.
        let nested = carried.run(|| scope().enter());
        for n in asked {
            if n % 4 == 0 {
                carried.run(|| enqueue(n));
            } else {
                nested.scope().run(|| enqueue(n));
            }
            tell.send(()).unwrap();
        }
        nested.flush().unwrap();
    });
    for n in 1..=40 {
        if n % 2 == 0 {
            ask.send(n).unwrap();
            told.recv().unwrap();
        } else {
            enqueue(n);
        }
    }
    drop(ask);
    other.join().unwrap();
    guard.flush().unwrap();
    assert_eq!(sent.take(), up_to(40));
}

#[test]
fn threads_that_race_keep_the_order_of_their_own_calls() {
    let sent = Numbers::default();
    let guard = scope().executor(sent.clone()).enter();
    let carried = guard.scope();
    thread::scope(|threads| {
        for part in 0..4 {
            let carried = carried.clone();
            threads.spawn(move || {
                let enqueue_all = || (0..250).for_each(|n| enqueue(part * 1000 + n));
                carried.run(|| if part < 2 { enqueue_all() } else { scope().run(enqueue_all).unwrap() });
            });
        }
    });
    let listed = numbers(&carried.intents());
    let reported = reported(&guard.flush().unwrap());
    let sent = sent.take();
    assert_eq!((&sent, &reported), (&listed, &listed), "one order, wherever one looks");
    for part in 0..4 {
        let own: Vec<_> = sent.iter().copied().filter(|n| n / 1000 == part).collect();
        assert_eq!(own, (0..250).map(|n| part * 1000 + n).collect::<Vec<_>>());
    }
}

#[test]
fn a_pushed_intent_takes_its_place_when_it_is_pushed() {
    let sent = Numbers::default();
    let guard = scope().executor(sent.clone()).enter();
    let (made_first, made_second) = (step::intent(3), step::intent(1));
    guard.scope().push(made_second).unwrap();
    enqueue(2);
    guard.scope().push(made_first).unwrap();
    enqueue(4);
    guard.flush().unwrap();
    assert_eq!(sent.take(), up_to(4));
}

#[test]
fn what_is_dropped_or_fails_leaves_the_others_in_order() {
    let sent = Numbers::default();
    let even = policy_fn(|intent| number(intent).is_multiple_of(2));
    let ended = scope().policy(even).executor(sent.clone()).run_reported(|| up_to(10).into_iter().for_each(enqueue));
    assert_eq!(sent.take(), [2, 4, 6, 8, 10]);
    assert_eq!(reported(&ended.flush.unwrap()), up_to(10), "the report has them all, in order");

    let tried = Numbers::default();
    let note = tried.clone();
    let third_fails = move |intent: Intent| {
        note.0.lock().unwrap().push(number(&intent));
        if number(&intent).is_multiple_of(3) { Err(DispatchError::rejected("a third")) } else { Ok(()) }
    };
    let ended = scope().executor(third_fails).run_reported(|| up_to(10).into_iter().for_each(enqueue));
    assert_eq!(tried.take(), up_to(10));
    let error = ended.flush.unwrap_err();
    assert_eq!(reported(error.report()), up_to(10));
    assert_eq!(numbers(error.undispatched()), [3, 6, 9]);
    assert_eq!(error.dispatch(&sent).unwrap().counts().dispatched, 3);
    assert_eq!(sent.take(), [3, 6, 9], "a second attempt keeps the order");
}

#[test]
fn what_an_error_holds_is_in_the_order_of_the_calls_local_tasks_among_them() {
    let down = |_: Intent| Err(DispatchError::unavailable("connection refused"));
    let ended = scope().on_failure(airlock::OnFailure::FailFast).executor(down).run_reported(|| {
        step_local::enqueue(1).unwrap();
        enqueue(2);
        scope().run(|| step_local::enqueue(3).map(drop).unwrap()).unwrap();
        enqueue(4);
    });
    let error = ended.flush.unwrap_err();
    assert_eq!(numbers(error.undispatched()), up_to(4));
    assert_eq!(reported(error.report()), up_to(4));
    assert_eq!(numbers(&error.into_intents()), up_to(4));
    assert_eq!(take_trace(), [""; 0]);
}

/// Releases audits, captures the rest.
struct AuditAtOnce;

impl Lifecycle for AuditAtOnce {
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
        end.succeeded()
    }

    fn releases(&self, _descendant: &ScopeInfo, intent: &Intent) -> bool {
        intent.name() == "p4.audit"
    }
}

#[test]
fn released_and_captured_intents_of_one_scope_each_keep_their_order() {
    let (inner, outer) = (Numbers::default(), Numbers::default());
    scope()
        .lifecycle(AuditAtOnce)
        .executor(outer.clone())
        .run(|| {
            enqueue(1);
            scope()
                .executor(inner.clone())
                .run(|| {
                    audit::enqueue(1).unwrap();
                    enqueue(2);
                    audit::enqueue(2).unwrap();
                    enqueue(3);
                    audit::enqueue(3).unwrap();
                })
                .unwrap();
            assert_eq!(inner.take(), up_to(3));
            enqueue(4);
        })
        .unwrap();
    assert_eq!(outer.take(), up_to(4));
}
