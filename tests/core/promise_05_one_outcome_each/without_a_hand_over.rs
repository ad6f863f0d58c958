//! Outcomes of intents that no executor was given.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

use airlock::{
    DropAll, EnqueueError, FlushError, FlushReport, Intent, IntentId, Lifecycle, Outcome, Phase, ReleaseNested,
    ScopeEnd, Unattempted, policy_fn, scope,
};
use airlock_tests::recorder::{Picky, Recorder};

use super::{
    Fates, NOTHING, assert_conserved, assert_held, enqueue, fate, fated, named, recount, send, send_local, verdicts,
};

#[test]
fn discarded_intents_say_why() {
    struct No;
    impl Lifecycle for No {
        fn should_flush(&self, _end: &ScopeEnd<'_>) -> bool {
            false
        }
    }
    let recorder = Recorder::new();
    let to = || scope().executor(recorder.clone());
    let mut ids = Vec::new();
    let failed = to().run_reported(|| {
        ids.extend(["fine", "fails"].map(enqueue));
        Err::<(), _>("no")
    });
    let report = failed.flush.unwrap();
    assert_conserved(&report, &ids);
    assert_eq!(verdicts(&report), ["fine: discarded: the body failed", "fails: discarded: the body failed"]);

    let mut ids = Vec::new();
    let ended = to().lifecycle(No).run_reported(|| ids.extend(["fine", "fails"].map(enqueue)));
    let report = ended.flush.unwrap();
    assert_conserved(&report, &ids);
    assert_eq!(verdicts(&report), ["fine: discarded: by the lifecycle", "fails: discarded: by the lifecycle"]);

    let guard = to().enter();
    let ids = ["fine", "fails"].map(enqueue);
    let report = guard.discard();
    assert_conserved(&report, &ids);
    assert_eq!(verdicts(&report), ["fine: discarded: by hand", "fails: discarded: by hand"]);

    let (outer, inner) = (to().enter(), to().enter());
    let ids = ["fine", "fails"].map(enqueue);
    drop(outer);
    let report = inner.flush().unwrap();
    assert_conserved(&report, &ids);
    assert_eq!(verdicts(&report), ["fine: discarded: parent discarded", "fails: discarded: parent discarded"]);
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_sealed_scope_that_is_discarded_keeps_the_judgement_of_those_it_dropped() {
    let guard = scope().policy(policy_fn(|intent| fate(intent) == "fine")).executor(Recorder::new()).enter();
    let ids = ["fine", "fails", "fine"].map(enqueue);
    let sealed = guard.seal().unwrap();
    assert_eq!(sealed.intents().len(), 2);
    let report = sealed.discard();
    assert_conserved(&report, &ids);
    assert_eq!(report.counts().to_string(), "3 enqueued: 1 dropped, 2 discarded");
}

#[test]
fn a_panicking_judge_leaves_every_intent_unattempted_and_counted() {
    let mut ids = Vec::new();
    let ended = scope().executor(Fates).run_reported(|| {
        ids.extend(["fine", "rejected"].map(enqueue));
        airlock::policy(policy_fn(|_| panic!("judge"))).run(|| ids.push(enqueue("fine")));
        ids.push(enqueue("fine"));
    });
    let error = ended.flush.unwrap_err();
    assert_conserved(error.report(), &ids);
    assert_eq!(error.report().counts().to_string(), "4 enqueued: 4 unattempted");
    assert_held(error);
}

#[test]
fn a_parent_that_ended_well_leaves_every_intent_unattempted_and_counted() {
    for phase in [Phase::Sealed, Phase::Flushed] {
        let (outer, inner) = (scope().executor(Recorder::new()).enter(), scope().enter());
        let ids = ["fine", "fails"].map(enqueue);
        let mut sealed = Some(outer.seal().unwrap());
        if phase == Phase::Flushed {
            sealed.take().unwrap().dispatch().unwrap();
        }
        let error = inner.flush().unwrap_err();
        assert_conserved(error.report(), &ids);
        for entry in error.report().entries() {
            let Outcome::Unattempted { reason } = entry.outcome() else { panic!("{}", error.report()) };
            assert_eq!(*reason, Unattempted::ParentEnded(phase));
        }
        assert_held(error);
    }
}

#[test]
fn what_a_policy_kept_out_at_the_call_was_never_enqueued() {
    let mut ids = Vec::new();
    let ended = scope().executor(Recorder::new()).run_reported(|| {
        ids.push(enqueue("fine"));
        let refused = airlock::policy(airlock::AssertNoEffects).run(|| fated::enqueue("fine".to_owned()));
        assert!(matches!(refused, Err(EnqueueError::Rejected { .. })));
    });
    assert_conserved(&ended.flush.unwrap(), &ids);
}

#[test]
fn over_a_tree_of_scopes_every_intent_has_one_end_besides_its_captures() {
    let reports = Mutex::new(Vec::new());
    let ids = Mutex::new(Vec::new());
    let keep = |flush: Result<FlushReport, FlushError>| match flush {
        Ok(report) => reports.lock().unwrap().push(report),
        Err(error) => {
            reports.lock().unwrap().push(error.report().clone());
            assert_held(error);
        }
    };
    let put = |fates: &[&str]| ids.lock().unwrap().extend(fates.iter().map(|fate| enqueue(fate)));
    keep(
        scope()
            .name("root")
            .executor(Fates)
            .run_reported(|| {
                put(&["fine", "rejected"]);
                keep(
                    scope()
                        .name("releasing")
                        .lifecycle(ReleaseNested)
                        .run_reported(|| {
                            put(&["fine"]);
                            keep(scope().policy(DropAll).run_reported(|| put(&["fine", "fine"])).flush);
                        })
                        .flush,
                );
                keep(
                    scope()
                        .run_reported(|| {
                            put(&["unconfirmed"]);
                            keep(scope().run_reported(|| put(&["fine", "held"])).flush);
                            Err::<(), ()>(())
                        })
                        .flush,
                );
                put(&["unavailable", "fine"]);
            })
            .flush,
    );
    let (reports, ids) = (reports.into_inner().unwrap(), ids.into_inner().unwrap());
    let mut ends: HashMap<IntentId, usize> = HashMap::new();
    for report in &reports {
        assert_eq!(named(report.counts()), recount(report));
        for entry in report.entries().iter().filter(|entry| !matches!(entry.outcome(), Outcome::Captured { .. })) {
            *ends.entry(entry.id()).or_default() += 1;
        }
    }
    assert_eq!(ends, ids.iter().map(|id| (*id, 1)).collect::<HashMap<_, _>>());
    assert_eq!(reports.len(), 5);
    assert_eq!(
        reports.last().unwrap().counts().to_string(),
        "7 enqueued: 2 dispatched, 2 dropped, 2 failed, 1 unattempted"
    );
}

#[test]
fn what_races_with_the_end_is_either_in_the_report_or_handed_back() {
    for _ in 0..50 {
        let recorder = Recorder::new();
        let guard = scope().executor(recorder.clone()).enter();
        let (carried, start, refused) = (guard.scope(), Barrier::new(3), AtomicUsize::new(0));
        let report = thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    start.wait();
                    for n in 0..50 {
                        match carried.run(|| send::enqueue(n)) {
                            Ok(_) => {}
                            Err(error @ EnqueueError::Closed { .. }) => {
                                assert_eq!(error.into_intent().args::<send>(), Some(&(n,)));
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(other) => panic!("{other}"),
                        }
                    }
                });
            }
            start.wait();
            guard.flush().unwrap()
        });
        assert_eq!(report.counts().enqueued + refused.load(Ordering::Relaxed), 100);
        assert_eq!(
            (report.counts().dispatched, report.entries().len()),
            (recorder.calls().len(), recorder.calls().len())
        );
    }
}

#[test]
fn a_batch_one_task_of_which_is_refused_is_all_accounted_for() {
    let picky = Picky { recorder: Recorder::new(), refuses: "p5.send" };
    let recorder = picky.recorder.clone();
    let mut ids = Vec::new();
    let ended = scope().executor(picky).run_reported(|| {
        ids.extend([
            enqueue("fine"),
            send::enqueue(1).unwrap(),
            send_local::enqueue(1).unwrap(),
            send::enqueue(2).unwrap(),
        ]);
    });
    let error = ended.flush.unwrap_err();
    assert_conserved(error.report(), &ids);
    assert_eq!(error.report().counts().to_string(), "4 enqueued: 2 failed, 2 unattempted");
    assert_eq!(error.undispatched().iter().map(Intent::id).collect::<Vec<_>>(), ids);
    assert_eq!(recorder.calls(), NOTHING);
    assert_held(error);
}
