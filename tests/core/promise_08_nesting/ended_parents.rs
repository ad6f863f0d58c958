//! Ancestors that have ended before.

use airlock::{Discarded, Outcome, Phase, ReleaseNested, Scope, scope};
use airlock_tests::recorder::Recorder;
use futures::FutureExt;
use futures::executor::block_on;

use super::{AuditAtOnce, NOTHING, audit, names, send};

#[test]
fn what_every_ancestor_releases_goes_whatever_became_of_them() {
    for end in [Phase::Discarded, Phase::Sealed, Phase::Flushed] {
        let (inner, outer) = (Recorder::new(), Recorder::new());
        let parent = scope().lifecycle(ReleaseNested).executor(outer.clone()).enter();
        let child = scope().executor(inner.clone()).enter();
        send::enqueue(1).unwrap();
        let mut sealed = None;
        match end {
            Phase::Discarded => drop(parent.discard()),
            Phase::Sealed => sealed = Some(parent.seal().unwrap()),
            _ => drop(parent.flush().unwrap()),
        }
        assert_eq!(child.flush().unwrap().counts().dispatched, 1, "{end:?}");
        assert_eq!(inner.calls(), ["p8.send(order_id=1)"]);
        assert_eq!(outer.calls(), NOTHING);
        drop(sealed);
    }
}

#[test]
fn a_discarded_grandparent_discards_at_the_end_of_the_parent() {
    let recorder = Recorder::new();
    let outer = scope().name("outer").executor(recorder.clone()).enter();
    let middle = scope().name("middle").executor(recorder.clone()).enter();
    let inner = scope().executor(recorder.clone()).enter();
    send::enqueue(1).unwrap();
    drop(outer);
    let report = inner.flush().unwrap();
    let Outcome::Captured { scope } = report.entries()[0].outcome() else { panic!("{report}") };
    assert_eq!(scope.name(), Some("middle"), "its parent is open");
    let report = middle.flush().unwrap();
    assert!(
        matches!(report.entries()[0].outcome(), Outcome::Discarded { reason: Discarded::ParentDiscarded }),
        "{report}"
    );
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_discarded_parent_keeps_its_part_and_the_released_part_goes() {
    let recorder = Recorder::new();
    let outer = scope().lifecycle(AuditAtOnce).executor(Recorder::new()).enter();
    let inner = scope().name("inner").executor(recorder.clone()).enter();
    send::enqueue(1).unwrap();
    audit::enqueue(2).unwrap();
    drop(outer);
    let report = inner.flush().unwrap();
    assert_eq!(report.counts().to_string(), "2 enqueued: 1 dispatched, 1 discarded");
    assert_eq!(recorder.calls(), ["p8.audit(order_id=2)"]);
}

#[test]
fn without_a_report_a_discarded_parent_is_no_error_and_an_ended_one_is() {
    let recorder = Recorder::new();
    let orphan = |flushed: bool| {
        let parent = scope().executor(recorder.clone()).enter();
        let handle = parent.scope();
        if flushed {
            drop(parent.flush().unwrap());
        } else {
            drop(parent.discard());
        }
        handle
    };
    let body = || send::enqueue(1).map(drop).unwrap();
    let asynchronous = |scope: airlock::ScopeBuilder| block_on(scope.run_async(async { body() }));

    orphan(false).run(|| scope().run(body)).unwrap();
    orphan(false).run(|| asynchronous(scope())).unwrap();
    for error in [orphan(true).run(|| scope().run(body)), orphan(true).run(|| asynchronous(scope()))] {
        let error = error.unwrap_err();
        assert!(error.to_string().ends_with("the scope around had ended before (flushed)"), "{error}");
        assert_eq!(names(error.undispatched()), ["p8.send(order_id=1)"]);
        assert_eq!(error.report().counts().unattempted, 1);
        assert_eq!(error.into_intents().len(), 1);
    }
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_child_that_outlives_a_cancelled_parent_is_discarded() {
    let recorder = Recorder::new();
    let carried = std::sync::OnceLock::new();
    let mut parent = Box::pin(scope().executor(recorder.clone()).run_async(async {
        carried.set(Scope::current().unwrap()).unwrap();
        std::future::pending::<()>().await;
    }));
    assert!(parent.as_mut().now_or_never().is_none());
    let child = carried.get().unwrap().wrap(scope().run_reported_async(async {
        tokio::task::yield_now().await;
        send::enqueue(1).unwrap();
    }));
    drop(parent);
    let report = block_on(child).flush.unwrap();
    assert!(report.to_string().contains("p8.send: discarded: parent discarded"), "{report}");
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_scope_opened_in_a_thread_that_carries_another_is_nested_in_it() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    scope()
        .executor(outer.clone())
        .run(|| {
            let carried = Scope::current().unwrap();
            let executor = inner.clone();
            let ended = std::thread::spawn(move || {
                carried.run(|| scope().executor(executor).run_reported(|| send::enqueue(1).map(drop).unwrap()))
            });
            assert_eq!(ended.join().unwrap().flush.unwrap().counts().captured, 1);
        })
        .unwrap();
    assert_eq!(outer.calls(), ["p8.send(order_id=1)"]);
    assert_eq!(inner.calls(), NOTHING);
}

#[test]
fn a_sealed_nested_scope_that_is_dropped_takes_only_the_released_ones_with_it() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    let guard = scope().lifecycle(AuditAtOnce).executor(outer.clone()).enter();
    let nested = scope().name("inner").executor(inner.clone()).enter();
    send::enqueue(1).unwrap();
    audit::enqueue(2).unwrap();
    let report = nested.seal().unwrap().discard();
    assert_eq!(report.counts().to_string(), "2 enqueued: 1 captured, 1 discarded");
    assert_eq!(guard.flush().unwrap().counts().dispatched, 1);
    assert_eq!(outer.calls(), ["p8.send(order_id=1)"]);
    assert_eq!(inner.calls(), NOTHING);
}

#[test]
fn a_local_policy_captures_nothing() {
    let recorder = Recorder::new();
    let ended = scope().executor(recorder.clone()).run_reported(|| {
        airlock::policy(airlock::AllowAll).run(|| send::enqueue(1).map(drop).unwrap());
        let current = Scope::current().unwrap();
        assert_eq!((current.own_intents().len(), current.captured_intents().len()), (1, 0));
    });
    assert_eq!(ended.flush.unwrap().counts().to_string(), "1 enqueued: 1 dispatched");
    assert_eq!(recorder.calls(), ["p8.send(order_id=1)"]);
}
