//! Scopes that are dropped or discarded by hand.

use std::future;

use airlock::{
    Batch, BoxFuture, Discarded, Executor, FlushContext, Intent, Lifecycle, Phase, Policy, Rejection, Scope,
    ScopeBuilder, ScopeEnd, ScopeInfo, Violation, scope,
};
use airlock_tests::log::logged;
use airlock_tests::recorder::Recorder;
use futures::FutureExt;

use super::{Kept, NOTHING, assert_all_discarded, boom, panic_of, send};

#[test]
fn a_dropped_guard_discards_and_says_so_unless_it_was_empty() {
    let recorder = Recorder::new();
    let ((), log) = logged(|| drop(scope().executor(recorder.clone()).enter()));
    assert_eq!(log, "");
    let guard = scope().name("forgotten").executor(recorder.clone()).enter();
    let handle = guard.scope();
    send::enqueue(1).unwrap();
    send::enqueue(2).unwrap();
    let ((), log) = logged(|| drop(guard));
    assert!(log.contains("scope=scope `forgotten`"), "{log}");
    assert!(log.ends_with("intents=2 reason=dropped before its end\n"), "{log}");
    assert_eq!(handle.phase(), Phase::Discarded);
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn discarding_by_hand_is_quiet_and_reported() {
    let recorder = Recorder::new();
    let guard = scope().executor(recorder.clone()).enter();
    send::enqueue(1).unwrap();
    let (report, log) = logged(|| guard.discard());
    assert_eq!(log, "");
    assert_all_discarded(&report, Discarded::ByHand, 1);
    assert!(report.to_string().contains("discarded: by hand"), "{report}");
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_dropped_sealed_scope_discards_and_says_so_unless_it_was_empty() {
    let recorder = Recorder::new();
    let ((), log) = logged(|| drop(scope().executor(recorder.clone()).enter().seal().unwrap()));
    assert_eq!(log, "");
    let guard = scope().name("uncommitted").executor(recorder.clone()).enter();
    let handle = guard.scope();
    send::enqueue(1).unwrap();
    let sealed = guard.seal().unwrap();
    let ((), log) = logged(|| drop(sealed));
    assert!(log.starts_with("WARN message=a sealed scope was dropped without being dispatched"), "{log}");
    assert!(log.contains("scope=scope `uncommitted`") && log.contains("intents=1"), "{log}");
    assert_eq!(handle.phase(), Phase::Discarded);

    let guard = scope().executor(recorder.clone()).enter();
    send::enqueue(2).unwrap();
    let sealed = guard.seal().unwrap();
    let (report, log) = logged(|| sealed.discard());
    assert_eq!(log, "");
    assert_all_discarded(&report, Discarded::ByHand, 1);

    let guard = scope().executor(recorder.clone()).enter();
    send::enqueue(3).unwrap();
    let unpolled = guard.seal().unwrap().dispatch_async();
    let ((), log) = logged(|| drop(unpolled));
    assert!(log.contains("a sealed scope was dropped"), "{log}");
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn guards_dropped_out_of_order_take_away_their_own_scope_only() {
    let recorder = Recorder::new();
    let to = |name: &'static str| scope().name(name).executor(recorder.clone()).enter();
    let name = || Scope::current().map(|scope| scope.info().name().unwrap().to_owned());
    let (first, second, third) = (to("first"), to("second"), to("third"));
    send::enqueue(3).unwrap();
    let ((), log) = logged(|| drop(second));
    assert_eq!(log, "", "it held nothing");
    assert_eq!(name().as_deref(), Some("third"));
    send::enqueue(4).unwrap();
    assert_eq!(first.flush().unwrap().counts().enqueued, 0);
    assert_eq!(name().as_deref(), Some("third"));
    let report = third.flush().unwrap();
    assert_eq!(name(), None);
    assert_all_discarded(&report, Discarded::ParentDiscarded, 2);
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn local_policies_dropped_out_of_order_take_away_their_own_entry_only() {
    let guard = scope().executor(Recorder::new()).enter();
    let named = |name: &'static str| airlock::policy(Named(name)).enter();
    let in_force = || {
        send::enqueue(1).unwrap();
        let intents = guard.scope().intents();
        let policies = intents.last().unwrap().local_policies();
        policies.iter().map(|policy| policy.name().to_owned()).collect::<Vec<_>>()
    };
    let (first, second) = (named("first"), named("second"));
    assert_eq!(in_force(), ["second", "first"]);
    drop(first);
    // The second one was put around the first, and its chain is as it was.
    assert_eq!(in_force(), ["second", "first"]);
    drop(second);
    assert_eq!(in_force(), NOTHING);
    assert_eq!(guard.flush().unwrap().counts().dispatched, 3);
}

struct Named(&'static str);

impl Policy for Named {
    fn name(&self) -> &str {
        self.0
    }
}

/// Policy, executor and lifecycle that bear being set and nothing else.
struct Untouchable;

impl Policy for Untouchable {
    fn on_enqueue(&self, _intent: &Intent) -> Result<(), Violation> {
        Ok(())
    }

    fn allows(&self, intent: &Intent) -> bool {
        panic!("a policy was asked about `{}`", intent.name());
    }
}

impl Executor for Untouchable {
    fn name(&self) -> &str {
        panic!("the executor was touched");
    }

    fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        panic!("the executor was asked about `{}`", intent.name());
    }

    fn dispatch<'a>(&'a self, _batch: Batch) -> BoxFuture<'a, ()> {
        panic!("the executor was given something");
    }
}

impl Lifecycle for Untouchable {
    fn should_flush(&self, _end: &ScopeEnd<'_>) -> bool {
        panic!("the lifecycle was asked whether to flush");
    }

    fn releases(&self, _descendant: &ScopeInfo, intent: &Intent) -> bool {
        panic!("the lifecycle was asked whether it releases `{}`", intent.name());
    }
}

fn untouchable() -> ScopeBuilder {
    scope().policy(Untouchable).executor(Untouchable).lifecycle(Untouchable)
}

#[test]
fn drop_asks_nobody_and_panics_never() {
    let discarded = |kept: &Kept| assert_eq!(kept.phase(), Phase::Discarded);
    let body = |kept: &Kept| {
        kept.keep();
        send::enqueue(1).unwrap();
    };
    let kept = Kept::default();
    let guard = untouchable().enter();
    body(&kept);
    drop(guard);
    discarded(&kept);

    let mut future = Box::pin(untouchable().run_async(async {
        body(&kept);
        future::pending::<()>().await;
    }));
    assert!(future.as_mut().now_or_never().is_none());
    drop(future);
    discarded(&kept);

    // A panic in drop during this panic would abort the whole test binary.
    let panicked = panic_of(|| {
        let _outer = untouchable().enter();
        let _inner = untouchable().enter();
        body(&kept);
        boom::<()>();
    });
    assert_eq!(panicked, "boom");
    discarded(&kept);
}
