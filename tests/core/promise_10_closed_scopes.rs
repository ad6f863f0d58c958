//! Promise 10: a sealed, flushed or discarded scope refuses intents with `Closed`, which hands the intent back.

use airlock::{EnqueueError, Phase, Scope, ScopeGuard};
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "p10.early")]
fn early() {}

#[airlock::task(name = "p10.late")]
fn late(n: u32) {
    let _ = n;
}

fn open(recorder: &Recorder) -> ScopeGuard {
    let guard = airlock::scope().name("till").executor(recorder.clone()).enter();
    early::enqueue().unwrap();
    guard
}

/// Both ways into a scope that has ended are refused, and say how it ended.
fn assert_closed(scope: &Scope, phase: Phase, ended: &str) {
    assert_eq!(scope.phase(), phase);
    let enqueued = scope.run(|| late::enqueue(1)).unwrap_err();
    let (intent, clone) = (late::intent(2), late::intent(3));
    let (id, pushed) = (intent.id(), scope.push(intent).unwrap_err());
    for error in [&enqueued, &pushed] {
        assert!(matches!(error, EnqueueError::Closed { .. }), "{error}");
        let text = error.to_string();
        assert!(text.starts_with("task `p10.late` can't be enqueued at tests/core/promise_10"), "{text}");
        assert!(text.contains(": scope `till` (tests/core/promise_10"), "{text}");
        assert!(text.ends_with(ended), "{text}");
    }
    assert_eq!(scope.intents().len(), 0, "nothing was added");

    // What comes back is what went in, and may go elsewhere.
    assert_eq!(enqueued.refused().intent().args::<late>(), Some(&(1,)));
    let pushed = pushed.into_intent();
    assert_eq!((pushed.id(), pushed.args::<late>()), (id, Some(&(2,))));
    let elsewhere = Recorder::new();
    let guard = airlock::scope().executor(elsewhere.clone()).enter();
    for intent in [enqueued.into_intent(), pushed, clone] {
        guard.scope().push(intent).unwrap();
    }
    guard.flush().unwrap();
    assert_eq!(elsewhere.calls(), ["p10.late(n=1)", "p10.late(n=2)", "p10.late(n=3)"]);
}

#[test]
fn a_sealed_scope_refuses_and_what_it_held_still_goes_out() {
    let recorder = Recorder::new();
    let guard = open(&recorder);
    let scope = guard.scope();
    let sealed = guard.seal().unwrap();
    assert_closed(&scope, Phase::Sealed, " is sealed");
    let report = sealed.dispatch().unwrap();
    assert_eq!(report.counts().enqueued, 1);
    assert_eq!(recorder.calls(), ["p10.early()"]);
    assert_closed(&scope, Phase::Flushed, " was flushed");
}

#[test]
fn a_flushed_scope_refuses() {
    let recorder = Recorder::new();
    let guard = open(&recorder);
    let scope = guard.scope();
    guard.flush().unwrap();
    assert_closed(&scope, Phase::Flushed, " was flushed");
    assert_eq!(recorder.calls(), ["p10.early()"]);
}

#[test]
fn a_discarded_scope_refuses() {
    let recorder = Recorder::new();
    let guard = open(&recorder);
    let scope = guard.scope();
    guard.discard();
    assert_closed(&scope, Phase::Discarded, " was discarded");
    assert!(recorder.calls().is_empty());
}

#[test]
fn a_scope_whose_guard_or_sealed_was_dropped_refuses() {
    let recorder = Recorder::new();
    let guard = open(&recorder);
    let scope = guard.scope();
    drop(guard);
    assert_closed(&scope, Phase::Discarded, " was discarded");

    let guard = open(&recorder);
    let scope = guard.scope();
    drop(guard.seal().unwrap());
    assert_closed(&scope, Phase::Discarded, " was discarded");
    assert!(recorder.calls().is_empty());
}

#[test]
fn a_scope_refuses_after_its_body_whether_it_succeeded_failed_or_panicked() {
    let recorder = Recorder::new();
    let mut kept = None;
    airlock::scope().name("till").executor(recorder.clone()).run(|| kept = Scope::current()).unwrap();
    assert_closed(&kept.take().unwrap(), Phase::Flushed, " was flushed");

    let failed = airlock::scope().name("till").executor(recorder.clone()).run(|| -> airlock::Result<()> {
        kept = Scope::current();
        early::enqueue()?;
        Err(airlock::Error::other("no"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "no");
    assert_closed(&kept.take().unwrap(), Phase::Discarded, " was discarded");

    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        airlock::scope().name("till").executor(recorder.clone()).run(|| -> () {
            kept = Scope::current();
            early::enqueue().unwrap();
            panic!("in the body");
        })
    }));
    assert!(panicked.is_err());
    assert_closed(&kept.unwrap(), Phase::Discarded, " was discarded");
    assert!(recorder.calls().is_empty());
}

#[test]
fn a_scope_is_closed_while_it_is_handed_over() {
    let (send, receive) = std::sync::mpsc::channel::<Scope>();
    let receive = std::sync::Mutex::new(receive);
    let guard = airlock::scope()
        .name("till")
        .executor(move |_: airlock::Intent| -> Result<(), airlock::DispatchError> {
            let scope = receive.lock().unwrap().recv().unwrap();
            assert_closed(&scope, Phase::Sealed, " is sealed");
            Ok(())
        })
        .enter();
    early::enqueue().unwrap();
    send.send(guard.scope()).unwrap();
    guard.flush().unwrap();
}

#[test]
fn the_same_intent_is_taken_once_and_told_apart_from_closed() {
    let recorder = Recorder::new();
    let guard = airlock::scope().executor(recorder.clone()).enter();
    let intent = late::intent(1);
    guard.scope().push(intent.clone()).unwrap();
    let again = guard.scope().push(intent.clone()).unwrap_err();
    assert!(matches!(again, EnqueueError::Repeated { .. }), "{again}");
    assert!(again.to_string().ends_with("a scope has this very intent already; make another one"), "{again}");
    assert_eq!(guard.flush().unwrap().counts().dispatched, 1);

    // Sent is sent: another scope doesn't take it either.
    let other = airlock::scope().executor(recorder.clone()).enter();
    assert!(matches!(other.scope().push(intent), Err(EnqueueError::Repeated { .. })));
    other.flush().unwrap();
    assert_eq!(recorder.calls(), ["p10.late(n=1)"]);
}
