//! Promise 1: no scope, no enqueue. It is an error that names the task, also in destructors of thread-locals, and
//! nothing ever runs immediately instead.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use airlock::{EnqueueError, Intent, IntentId, Options, Phase, Policy, Scope, ScopeGuard, Violation};
use airlock_tests::recorder::Recorder;
use futures::executor::block_on;
use serde::{Deserialize, Serialize};

thread_local! {
    /// How many task bodies ran on this thread: inline tasks run on the thread that flushes.
    static RAN: Cell<u32> = const { Cell::new(0) };
}

#[airlock::task(name = "p1.send")]
fn send(order_id: u64) {
    let _ = order_id;
    RAN.set(RAN.get() + 1);
}

#[airlock::task(name = "p1.send_async")]
async fn send_async(order_id: u64) {
    send(order_id);
}

#[airlock::task(name = "p1.send_elsewhere")]
fn send_elsewhere(order_id: u64);

#[airlock::task(name = "p1.send_local", local)]
fn send_local(order_id: u64) {
    send(order_id);
}

/// Fails the test if it is ever asked.
struct NeverAsked;

impl Policy for NeverAsked {
    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        panic!("asked about the call of `{}`", intent.name());
    }

    fn allows(&self, intent: &Intent) -> bool {
        panic!("asked about `{}`", intent.name());
    }
}

