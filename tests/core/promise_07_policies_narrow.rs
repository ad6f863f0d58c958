//! Promise 7: a policy can only narrow. Capture moves intents unjudged; each is judged once, in the flush that would
//! dispatch it, by its local policies and those of all scopes around it, innermost first, up to the first refusal.

mod judged_once;

use std::sync::{Arc, Mutex};

use airlock::{
    AllowAll, AssertNoEffects, BlockTasks, Discarded, DropAll, EnqueueError, Intent, Outcome, Policy, ReleaseNested,
    Scope, Violation, policy_fn, scope,
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
            assert_eq!(questions.take(), Vec::<String>::new(), "capture asks no policy");
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

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn whoever_refuses_first_from_the_inside_is_the_dropper_and_only_unanimity_lets_out() {
    // Every combination of verdicts over: a local policy, the inner scope, a local policy between, the outer scope.
    const LEVELS: [&str; 4] = ["local", "inner", "between", "outer"];
    for verdicts in 0_u64..16 {
        for released in [false, true] {
            let (questions, sent) = (Questions::default(), Recorder::new());
            let refuses: fn(bool) -> &'static [u64] = |refuses| if refuses { &[1] } else { &[] };
            let level = |index: usize| questions.policy(LEVELS[index], refuses(verdicts >> index & 1 == 1));
            let outer = scope().policy(level(3)).executor(sent.clone());
            let outer = if released { outer.lifecycle(ReleaseNested) } else { outer };
            let mut inner = None;
            let ended = outer.run_reported(|| {
                airlock::policy(level(2)).run(|| {
                    let ended = scope().policy(level(1)).executor(sent.clone()).run_reported(|| {
                        airlock::policy(level(0)).run(|| send::enqueue(1).map(drop).unwrap());
                        questions.take();
                    });
                    inner = Some(ended.flush.unwrap());
                });
            });
            let (inner, outer) = (inner.unwrap(), ended.flush.unwrap());
            assert_eq!(inner.counts().captured, usize::from(!released));
            let judged = if released { &inner } else { &outer };
            let first = (0..4).find(|index| verdicts >> index & 1 == 1);
            let asked = first.map_or(4, |index| index + 1);
            let expected: Vec<_> = LEVELS[..asked].iter().map(|level| format!("{level} allows 1")).collect();
            assert_eq!(questions.take(), expected, "{verdicts:04b}");
            match first {
                Some(index) => assert_eq!(dropped_by(&judged.entries()[0]), LEVELS[index], "{verdicts:04b}"),
                None => assert!(matches!(judged.entries()[0].outcome(), Outcome::Dispatched)),
            }
            assert_eq!(sent.calls().len(), usize::from(first.is_none()), "{verdicts:04b}");
        }
    }
}

/// Refuses at the call.
struct Refusing(Asked);

impl Policy for Refusing {
    fn name(&self) -> &str {
        self.0.name
    }

    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        self.0.on_enqueue(intent)?;
        Err(Violation::new("not on a Sunday"))
    }
}

#[test]
fn at_the_call_too_the_first_refusal_ends_the_questions_and_nothing_is_recorded() {
    let (questions, sent) = (Questions::default(), Recorder::new());
    let ended = scope().policy(questions.policy("outer", &[])).executor(sent.clone()).run_reported(|| {
        let between = Refusing(questions.policy("between", &[]));
        let ended = airlock::policy(between).run(|| {
            scope().policy(questions.policy("inner", &[])).run_reported(|| {
                let error = send::enqueue(1).unwrap_err();
                assert_eq!(questions.take(), ["inner enqueue 1", "between enqueue 1"]);
                let place = error.refused().intent().location();
                assert_eq!(
                    error.to_string(),
                    format!("task `p7.send` can't be enqueued at {place}: between refuses it: not on a Sunday")
                );
                assert_eq!(error.refused().policy(), Some("between"));
                assert_eq!(error.into_intent().args::<send>(), Some(&(1,)));
            })
        });
        assert_eq!(ended.flush.unwrap().counts().enqueued, 0);
        send::enqueue(2).unwrap();
        assert_eq!(questions.take(), ["outer enqueue 2"], "outside of it, it is not asked");
    });
    assert_eq!(ended.flush.unwrap().counts().dispatched, 1);
    assert_eq!(questions.take(), ["outer allows 2"]);
    assert_eq!(sent.calls(), ["p7.send(order_id=2)"]);
}

#[test]
fn a_carried_scope_brings_its_local_policies_and_puts_away_those_of_the_thread() {
    let (questions, sent) = (Questions::default(), Recorder::new());
    let ended = scope().policy(questions.policy("outer", &[])).executor(sent.clone()).run_reported(|| {
        let plain = Scope::current().unwrap();
        let narrowed = airlock::policy(questions.policy("local", &[1, 2, 3])).run(|| Scope::current().unwrap());
        let mine = questions.clone();
        std::thread::spawn(move || {
            airlock::policy(mine.policy("of the thread", &[1, 2, 3, 4])).run(|| {
                narrowed.run(|| send::enqueue(1)).unwrap();
                narrowed.push(send::intent(2)).unwrap();
                futures::executor::block_on(narrowed.wrap(async { send::enqueue(3) })).unwrap();
                plain.run(|| send::enqueue(4)).unwrap();
            });
        })
        .join()
        .unwrap();
        let told: Vec<_> = questions.take();
        let both = |n| [format!("local enqueue {n}"), format!("outer enqueue {n}")];
        assert_eq!(told, [both(1).as_slice(), &both(2), &both(3), &["outer enqueue 4".to_owned()]].concat());
    });
    let report = ended.flush.unwrap();
    let told = ["local allows 1", "local allows 2", "local allows 3", "outer allows 4"];
    assert_eq!(questions.take(), told);
    assert_eq!(report.counts().dropped, 3);
    assert_eq!(sent.calls(), ["p7.send(order_id=4)"]);
}
