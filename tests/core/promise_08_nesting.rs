//! Promise 8: a nested scope that ends well is captured by its parent unless every ancestor in turn releases it. The
//! scope that flushes supplies the executor.

mod ended_parents;

use airlock::{
    Discarded, Intent, Lifecycle, Outcome, Phase, ReleaseNested, Scope, ScopeEnd, ScopeInfo, Unattempted, scope,
};
use airlock_tests::recorder::Recorder;
use futures::executor::block_on;

#[airlock::task(name = "p8.send")]
fn send(order_id: u64) {
    let _ = order_id;
}

#[airlock::task(name = "p8.audit")]
fn audit(order_id: u64) {
    let _ = order_id;
}

/// Lets audit records go on their own.
struct AuditAtOnce;

impl Lifecycle for AuditAtOnce {
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
        end.succeeded()
    }

    fn releases(&self, descendant: &ScopeInfo, intent: &Intent) -> bool {
        assert!(descendant.name().is_some(), "asked about the scope that ends, which has a name in these tests");
        intent.name() == "p8.audit"
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_nested_scope_is_captured_and_the_outer_scope_supplies_the_executor() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    let ended = scope().name("outer").executor(outer.clone()).run_reported(|| {
        let ended = scope().name("inner").executor(inner.clone()).run_reported(|| send::enqueue(1).map(drop));
        let report = ended.flush.unwrap();
        let Outcome::Captured { scope } = report.entries()[0].outcome() else { panic!("{report}") };
        assert_eq!(scope.name(), Some("outer"));
        let current = Scope::current().unwrap();
        assert_eq!((current.captured_intents().len(), current.own_intents().len()), (1, 0));
        send::enqueue(2).unwrap();
        assert_eq!((current.captured_intents().len(), current.own_intents().len()), (1, 1));
        assert_eq!(outer.calls(), NOTHING, "nothing before the outer scope ends");
    });
    assert_eq!(ended.flush.unwrap().counts().dispatched, 2);
    assert_eq!(outer.calls(), ["p8.send(order_id=1)", "p8.send(order_id=2)"]);
    assert_eq!(inner.calls(), NOTHING);
}

#[test]
fn an_intent_captured_twice_ends_up_in_the_outermost_scope() {
    let recorder = Recorder::new();
    let report = scope()
        .executor(recorder.clone())
        .run_reported(|| {
            scope().name("middle").run(|| {
                scope().name("inner").run(|| {
                    send::enqueue(1).unwrap();
                })
            })
        })
        .flush
        .unwrap();
    assert_eq!(recorder.calls(), ["p8.send(order_id=1)"]);
    let tree = report.to_string();
    assert!(tree.contains("scope `middle`") && tree.contains("scope `inner`"), "the report tells the way: {tree}");
}

#[test]
fn a_nested_scope_that_fails_discards_its_own_and_nothing_else() {
    let recorder = Recorder::new();
    let ended = scope().executor(recorder.clone()).run_reported(|| {
        send::enqueue(1).unwrap();
        let inner = scope().run_reported(|| -> Result<(), String> {
            send::enqueue(2).unwrap();
            Err("no".to_owned())
        });
        assert_eq!(inner.flush.unwrap().counts().discarded, 1);
        send::enqueue(3).unwrap();
    });
    assert_eq!(ended.flush.unwrap().counts().enqueued, 2);
    assert_eq!(recorder.calls(), ["p8.send(order_id=1)", "p8.send(order_id=3)"]);
}

#[test]
fn an_outer_scope_that_fails_discards_what_it_captured() {
    let recorder = Recorder::new();
    let ended = scope().executor(recorder.clone()).run_reported(|| -> Result<(), String> {
        scope()
            .run(|| {
                send::enqueue(1).unwrap();
            })
            .unwrap();
        Err("no".to_owned())
    });
    assert_eq!(ended.flush.unwrap().counts().discarded, 1);
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_released_scope_flushes_by_itself_with_its_own_executor() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    scope()
        .lifecycle(ReleaseNested)
        .executor(outer.clone())
        .run(|| {
            scope()
                .executor(inner.clone())
                .run(|| {
                    send::enqueue(1).unwrap();
                })
                .unwrap();
            assert_eq!(inner.calls(), ["p8.send(order_id=1)"], "at the end of the inner scope");
        })
        .unwrap();
    assert_eq!(outer.calls(), NOTHING);
}