#[track_caller]
fn assert_no_scope(result: Result<IntentId, EnqueueError>, task: &str) {
    let error = result.expect_err("there is no scope here");
    assert!(matches!(error, EnqueueError::NoScope { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("task `{task}` can't be enqueued at ")), "{error}");
    assert_eq!(RAN.get(), 0, "`{task}` ran instead");
}

#[test]
fn an_enqueue_outside_a_scope_names_the_task_the_place_and_the_way_out() {
    let error = send::enqueue(1).unwrap_err();
    let line = line!() - 1;
    let place = error.refused().intent().location();
    assert_eq!((place.file(), place.line()), (file!(), line));
    assert_eq!(
        error.to_string(),
        format!(
            "task `p1.send` can't be enqueued at {place}: there is no scope here; \
             wrap the caller in `airlock::scope().run(..)` or mark it `#[airlock::scoped]`"
        )
    );
    assert_eq!(RAN.get(), 0);
}

#[test]
fn every_kind_of_task_and_call_needs_a_scope() {
    assert_no_scope(send::enqueue(1), "p1.send");
    assert_no_scope(send::enqueue_with(Options::new().priority(9), 1), "p1.send");
    assert_no_scope(send_async::enqueue(1), "p1.send_async");
    assert_no_scope(send_elsewhere::enqueue(1), "p1.send_elsewhere");
    assert_no_scope(send_local::enqueue(1), "p1.send_local");
}

#[test]
fn the_error_hands_back_an_intent_that_a_scope_then_takes() {
    let error = send::enqueue_with(Options::new().queue("mail").label("first"), 42).unwrap_err();
    let intent = error.into_intent();
    assert_eq!(intent.args::<send>(), Some(&(42,)));
    assert_eq!((intent.options().get_queue(), intent.label()), (Some("mail"), Some("first")));

    let (id, recorder) = (intent.id(), Recorder::new());
    let scope = airlock::scope().executor(recorder.clone()).enter();
    assert_eq!(scope.scope().push(intent).unwrap(), id);
    let report = scope.flush().unwrap();
    assert_eq!(report.entries()[0].id(), id);
    assert_eq!(recorder.calls(), ["p1.send(order_id=42)"]);
}

#[test]
fn an_ended_scope_is_no_scope() {
    assert!(Scope::current().is_none());
    let recorder = Recorder::new();
    airlock::scope()
        .executor(recorder.clone())
        .run(|| {
            assert!(Scope::current().is_some());
            send::enqueue(1).unwrap();
        })
        .unwrap();
    assert!(Scope::current().is_none());
    assert_no_scope(send::enqueue(2), "p1.send");

    let guard = airlock::scope().executor(recorder.clone()).enter();
    send::enqueue(3).unwrap();
    let sealed = guard.seal().unwrap();
    assert_no_scope(send::enqueue(4), "p1.send");
    sealed.dispatch().unwrap();
    drop(airlock::scope().enter());
    assert_no_scope(send::enqueue(5), "p1.send");
    assert_eq!(recorder.calls(), ["p1.send(order_id=1)", "p1.send(order_id=3)"]);
}

#[test]
fn a_scope_that_panicked_leaves_no_scope_behind() {
    let panicked = std::panic::catch_unwind(|| airlock::scope().run(|| -> () { panic!("on purpose") }));
    assert!(panicked.is_err());
    assert_no_scope(send::enqueue(1), "p1.send");
}

#[test]
fn a_builder_is_no_scope_until_it_opens() {
    let builder = airlock::scope().name("unopened");
    assert_no_scope(send::enqueue(1), "p1.send");
    let future = builder.run_async(async {});
    assert_no_scope(send::enqueue(2), "p1.send");
    block_on(future).unwrap();
    assert_no_scope(send::enqueue(3), "p1.send");
}

#[test]
fn a_local_policy_is_no_scope_and_is_not_asked() {
    airlock::policy(NeverAsked).run(|| assert_no_scope(send::enqueue(1), "p1.send"));
    let _entered = airlock::policy(NeverAsked).enter();
    assert!(Scope::current().is_none());
    assert_no_scope(send::enqueue(2), "p1.send");
    block_on(airlock::policy(NeverAsked).wrap(async { assert_no_scope(send::enqueue(3), "p1.send") }));
}

#[test]
fn a_future_made_in_a_scope_and_polled_outside_has_none() {
    let recorder = Recorder::new();
    let future = airlock::scope()
        .executor(recorder.clone())
        .run(|| Ok::<_, airlock::Error>(async { send::enqueue(1) }))
        .unwrap();
    assert_no_scope(block_on(future), "p1.send");
    assert!(recorder.calls().is_empty());
}

#[test]
fn another_thread_has_no_scope_of_its_own() {
    let recorder = Recorder::new();
    airlock::scope()
        .executor(recorder.clone())
        .run(|| {
            let ended = thread::spawn(|| {
                assert!(Scope::current().is_none());
                assert_no_scope(send::enqueue(1), "p1.send");
            });
            ended.join().unwrap();
        })
        .unwrap();
    assert!(recorder.calls().is_empty());
}

#[test]
fn a_spawned_task_of_a_runtime_has_no_scope_of_its_own() {
    let recorder = Recorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime
        .block_on(airlock::scope().executor(recorder.clone()).run_async(async {
            tokio::spawn(async { assert_no_scope(send::enqueue(1), "p1.send") }).await.unwrap();
            send::enqueue(2).unwrap();
        }))
        .unwrap();
    assert_eq!(recorder.calls(), ["p1.send(order_id=2)"]);
}

#[test]
fn a_direct_call_is_a_plain_call_with_or_without_a_scope() {
    send(1);
    assert_eq!(RAN.get(), 1);
    let recorder = Recorder::new();
    airlock::scope().executor(recorder.clone()).run(|| send(2)).unwrap();
    assert_eq!(RAN.get(), 2);
    assert!(recorder.calls().is_empty());
}

/// Runs the closure when its thread-local is destroyed.
struct LastWill(Option<Box<dyn FnOnce()>>);

impl LastWill {
    fn set(will: impl FnOnce() + 'static) {
        WILL.set(Some(Self(Some(Box::new(will)))));
    }
}

impl Drop for LastWill {
    fn drop(&mut self) {
        if let Some(will) = self.0.take() {
            will();
        }
    }
}

thread_local! {
    static WILL: RefCell<Option<LastWill>> = const { RefCell::new(None) };
}

/// Runs the will in the destructor of a thread-local: of a thread that never had a scope, of one whose context was
/// there before the thread-local and of one whose context came after, so that each outlives the other once. A panic
/// in there would abort the whole test binary.
fn in_a_thread_locals_destructor<R: Send + 'static>(will: impl Fn() -> R + Send + Clone + 'static) -> [R; 3] {
    [[false, false], [true, false], [false, true]].map(|[before, after]| {
        let (tell, told) = mpsc::channel();
        let will = will.clone();
        let thread = thread::spawn(move || {
            let use_the_context =
                || airlock::scope().executor(Recorder::new()).run(|| send::enqueue(1).map(drop).unwrap());
            if before {
                use_the_context().unwrap();
            }
            LastWill::set(move || tell.send(will()).unwrap());
            if after {
                use_the_context().unwrap();
            }
        });
        thread.join().unwrap();
        told.recv().unwrap()
    })
}

#[test]
fn an_enqueue_in_the_destructor_of_a_thread_local_is_an_error_and_no_panic() {
    for result in in_a_thread_locals_destructor(|| send::enqueue(7)) {
        assert_no_scope(result, "p1.send");
    }
}

