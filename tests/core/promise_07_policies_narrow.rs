//! Promise 7: a policy can only narrow. Capture moves intents unjudged; each is judged once, in the flush that would
//! dispatch it, by its local policies and those of all scopes around it, innermost first, up to the first refusal.

use std::sync::{Arc, Mutex};

use airlock::{
    AllowAll, AssertNoEffects, BlockTasks, Discarded, DropAll, EnqueueError, Intent, Outcome, Policy, ReleaseNested,
    Violation, policy_fn, scope,
};
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "p7.send")]
fn send(order_id: u64) {
    let _ = order_id;
}

#[airlock::task(name = "p7.audit")]
fn audit(order_id: u64) {
    let _ = order_id;
}

/// What was asked of which policy, in order.
#[derive(Debug, Clone, Default)]
struct Questions(Arc<Mutex<Vec<String>>>);

impl Questions {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A policy that writes down what it is asked, and refuses the orders listed.
    fn policy(&self, name: &'static str, refuses: &'static [u64]) -> Asked {
        Asked { name, refuses, questions: self.clone() }
    }
}

struct Asked {
    name: &'static str,
    refuses: &'static [u64],
    questions: Questions,
}

impl Asked {
    fn note(&self, what: &str, intent: &Intent) -> u64 {
        let order = intent.args::<send>().map_or(0, |args| args.0);
        self.questions.0.lock().unwrap().push(format!("{} {what} {order}", self.name));
        order
    }
}

impl Policy for Asked {
    fn name(&self) -> &str {
        self.name
    }

    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        self.note("enqueue", intent);
        Ok(())
    }

    fn allows(&self, intent: &Intent) -> bool {
        let order = self.note("allows", intent);
        !self.refuses.contains(&order)
    }
}

fn dropped_by(entry: &airlock::ReportEntry) -> &str {
    match entry.outcome() {
        Outcome::Dropped { policy } => policy,
        other => panic!("not dropped: {other:?}"),
    }
}

#[test]
fn an_inner_policy_still_holds_after_capture() {
    let recorder = Recorder::new();
    let outer = scope().name("outer").executor(recorder.clone()).run_reported(|| {
        let inner = scope().name("inner").policy(DropAll).run_reported(|| send::enqueue(1).map(drop));
        let report = inner.flush.unwrap();
        assert_eq!(report.counts().captured, 1, "the inner report says captured, whatever will be judged later");
        assert_eq!(report.counts().dropped, 0);
        send::enqueue(2).map(drop)
    });
    let report = outer.flush.unwrap();
    assert_eq!(recorder.calls(), ["p7.send(order_id=2)"]);
    assert_eq!(dropped_by(&report.entries()[0]), "DropAll", "the outer report says dropped, by the inner policy");
    assert_eq!((report.counts().dropped, report.counts().dispatched), (1, 1));
}

#[test]
fn an_outer_refusal_is_not_undone_by_an_inner_allow_all() {
    let recorder = Recorder::new();
    let outer = scope().policy(BlockTasks::of::<send>()).executor(recorder.clone()).run_reported(|| {
        scope().policy(AllowAll).run(|| -> airlock::Result<()> {
            send::enqueue(1)?;
            audit::enqueue(1)?;
            Ok(())
        })
    });
    assert_eq!(dropped_by(&outer.flush.unwrap().entries()[0]), "BlockTasks");
    assert_eq!(recorder.calls(), ["p7.audit(order_id=1)"]);
}

#[test]
fn policies_are_asked_innermost_first_and_once_in_the_flush_that_dispatches() {
    let (questions, recorder) = (Questions::default(), Recorder::new());
    let asked = |name| questions.policy(name, &[]);
    let flushed = airlock::policy(asked("around")).run(|| {
        scope().policy(asked("outer")).executor(recorder.clone()).run(|| {
            airlock::policy(asked("middle"))
                .run(|| {
                    scope().policy(asked("inner")).run(|| {
                        airlock::policy(asked("local")).run(|| send::enqueue(1).unwrap());
                        let told =
                            ["local", "inner", "middle", "outer", "around"].map(|name| format!("{name} enqueue 1"));
                        assert_eq!(questions.take(), told, "asked at the call, along the whole chain");
                    })
                })
                .unwrap();
            assert_eq!(questions.take(), Vec::<String>::new(), "capture asks nobody");
        })
    });
    flushed.unwrap();
    let told = ["local", "inner", "middle", "outer", "around"].map(|name| format!("{name} allows 1"));
    assert_eq!(questions.take(), told);
    assert_eq!(recorder.calls(), ["p7.send(order_id=1)"]);
}