#[test]
fn every_ancestor_has_to_release_and_the_first_that_does_not_captures() {
    let (inner, middle, outer) = (Recorder::new(), Recorder::new(), Recorder::new());
    scope()
        .name("outer")
        .executor(outer.clone())
        .run(|| {
            let ended = scope().name("middle").lifecycle(ReleaseNested).executor(middle.clone()).run_reported(|| {
                let ended = scope().name("inner").executor(inner.clone()).run_reported(|| send::enqueue(1).map(drop));
                let report = ended.flush.unwrap();
                let Outcome::Captured { scope } = report.entries()[0].outcome() else { panic!("{report}") };
                assert_eq!(scope.name(), Some("outer"), "the parent releases, the grandparent doesn't");
            });
            assert_eq!(ended.flush.unwrap().counts().enqueued, 0, "it passed the middle scope by");
        })
        .unwrap();
    assert_eq!((inner.calls().len(), middle.calls().len()), (0, 0));
    assert_eq!(outer.calls(), ["p8.send(order_id=1)"]);
}

#[test]
fn a_scope_may_release_some_intents_and_capture_the_others() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    scope()
        .lifecycle(AuditAtOnce)
        .executor(outer.clone())
        .run(|| {
            let ended = scope().name("inner").executor(inner.clone()).run_reported(|| {
                send::enqueue(1).unwrap();
                audit::enqueue(2).unwrap();
                send::enqueue(3).unwrap();
            });
            let counts = ended.flush.unwrap().counts();
            assert_eq!((counts.dispatched, counts.captured, counts.enqueued), (1, 2, 3));
        })
        .unwrap();
    assert_eq!(inner.calls(), ["p8.audit(order_id=2)"]);
    assert_eq!(outer.calls(), ["p8.send(order_id=1)", "p8.send(order_id=3)"]);
}

#[test]
fn sealing_a_nested_scope_gives_captured_intents_away_at_once_and_holds_the_released_ones() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    scope()
        .lifecycle(AuditAtOnce)
        .executor(outer.clone())
        .run(|| {
            let guard = scope().name("inner").executor(inner.clone()).enter();
            send::enqueue(1).unwrap();
            audit::enqueue(2).unwrap();
            let sealed = guard.seal().unwrap();
            assert_eq!(Scope::current().unwrap().captured_intents().len(), 1);
            assert_eq!(sealed.intents().iter().map(Intent::name).collect::<Vec<_>>(), ["p8.audit"]);
            assert_eq!(inner.calls(), NOTHING);
            let report = sealed.dispatch().unwrap();
            assert_eq!(report.counts().enqueued, 2, "both are accounted for: {report}");
            assert_eq!(inner.calls(), ["p8.audit(order_id=2)"]);
        })
        .unwrap();
    assert_eq!(outer.calls(), ["p8.send(order_id=1)"]);
}

