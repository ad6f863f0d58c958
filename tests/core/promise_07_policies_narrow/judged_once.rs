//! Each intent is judged once, where it would be dispatched.

use airlock::{DropAll, Intent, Lifecycle, ScopeEnd, ScopeInfo, scope};
use airlock_tests::recorder::Recorder;

use super::{Questions, audit, dropped_by, none, send};

#[test]
fn what_is_sealed_or_sent_again_is_not_judged_again() {
    let (questions, sent) = (Questions::default(), Recorder::new());
    let guard = scope().policy(questions.policy("asked", &[2])).executor(sent.clone()).enter();
    (1..=3).for_each(|order| send::enqueue(order).map(drop).unwrap());
    questions.take();
    let sealed = guard.seal().unwrap();
    let told = (1..=3).map(|order| format!("asked allows {order}")).collect::<Vec<_>>();
    assert_eq!(questions.take(), told);
    sealed.dispatch().unwrap();
    assert_eq!(questions.take(), none());
    assert_eq!(sent.calls(), ["p7.send(order_id=1)", "p7.send(order_id=3)"]);

    let down = |_: Intent| Err(airlock::DispatchError::unavailable("connection refused"));
    let ended = scope().policy(questions.policy("asked", &[2])).executor(down).run_reported(|| {
        (1..=3).for_each(|order| send::enqueue(order).map(drop).unwrap());
        questions.take();
    });
    assert_eq!(questions.take(), told);
    let again = Recorder::new();
    assert_eq!(ended.flush.unwrap_err().dispatch(&again).unwrap().counts().dispatched, 2);
    assert_eq!(questions.take(), none());
    assert_eq!(again.calls(), ["p7.send(order_id=1)", "p7.send(order_id=3)"]);
}

#[test]
fn what_its_parent_came_too_early_for_is_judged_when_it_is_sent_by_hand() {
    let (questions, sent) = (Questions::default(), Recorder::new());
    let outer = scope().policy(questions.policy("outer", &[2])).executor(Recorder::new()).enter();
    let inner = scope().policy(questions.policy("inner", &[1])).enter();
    (1..=3).for_each(|order| send::enqueue(order).map(drop).unwrap());
    outer.flush().unwrap();
    questions.take();
    let error = inner.flush().unwrap_err();
    assert_eq!(questions.take(), none(), "no policy was asked yet");
    let report = error.dispatch(&sent).unwrap();
    assert_eq!((dropped_by(&report.entries()[0]), dropped_by(&report.entries()[1])), ("inner", "outer"));
    assert_eq!(sent.calls(), ["p7.send(order_id=3)"], "no way past a policy");
}

#[test]
fn each_intent_is_judged_in_the_flush_that_would_dispatch_it() {
    struct ReleasesAudits;
    impl Lifecycle for ReleasesAudits {
        fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
            end.succeeded()
        }

        fn releases(&self, _descendant: &ScopeInfo, intent: &Intent) -> bool {
            intent.name() == "p7.audit"
        }
    }
    let (questions, sent) = (Questions::default(), Recorder::new());
    scope()
        .policy(questions.policy("outer", &[]))
        .lifecycle(ReleasesAudits)
        .executor(sent.clone())
        .run(|| {
            scope()
                .policy(questions.policy("inner", &[]))
                .executor(sent.clone())
                .run(|| {
                    send::enqueue(1).unwrap();
                    audit::enqueue(7).unwrap();
                    questions.take();
                })
                .unwrap();
            assert_eq!(questions.take(), ["inner allows 0", "outer allows 0"], "the audit, and nothing else");
        })
        .unwrap();
    assert_eq!(questions.take(), ["inner allows 1", "outer allows 1"]);
    assert_eq!(sent.calls(), ["p7.audit(order_id=7)", "p7.send(order_id=1)"]);
}

#[test]
fn an_outer_limit_is_not_spent_on_what_an_inner_policy_refuses() {
    let sent = Recorder::new();
    let two_at_once = airlock::RateLimit::new(2, std::time::Duration::from_secs(3600));
    scope()
        .policy(two_at_once)
        .executor(sent.clone())
        .run(|| {
            scope().policy(DropAll).run(|| (1..=5).for_each(|order| send::enqueue(order).map(drop).unwrap())).unwrap();
            (6..=8).for_each(|order| send::enqueue(order).map(drop).unwrap());
        })
        .unwrap();
    assert_eq!(sent.calls(), ["p7.send(order_id=6)", "p7.send(order_id=7)"]);
}

#[test]
fn async_scopes_and_wrapped_policies_form_the_same_chain() {
    let (questions, sent) = (Questions::default(), Recorder::new());
    let local = airlock::policy(questions.policy("local", &[]));
    let between = airlock::policy(questions.policy("between", &[2]));
    let inner = scope().policy(questions.policy("inner", &[])).run_async(local.wrap(async {
        for order in [1, 2] {
            tokio::task::yield_now().await;
            send::enqueue(order).unwrap();
        }
    }));
    let outer = scope().policy(questions.policy("outer", &[])).executor(sent.clone());
    futures::executor::block_on(outer.run_async(async {
        between.wrap(inner).await.unwrap();
        let told = |n| ["local", "inner", "between", "outer"].map(|name| format!("{name} enqueue {n}"));
        assert_eq!(questions.take(), [told(1), told(2)].concat());
    }))
    .unwrap();
    let told = |n| ["local", "inner", "between", "outer"].map(|name| format!("{name} allows {n}"));
    assert_eq!(questions.take(), [&told(1)[..], &told(2)[..3]].concat());
    assert_eq!(sent.calls(), ["p7.send(order_id=1)"]);
}