#[test]
fn a_scope_opened_in_the_destructor_of_a_thread_local_is_whole_or_an_error() {
    for local_policy in [false, true] {
        let recorder = Recorder::new();
        let executor = recorder.clone();
        let ended = in_a_thread_locals_destructor(move || {
            airlock::scope().executor(executor.clone()).run_reported(|| {
                if local_policy {
                    airlock::policy(airlock::AllowAll).run(|| send::enqueue(7))
                } else {
                    send::enqueue(7)
                }
            })
        });
        let mut recorded = 0;
        for ended in ended {
            recorded += usize::from(ended.result.is_ok());
            if let Err(error) = ended.result {
                assert!(matches!(error, EnqueueError::NoScope { .. }), "{error}");
            }
            ended.flush.unwrap();
        }
        assert_eq!(recorder.calls().len(), recorded, "what was enqueued went out, and nothing else did");
    }
}

#[test]
fn a_scope_carried_into_the_destructor_of_a_thread_local_takes_pushes_and_never_panics() {
    let recorder = Recorder::new();
    let guard = airlock::scope().executor(recorder.clone()).enter();
    let scope = guard.scope();
    let pushed = in_a_thread_locals_destructor(move || {
        let run = scope.run(|| send::enqueue(8));
        (run, scope.push(send::intent(9)))
    });
    let mut expected = 0;
    for (run, push) in pushed {
        expected += 1 + usize::from(run.is_ok());
        push.unwrap();
        if let Err(error) = run {
            assert!(matches!(error, EnqueueError::NoScope { .. }), "{error}");
        }
    }
    guard.flush().unwrap();
    assert_eq!(recorder.calls().len(), expected);
}

thread_local! {
    static HELD: RefCell<Option<ScopeGuard>> = const { RefCell::new(None) };
}

/// Leaves a scope to the destructor of a thread-local, which is destroyed before or after the thread's context.
fn leave_to_the_thread(held_first: bool, enter: impl FnOnce() -> ScopeGuard + Send + 'static) {
    let thread = thread::spawn(move || {
        if held_first {
            HELD.set(None);
        }
        HELD.set(Some(enter()));
    });
    thread.join().unwrap();
}

#[test]
fn a_guard_that_is_dropped_with_its_thread_discards_and_does_not_panic() {
    let recorder = Recorder::new();
    for held_first in [true, false] {
        let executor = recorder.clone();
        let (tell, told) = mpsc::channel();
        leave_to_the_thread(held_first, move || {
            let guard = airlock::scope().executor(executor).enter();
            send::enqueue(1).unwrap();
            tell.send(guard.scope()).unwrap();
            guard
        });
        assert_eq!(told.recv().unwrap().phase(), Phase::Discarded);
    }
    assert!(recorder.calls().is_empty());
}

/// An argument that enqueues when it is dropped.
#[derive(Clone, Serialize, Deserialize)]
struct Clinging {
    #[serde(skip)]
    tell: Option<Sender<Result<IntentId, EnqueueError>>>,
}

impl Drop for Clinging {
    fn drop(&mut self) {
        if let Some(tell) = &self.tell {
            tell.send(send::enqueue(10)).unwrap();
        }
    }
}

#[airlock::task(name = "p1.cling")]
fn cling(clinging: Clinging) {
    drop(clinging);
}

#[test]
fn an_argument_that_enqueues_as_its_scope_dies_with_the_thread_gets_an_error() {
    for held_first in [true, false] {
        let (tell, told) = mpsc::channel();
        leave_to_the_thread(held_first, move || {
            let guard = airlock::scope().executor(Recorder::new()).enter();
            cling::enqueue(Clinging { tell: Some(tell) }).unwrap();
            guard
        });
        assert_no_scope(told.recv_timeout(Duration::from_secs(30)).unwrap(), "p1.send");
    }
}

#[test]
fn an_enqueue_while_the_thread_is_ending_says_so_and_not_to_open_a_scope() {
    let in_a_scope = || {
        let scope = airlock::scope().executor(Recorder::new());
        scope.run(|| send::enqueue(7).map(drop).map_err(airlock::Error::from))
    };
    // In one order or another the thread's context goes first.
    let errors = in_a_thread_locals_destructor(in_a_scope).into_iter().filter_map(Result::err);
    let errors: Vec<_> = errors.map(|error| error.to_string()).collect();
    assert!(!errors.is_empty());
    for error in errors {
        let why = "this thread or the process is ending, and its scopes are gone; enqueue before that";
        assert!(error.ends_with(&format!(": {why}")), "{error}");
    }
}