#[test]
fn a_parent_that_was_discarded_discards_what_it_would_have_captured() {
    let recorder = Recorder::new();
    let outer = scope().executor(recorder.clone()).enter();
    let inner = scope().name("inner").enter();
    send::enqueue(1).unwrap();
    assert_eq!(outer.discard().counts().enqueued, 0);
    let report = inner.flush().unwrap();
    let outcome = report.entries()[0].outcome();
    assert!(matches!(outcome, Outcome::Discarded { reason: Discarded::ParentDiscarded }), "{report}");
    assert!(report.to_string().contains("parent discarded"), "{report}");
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_parent_that_was_flushed_gives_every_intent_back_in_an_error() {
    let recorder = Recorder::new();
    let outer = scope().executor(recorder.clone()).enter();
    let inner = scope().name("inner").enter();
    let ids = [send::enqueue(1).unwrap(), audit::enqueue(2).unwrap()];
    outer.flush().unwrap();
    let error = inner.flush().unwrap_err();
    assert_eq!(error.undispatched().iter().map(Intent::id).collect::<Vec<_>>(), ids);
    for entry in error.report().entries() {
        assert!(
            matches!(entry.outcome(), Outcome::Unattempted { reason: Unattempted::ParentEnded(Phase::Flushed) }),
            "{}",
            error.report()
        );
    }
    assert!(error.to_string().contains("the scope around had ended before"), "{error}");
    assert_eq!(error.into_intents().len(), 2);
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_parent_that_is_sealed_gives_every_intent_back_even_those_it_would_release() {
    let recorder = Recorder::new();
    let outer = scope().lifecycle(AuditAtOnce).executor(recorder.clone()).enter();
    let inner = scope().name("inner").executor(recorder.clone()).enter();
    send::enqueue(1).unwrap();
    audit::enqueue(2).unwrap();
    let sealed = outer.seal().unwrap();
    let error = inner.flush().unwrap_err();
    assert_eq!(error.into_intents().len(), 2, "all or nothing");
    sealed.dispatch().unwrap();
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn one_captor_that_has_ended_keeps_the_other_from_taking_its_part() {
    for sealed in [true, false] {
        let recorder = Recorder::new();
        let outer = scope().name("outer").executor(recorder.clone()).enter();
        let middle = scope().name("middle").lifecycle(AuditAtOnce).executor(recorder.clone()).enter();
        let inner = scope().name("inner").executor(recorder.clone()).enter();
        send::enqueue(1).unwrap();
        audit::enqueue(2).unwrap();
        let outer = outer.seal().unwrap();
        let outer = if sealed { Some(outer) } else { outer.dispatch().map(|_| None).unwrap() };
        let error = inner.flush().unwrap_err();
        assert_eq!(names(error.undispatched()), ["p8.send(order_id=1)", "p8.audit(order_id=2)"]);
        assert_eq!(error.report().counts().to_string(), "2 enqueued: 2 unattempted");
        assert_eq!(middle.scope().intents().len(), 0, "what the error holds is nowhere else");
        assert_eq!(error.into_intents().len(), 2);
        middle.flush().unwrap();
        drop(outer);
        assert_eq!(recorder.calls(), NOTHING);
    }
}

#[test]
fn an_async_scope_opens_at_its_first_poll_inside_the_scope_current_then() {
    let (made, polled) = (Recorder::new(), Recorder::new());
    let mut future = None;
    scope()
        .executor(made.clone())
        .run(|| {
            future = Some(scope().run_async(async {
                send::enqueue(1).unwrap();
            }));
        })
        .unwrap();
    scope().executor(polled.clone()).run(|| block_on(future.take().unwrap())).unwrap();
    assert_eq!(made.calls(), NOTHING, "made in one scope");
    assert_eq!(polled.calls(), ["p8.send(order_id=1)"], "opened in another");
}

fn names(intents: &[Intent]) -> Vec<String> {
    intents.iter().map(Intent::to_string).collect()
}

#[test]
fn async_scopes_nest_like_sync_ones() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    let ended = block_on(scope().name("outer").executor(outer.clone()).run_reported_async(async {
        let ended = scope()
            .executor(inner.clone())
            .run_reported_async(async {
                tokio::task::yield_now().await;
                send::enqueue(1).unwrap();
            })
            .await;
        let report = ended.flush.unwrap();
        let Outcome::Captured { scope: captor } = report.entries()[0].outcome() else { panic!("{report}") };
        assert_eq!(captor.name(), Some("outer"));
        let failed = scope().run_reported_async(async {
            send::enqueue(2).unwrap();
            Err::<(), _>("no")
        });
        assert_eq!(failed.await.flush.unwrap().counts().discarded, 1);
        // A sync scope in an async one, too.
        scope().executor(inner.clone()).run(|| send::enqueue(3).map(drop).unwrap()).unwrap();
        assert_eq!(outer.calls(), NOTHING);
    }));
    assert_eq!(ended.flush.unwrap().counts().dispatched, 2);
    assert_eq!(outer.calls(), ["p8.send(order_id=1)", "p8.send(order_id=3)"]);
    assert_eq!(inner.calls(), NOTHING);
}

#[test]
fn a_nested_scope_that_panics_discards_its_own_and_nothing_else() {
    let recorder = Recorder::new();
    scope()
        .executor(recorder.clone())
        .run(|| {
            send::enqueue(1).unwrap();
            let body = || -> () {
                send::enqueue(2).unwrap();
                scope().run(|| send::enqueue(3).map(drop).unwrap()).unwrap();
                panic!("on purpose");
            };
            assert!(std::panic::catch_unwind(|| scope().run(body)).is_err());
            send::enqueue(4).unwrap();
        })
        .unwrap();
    assert_eq!(recorder.calls(), ["p8.send(order_id=1)", "p8.send(order_id=4)"]);
}

#[test]
fn ancestors_are_asked_in_turn_about_the_scope_that_ends_and_not_that_scope_itself() {
    struct Asked(&'static str, Recorder, bool);
    impl Lifecycle for Asked {
        fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
            end.succeeded()
        }

        fn releases(&self, descendant: &ScopeInfo, intent: &Intent) -> bool {
            self.1.note(format!("{}: {} of {}?", self.0, intent, descendant.name().unwrap()));
            self.2
        }
    }
    let (questions, recorder) = (Recorder::new(), Recorder::new());
    let to = |name: &'static str, releases| {
        scope().name(name).lifecycle(Asked(name, questions.clone(), releases)).executor(recorder.clone())
    };
    to("outer", false)
        .run(|| {
            to("middle", true)
                .run(|| {
                    to("inner", false).run(|| send::enqueue(1).map(drop).unwrap()).unwrap();
                    assert_eq!(
                        questions.calls(),
                        ["middle: p8.send(order_id=1) of inner?", "outer: p8.send(order_id=1) of inner?"]
                    );
                    audit::enqueue(2).unwrap();
                })
                .unwrap();
            assert_eq!(questions.calls()[2..], ["outer: p8.audit(order_id=2) of middle?"]);
        })
        .unwrap();
    assert_eq!(questions.calls().len(), 3, "nothing is around the outer scope");
    assert_eq!(recorder.calls(), ["p8.send(order_id=1)", "p8.audit(order_id=2)"]);
}