#[test]
fn the_first_refusal_ends_the_questions_and_is_named() {
    let questions = Questions::default();
    let outer = scope().policy(questions.policy("outer", &[1, 2])).run_reported(|| -> airlock::Result<()> {
        airlock::policy(questions.policy("local", &[1])).run(|| send::enqueue(1))?;
        send::enqueue(2)?;
        send::enqueue(3)?;
        Ok(())
    });
    let report = outer.flush.unwrap();
    let allows: Vec<_> = questions.take().into_iter().filter(|line| line.contains("allows")).collect();
    assert_eq!(allows, ["local allows 1", "outer allows 2", "outer allows 3"], "intents in order, no second question");
    assert_eq!(dropped_by(&report.entries()[0]), "local");
    assert_eq!(dropped_by(&report.entries()[1]), "outer");
    assert!(matches!(report.entries()[2].outcome(), Outcome::Dispatched));
}

#[test]
fn an_outer_assert_no_effects_fails_the_call_inside_a_nested_scope() {
    let outer = scope().name("outer").policy(AssertNoEffects).run_reported(|| {
        let inner = scope().policy(AllowAll).run_reported(|| {
            let error = send::enqueue(1).unwrap_err();
            assert!(matches!(error, EnqueueError::Rejected { .. }), "{error}");
            assert_eq!(error.refused().policy(), Some("AssertNoEffects"));
            assert!(error.to_string().contains("`p7.send`"), "{error}");
        });
        assert_eq!(inner.flush.unwrap().counts().enqueued, 0);
    });
    assert_eq!(outer.flush.unwrap().counts().enqueued, 0);
}

#[test]
fn a_local_assert_no_effects_holds_in_a_scope_opened_under_it() {
    airlock::policy(AssertNoEffects)
        .run(|| {
            scope().run(|| {
                assert!(matches!(send::enqueue(1), Err(EnqueueError::Rejected { .. })));
            })
        })
        .unwrap();
}

#[test]
fn releasing_changes_who_flushes_and_not_who_is_asked() {
    let (questions, inner_recorder, outer_recorder) = (Questions::default(), Recorder::new(), Recorder::new());
    let outer = scope()
        .policy(questions.policy("outer", &[2]))
        .lifecycle(ReleaseNested)
        .executor(outer_recorder.clone())
        .run_reported(|| {
            let inner = scope()
                .policy(questions.policy("inner", &[1]))
                .executor(inner_recorder.clone())
                .run_reported(|| (1..=3).try_for_each(|order| send::enqueue(order).map(drop)));
            let report = inner.flush.unwrap();
            assert_eq!(dropped_by(&report.entries()[0]), "inner");
            assert_eq!(
                dropped_by(&report.entries()[1]),
                "outer",
                "the outer policy is asked although the inner flushes"
            );
        });
    assert_eq!(inner_recorder.calls(), ["p7.send(order_id=3)"]);
    assert_eq!(outer_recorder.calls(), Vec::<String>::new());
    assert_eq!(outer.flush.unwrap().counts().enqueued, 0);
}

#[test]
fn a_counting_policy_counts_each_intent_once_however_deep_it_was_captured() {
    let count = Arc::new(Mutex::new(0));
    let counting = {
        let count = Arc::clone(&count);
        policy_fn(move |_| {
            *count.lock().unwrap() += 1;
            true
        })
    };
    scope()
        .executor(Recorder::new())
        .run(|| {
            scope().run(|| scope().policy(counting).run(|| send::enqueue(1).map(drop).map_err(airlock::Error::from)))
        })
        .unwrap();
    assert_eq!(*count.lock().unwrap(), 1);
}

#[test]
fn a_discarded_scope_asks_nobody() {
    let questions = Questions::default();
    let ended = scope().policy(questions.policy("asked", &[])).run_reported(|| -> Result<(), String> {
        send::enqueue(1).unwrap();
        questions.take();
        Err("no".to_owned())
    });
    assert_eq!(questions.take(), Vec::<String>::new());
    let report = ended.flush.unwrap();
    assert!(matches!(report.entries()[0].outcome(), Outcome::Discarded { reason: Discarded::BodyFailed }));
}

#[test]
fn a_local_policy_around_a_future_holds_in_each_of_its_polls_and_in_no_other_future() {
    let recorder = Recorder::new();
    let body = async {
        let narrowed = airlock::policy(BlockTasks::of::<send>()).wrap(async {
            for order in [1, 3] {
                send::enqueue(order).unwrap();
                tokio::task::yield_now().await;
            }
        });
        let free = async {
            for order in [2, 4] {
                send::enqueue(order).unwrap();
                tokio::task::yield_now().await;
            }
        };
        futures::join!(narrowed, free);
    };
    futures::executor::block_on(scope().executor(recorder.clone()).run_async(body)).unwrap();
    assert_eq!(recorder.calls(), ["p7.send(order_id=2)", "p7.send(order_id=4)"]);
}
