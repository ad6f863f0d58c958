//! Promise 2: nothing escapes before the scope has ended, and there is no way to force it.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use airlock::{
    Batch, BoxFuture, Executor, FlushContext, Intent, Options, Phase, Policy, Rejection, ReleaseNested, Scope,
};
use airlock_tests::recorder::Recorder;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::block_on;

thread_local! {
    /// What ran inline on this thread.
    static RAN: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn ran() -> Vec<u64> {
    RAN.with_borrow(Clone::clone)
}

#[airlock::task(name = "p2.send")]
fn send(order_id: u64) {
    RAN.with_borrow_mut(|ran| ran.push(order_id));
}

#[airlock::task(name = "p2.send_async")]
async fn send_async(order_id: u64) {
    send(order_id);
}

#[airlock::task(name = "p2.send_local", local)]
fn send_local(order_id: u64) {
    send(order_id);
}

/// Writes down whatever is asked of it: policy and executor in one.
#[derive(Clone, Default)]
struct Witness(Recorder);

impl Policy for Witness {
    fn allows(&self, intent: &Intent) -> bool {
        self.0.note(format!("judge {}", intent.name()));
        true
    }
}

impl Executor for Witness {
    fn name(&self) -> &str {
        self.0.note("name");
        "witness"
    }

    fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        self.0.note(format!("accept {}", intent.name()));
        Ok(())
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        self.0.dispatch(batch)
    }
}

#[test]
fn inline_tasks_wait_for_the_end_of_the_scope() {
    airlock::scope()
        .run(|| {
            for order_id in 1..=3 {
                send::enqueue(order_id).unwrap();
                assert_eq!(ran(), [0_u64; 0], "escaped before the end");
            }
            send_local::enqueue(4).unwrap();
            assert_eq!(ran(), [0_u64; 0]);
        })
        .unwrap();
    assert_eq!(ran(), [1, 2, 3, 4]);
}

#[test]
fn neither_policy_nor_executor_hears_of_an_intent_before_the_end() {
    let witness = Witness::default();
    let log = witness.0.clone();
    let guard = airlock::scope().policy(witness.clone()).executor(witness).enter();
    send::enqueue(1).unwrap();
    send::enqueue(2).unwrap();
    assert_eq!(log.calls(), [""; 0]);
    guard.flush().unwrap();
    let calls = log.calls();
    assert_eq!(calls[..2], ["judge p2.send"; 2]);
    assert_eq!(calls[calls.len() - 2..], ["p2.send(order_id=1)", "p2.send(order_id=2)"]);
}

#[test]
fn no_option_forces_an_intent_out() {
    let recorder = Recorder::new();
    let guard = airlock::scope().executor(recorder.clone()).deadline(Duration::ZERO).enter();
    let now = SystemTime::now();
    for options in [
        Options::new().delay(Duration::ZERO),
        Options::new().eta(now - Duration::from_secs(3600)),
        Options::new().expires_in(Duration::ZERO),
        Options::new().expires_at(now - Duration::from_secs(1)),
        Options::new().priority(9).max_retries(0).timeout(Duration::ZERO).queue("now"),
    ] {
        send::enqueue_with(options, 1).unwrap();
    }
    assert_eq!(guard.scope().intents().len(), 5);
    assert!(recorder.calls().is_empty());
    assert_eq!(guard.discard().counts().discarded, 5);
    assert!(recorder.calls().is_empty());
}

#[test]
fn nothing_escapes_at_the_awaits_of_an_async_scope() {
    let recorder = Recorder::new();
    let (resume, resumed) = oneshot::channel::<()>();
    let mut scope = Box::pin(airlock::scope().executor(recorder.clone()).run_async(async {
        send_async::enqueue(1).unwrap();
        resumed.await.unwrap();
        send_async::enqueue(2).unwrap();
    }));
    for _ in 0..3 {
        assert!(scope.as_mut().now_or_never().is_none());
        assert!(recorder.calls().is_empty());
    }
    resume.send(()).unwrap();
    block_on(scope).unwrap();
    assert_eq!(recorder.calls(), ["p2.send_async(order_id=1)", "p2.send_async(order_id=2)"]);
}

#[test]
fn the_end_of_a_nested_scope_is_not_the_end() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    airlock::scope()
        .executor(outer.clone())
        .run(|| {
            airlock::scope().executor(inner.clone()).run(|| send::enqueue(1).map(drop).unwrap()).unwrap();
            let guard = airlock::scope().executor(inner.clone()).enter();
            send::enqueue(2).unwrap();
            guard.seal().unwrap().dispatch().unwrap();
            block_on(airlock::scope().executor(inner.clone()).run_async(async {
                send::enqueue(3).unwrap();
            }))
            .unwrap();
            assert!(outer.calls().is_empty());
        })
        .unwrap();
    assert!(inner.calls().is_empty());
    assert_eq!(outer.calls(), ["p2.send(order_id=1)", "p2.send(order_id=2)", "p2.send(order_id=3)"]);
}

#[test]
fn a_released_scope_ends_by_itself_and_not_before() {
    let recorder = Recorder::new();
    airlock::scope()
        .lifecycle(ReleaseNested)
        .executor(recorder.clone())
        .run(|| {
            send::enqueue(1).unwrap();
            airlock::scope()
                .executor(recorder.clone())
                .run(|| {
                    send::enqueue(2).unwrap();
                    assert!(recorder.calls().is_empty());
                })
                .unwrap();
            assert_eq!(recorder.calls(), ["p2.send(order_id=2)"], "its end is an end");
        })
        .unwrap();
    assert_eq!(recorder.calls(), ["p2.send(order_id=2)", "p2.send(order_id=1)"]);
}

#[test]
fn the_end_of_a_thread_that_was_lent_the_scope_is_not_its_end() {
    let recorder = Recorder::new();
    airlock::scope()
        .executor(recorder.clone())
        .run(|| {
            let scope = Scope::current().unwrap();
            thread::spawn(move || {
                scope.run(|| send::enqueue(1)).unwrap();
                scope.push(send::intent(2)).unwrap();
                drop(scope);
            })
            .join()
            .unwrap();
            assert!(recorder.calls().is_empty());
        })
        .unwrap();
    assert_eq!(recorder.calls(), ["p2.send(order_id=1)", "p2.send(order_id=2)"]);
}

#[test]
fn looking_at_a_scope_lets_nothing_out_and_takes_nothing_away() {
    let recorder = Recorder::new();
    let guard = airlock::scope().executor(recorder.clone()).enter();
    send::enqueue(1).unwrap();
    let scope = guard.scope();
    drop((scope.intents(), scope.own_intents(), scope.captured_intents(), scope.clone()));
    drop(scope.intents().iter().map(|intent| intent.to_json().unwrap()).collect::<Vec<_>>());
    assert!(recorder.calls().is_empty());
    guard.flush().unwrap();
    assert_eq!(recorder.calls(), ["p2.send(order_id=1)"]);
}

#[test]
fn a_sealed_scope_holds_until_the_word_and_judges_once() {
    let witness = Witness::default();
    let log = witness.0.clone();
    let guard = airlock::scope().policy(witness.clone()).executor(witness).enter();
    send::enqueue(1).unwrap();
    let handle = guard.scope();
    let sealed = guard.seal().unwrap();
    assert_eq!(handle.phase(), Phase::Sealed);
    assert_eq!(sealed.intents().len(), 1);
    assert_eq!(log.calls(), ["judge p2.send", "accept p2.send"]);
    sealed.dispatch().unwrap();
    assert_eq!(handle.phase(), Phase::Flushed);
    assert_eq!(log.calls().iter().filter(|call| call.starts_with("judge")).count(), 1);
    assert_eq!(log.calls().last().unwrap(), "p2.send(order_id=1)");
}

#[test]
fn a_scope_is_open_in_its_body_and_closed_while_its_intents_escape() {
    let handle: Arc<Mutex<Option<Scope>>> = Arc::default();
    let (seen, of_executor) = (Recorder::new(), Arc::clone(&handle));
    let note = seen.clone();
    let executor = airlock::executor_fn(move |intent: Intent| {
        let scope = of_executor.lock().unwrap();
        note.note(format!("{} while {:?}", intent.name(), scope.as_ref().unwrap().phase()));
        Ok::<(), airlock::DispatchError>(())
    });
    airlock::scope()
        .executor(executor)
        .run(|| {
            *handle.lock().unwrap() = Scope::current();
            assert_eq!(Scope::current().unwrap().phase(), Phase::Open);
            send::enqueue(1).unwrap();
            send_local::enqueue(2).unwrap();
            assert_eq!(Scope::current().unwrap().phase(), Phase::Open);
        })
        .unwrap();
    assert_eq!(seen.calls(), ["p2.send while Sealed"]);
    assert_eq!(ran(), [2], "the local task ran here");
    assert_eq!(handle.lock().unwrap().as_ref().unwrap().phase(), Phase::Flushed);
}
