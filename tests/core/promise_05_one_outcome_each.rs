//! Promise 5: every intent of a scope ends with exactly one outcome, and the counts add up to what was enqueued.

mod without_a_hand_over;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use std::{future, mem};

use airlock::{
    Batch, Begun, BoxFuture, Counts, DispatchError, Executor, FlushContext, FlushError, FlushReport, InlineExecutor,
    Intent, IntentId, Lifecycle, OnFailure, Outcome, Rejection, ScopeBuilder, ScopeEnd, ScopeInfo, policy_fn, scope,
};
use airlock_tests::recorder::Recorder;
use futures::executor::block_on;

#[airlock::task(name = "p5.send")]
fn send(n: u64) {
    let _ = n;
}

#[airlock::task(name = "p5.send_local", local)]
fn send_local(n: u64) -> Result<(), String> {
    if n.is_multiple_of(2) { Err("even".to_owned()) } else { Ok(()) }
}

/// What there is to pass through an executor, one task a fate.
#[airlock::task(name = "p5.fated")]
fn fated(fate: String) -> Result<(), String> {
    match &*fate {
        "fine" => Ok(()),
        "fails" => Err("no such order".to_owned()),
        "panics" => panic!("on purpose"),
        other => Err(format!("an executor meets `{other}` first")),
    }
}

fn enqueue(fate: &str) -> IntentId {
    fated::enqueue(fate.to_owned()).unwrap()
}

fn fate(intent: &Intent) -> &str {
    intent.args::<fated>().map_or("fine", |args| &args.0)
}

const NOTHING: [&str; 0] = [];

/// One line an intent: its fate, or its name, and how it ended, without places.
fn verdicts(report: &FlushReport) -> Vec<String> {
    let line = |entry: &airlock::ReportEntry| {
        let what = entry.intent().map_or(entry.name(), |intent| intent.args::<fated>().map_or(entry.name(), |a| &a.0));
        match entry.outcome() {
            Outcome::Captured { scope } => format!("{what}: captured by {}", scope.name().unwrap_or("nameless")),
            outcome => format!("{what}: {outcome}"),
        }
    };
    report.entries().iter().map(line).collect()
}

fn recount(report: &FlushReport) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for entry in report.entries() {
        let kind = match entry.outcome() {
            Outcome::Dispatched => "dispatched",
            Outcome::Dropped { .. } => "dropped",
            Outcome::Captured { .. } => "captured",
            Outcome::Discarded { .. } => "discarded",
            Outcome::Failed { .. } => "failed",
            Outcome::Unconfirmed { .. } => "unconfirmed",
            Outcome::Unattempted { .. } => "unattempted",
            other => panic!("an outcome these tests don't know: {other}"),
        };
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

fn named(counts: Counts) -> BTreeMap<&'static str, usize> {
    let all = [
        ("dispatched", counts.dispatched),
        ("dropped", counts.dropped),
        ("captured", counts.captured),
        ("discarded", counts.discarded),
        ("failed", counts.failed),
        ("unconfirmed", counts.unconfirmed),
        ("unattempted", counts.unattempted),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Every id once, every entry counted, and the counts add up.
#[track_caller]
fn assert_conserved(report: &FlushReport, ids: &[IntentId]) {
    let entries: Vec<_> = report.entries().iter().map(airlock::ReportEntry::id).collect();
    assert!(report.is_complete());
    assert_eq!(entries.len(), ids.len(), "{report}");
    assert_eq!(entries.iter().collect::<HashSet<_>>(), ids.iter().collect::<HashSet<_>>(), "{report}");
    assert_eq!(report.counts().enqueued, ids.len(), "{report}");
    assert_eq!(named(report.counts()).values().sum::<usize>(), ids.len(), "{report}");
    assert_eq!(named(report.counts()), recount(report), "{report}");
}

/// What an error holds is exactly what its report calls trouble.
#[track_caller]
fn assert_held(error: FlushError) {
    let counts = error.report().counts();
    let held = error.undispatched().len() + error.unconfirmed().len() + error.failed().len();
    assert_eq!(held, counts.failed + counts.unconfirmed + counts.unattempted, "{}", error.report());
    assert_eq!(error.unconfirmed().len(), counts.unconfirmed, "{}", error.report());
    let moved = error.unconfirmed().iter().chain(error.failed()).filter(|failure| failure.intent.is_none()).count();
    let intents = error.into_intents();
    assert_eq!(intents.iter().map(Intent::id).collect::<HashSet<_>>().len(), intents.len(), "each once");
    assert_eq!(intents.len() + moved, held);
}

fn report_of(flush: &Result<FlushReport, FlushError>) -> &FlushReport {
    flush.as_ref().unwrap_or_else(FlushError::report)
}

/// Does with each intent what its fate says.
struct Fates;

impl Executor for Fates {
    fn name(&self) -> &str {
        "fates"
    }

    fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        match fate(intent) {
            "refused" => Err(Rejection::new("not this one")),
            "panics when asked" => panic!("asked"),
            _ => Ok(()),
        }
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut held = Vec::new();
            while let Some(begun) = batch.begin() {
                match fate(begun.intent()) {
                    "rejected" => begun.settle(Err(DispatchError::rejected("too large"))),
                    "unavailable" => begun.settle(Err(DispatchError::unavailable("connection refused"))),
                    "unconfirmed" => begun.settle(Err(DispatchError::unconfirmed("no answer"))),
                    "dropped begun" => drop(begun),
                    "forgotten" => mem::forget(begun),
                    "parts dropped" => drop(begun.into_parts()),
                    "held" => held.push(begun),
                    "ends early" => {
                        begun.settle(Ok(()));
                        return;
                    }
                    "panics the executor" => panic!("the executor"),
                    "hangs" => future::pending().await,
                    "moved" => {
                        let (intent, ticket) = begun.into_parts();
                        ticket.settle(intent.call());
                    }
                    _ => begun.settle(Ok(())),
                }
            }
            // Settled backwards, after all others have begun.
            while let Some(begun) = held.pop() {
                begun.settle(Ok(()));
            }
        })
    }
}

/// Lets audits go on their own: here, all but the fates that say otherwise.
struct ReleasesAllBut(&'static str);

impl Lifecycle for ReleasesAllBut {
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
        end.succeeded()
    }

    fn releases(&self, _descendant: &ScopeInfo, intent: &Intent) -> bool {
        fate(intent) != self.0
    }
}

#[test]
fn one_report_holds_every_kind_of_outcome_and_adds_up() {
    let fates = [
        "fine",
        "unwanted",
        "kept by the outer",
        "rejected",
        "unconfirmed",
        "dropped begun",
        "forgotten",
        "held",
        "moved",
        "unavailable",
        "after it",
        "and after that",
    ];
    let outer = scope().name("outer").lifecycle(ReleasesAllBut("kept by the outer")).executor(Recorder::new()).enter();
    let unwanted = policy_fn(|intent| fate(intent) != "unwanted");
    let dropper = airlock::Policy::name(&unwanted).to_owned();
    let mut ids = Vec::new();
    let ended = scope().policy(unwanted).executor(Fates).run_reported(|| ids.extend(fates.map(enqueue)));
    let error = ended.flush.unwrap_err();
    assert_conserved(error.report(), &ids);
    assert_eq!(
        verdicts(error.report()),
        [
            "fine: dispatched",
            &format!("unwanted: dropped by {dropper}"),
            "kept by the outer: captured by outer",
            "rejected: rejected: too large",
            "unconfirmed: unconfirmed: no answer",
            "dropped begun: unconfirmed: the executor ended without saying how it went",
            "forgotten: unconfirmed: the executor had not said how it went when the flush ended",
            "held: dispatched",
            "moved: the task failed: an executor meets `moved` first",
            "unavailable: unavailable: connection refused",
            "after it: unattempted: the executor was unavailable for an earlier one",
            "and after that: unattempted: the executor was unavailable for an earlier one",
        ]
    );
    assert_eq!(
        error.report().counts().to_string(),
        "12 enqueued: 2 dispatched, 1 dropped, 1 captured, 3 failed, 3 unconfirmed, 2 unattempted"
    );
    assert_held(error);
    assert_eq!(outer.discard().counts().discarded, 1, "the captured one ends in the outer scope");
}

/// How a flush is asked for; those that give no report give its counts in the error.
const MODES: [&str; 5] = ["run", "run_reported", "run_async", "run_reported_async", "seal"];

/// Runs the body in the scope and gives its flush; `None` if it went well and there is no report.
fn flush(mode: &str, scope: ScopeBuilder, body: impl FnOnce()) -> Option<Result<FlushReport, FlushError>> {
    match mode {
        "run" => scope.run(body).err().map(Err),
        "run_reported" => Some(scope.run_reported(body).flush),
        "run_async" => block_on(scope.run_async(async { body() })).err().map(Err),
        "run_reported_async" => Some(block_on(scope.run_reported_async(async { body() })).flush),
        _ => {
            let guard = scope.enter();
            body();
            Some(guard.seal().and_then(airlock::Sealed::dispatch))
        }
    }
}

#[test]
fn whatever_an_executor_does_every_intent_is_accounted_for_once() {
    let programs: [&[&str]; 14] = [
        &["fine", "fine", "fine"],
        &["fine", "rejected", "fine", "unconfirmed", "moved", "fine"],
        &["fine", "unavailable", "fine"],
        &["unavailable", "fine", "fine"],
        &["fine", "dropped begun", "forgotten", "parts dropped", "fine"],
        &["held", "held", "rejected", "held", "unavailable", "fine"],
        &["fine", "ends early", "fine", "fine"],
        &["fine", "panics the executor", "fine"],
        &["held", "panics the executor", "fine"],
        &["fine", "held", "hangs", "fine"],
        &["fine", "refused", "fine", "refused"],
        &["fine", "panics when asked", "fine"],
        &["rejected", "rejected", "forgotten", "ends early", "fine"],
        &["unwanted", "rejected", "unwanted", "fine", "unwanted", "unavailable", "unwanted", "fine"],
    ];
    for program in programs {
        for on_failure in [OnFailure::Continue, OnFailure::FailFast] {
            let mut counts = HashMap::new();
            for mode in MODES {
                let mut ids = Vec::new();
                let scope = scope()
                    .executor(Fates)
                    .on_failure(on_failure)
                    .deadline(Duration::from_millis(if program.contains(&"hangs") { 20 } else { 60_000 }))
                    .policy(policy_fn(|intent| fate(intent) != "unwanted"));
                let flushed = flush(mode, scope, || {
                    for (index, fate) in program.iter().enumerate() {
                        // Some lie in a nested scope, some run here after the rest.
                        match index {
                            1 => airlock::scope().run(|| ids.push(enqueue(fate))).unwrap(),
                            2 => ids.extend([enqueue(fate), send_local::enqueue(2).unwrap()]),
                            _ => ids.push(enqueue(fate)),
                        }
                    }
                    ids.push(send_local::enqueue(1).unwrap());
                });
                let Some(flushed) = flushed else { panic!("{program:?}: the local task 2 fails in any case") };
                let report = report_of(&flushed);
                if report.is_complete() {
                    assert_conserved(report, &ids);
                } else {
                    assert_eq!(report.counts().enqueued, ids.len(), "{program:?}, {mode}: {report}");
                    assert_eq!(named(report.counts()).values().sum::<usize>(), ids.len(), "{program:?}: {report}");
                    assert!(report.entries().iter().all(|entry| entry.outcome().is_failure()), "{report}");
                }
                counts.insert(mode, report.counts());
                assert_held(flushed.expect_err("the local task 2 is not dispatched"));
            }
            let told: HashSet<_> = counts.values().map(Counts::to_string).collect();
            assert_eq!(told.len(), 1, "the way to ask changes no count: {program:?}, {on_failure:?}: {counts:?}");
        }
    }
}

#[test]
fn inline_tasks_that_fail_or_panic_are_counted_though_their_arguments_moved() {
    let program = ["fine", "fails", "panics", "fine"];
    for checked in [false, true] {
        for mode in MODES {
            let executor = if checked { InlineExecutor::new().checked() } else { InlineExecutor::new() };
            let mut ids = Vec::new();
            let error =
                flush(mode, scope().executor(executor), || ids.extend(program.map(enqueue))).unwrap().unwrap_err();
            assert_eq!(error.report().counts().to_string(), "4 enqueued: 2 dispatched, 2 failed", "{mode}");
            let troubled = error.report().entries().iter().filter(|entry| entry.outcome().is_failure());
            let found: HashSet<_> = troubled.map(airlock::ReportEntry::id).collect();
            assert_eq!(found, HashSet::from([ids[1], ids[2]]), "{mode}");
            let failed: Vec<_> = error.failed().iter().map(|failure| failure.id).collect();
            assert_eq!(failed, ids[1..3], "{mode}");
            assert_held(error);
        }
    }
}

#[test]
fn without_a_report_captured_and_dropped_intents_are_counted_too() {
    let outer = scope().lifecycle(ReleasesAllBut("kept by the outer")).executor(Recorder::new()).enter();
    for mode in ["run", "run_async"] {
        let nested = scope().policy(policy_fn(|intent| fate(intent) != "unwanted")).executor(Fates);
        let flushed = flush(mode, nested, || {
            for fate in ["kept by the outer", "unwanted", "rejected", "kept by the outer", "fine", "unwanted"] {
                enqueue(fate);
            }
        });
        let error = flushed.unwrap().unwrap_err();
        assert_eq!(
            error.report().counts().to_string(),
            "6 enqueued: 1 dispatched, 2 dropped, 2 captured, 1 failed",
            "{mode}"
        );
        assert_held(error);
    }
    assert_eq!(outer.flush().unwrap().counts().dispatched, 4);
}

#[test]
fn fail_fast_says_of_each_later_one_why_it_stayed() {
    let mut ids = Vec::new();
    let ended = scope().executor(Fates).on_failure(OnFailure::FailFast).run_reported(|| {
        ids.extend(["fine", "rejected", "fine"].map(enqueue));
        ids.push(send_local::enqueue(1).unwrap());
    });
    let error = ended.flush.unwrap_err();
    assert_conserved(error.report(), &ids);
    let stayed = "unattempted: an earlier one failed, and the scope fails fast";
    assert_eq!(
        verdicts(error.report()),
        [
            "fine: dispatched",
            "rejected: rejected: too large",
            &format!("fine: {stayed}"),
            &format!("p5.send_local: {stayed}")
        ]
    );
    assert_held(error);
}

#[test]
fn each_way_to_end_a_batch_early_is_told_apart() {
    let told = |fates: [&str; 3], deadline| {
        let mut ids = Vec::new();
        let ended = scope().executor(Fates).deadline(deadline).run_reported(|| ids.extend(fates.map(enqueue)));
        let error = ended.flush.unwrap_err();
        assert_conserved(error.report(), &ids);
        let told = verdicts(error.report());
        assert_held(error);
        told
    };
    let minute = Duration::from_secs(60);
    assert_eq!(
        told(["fine", "ends early", "fine"], minute),
        ["fine: dispatched", "ends early: dispatched", "fine: unattempted: the executor ended early"]
    );
    assert_eq!(
        told(["fine", "panics the executor", "fine"], minute),
        [
            "fine: dispatched",
            "panics the executor: unconfirmed: the executor ended without saying how it went",
            "fine: unattempted: the executor panicked: the executor"
        ]
    );
    let cut = told(["fine", "hangs", "fine"], Duration::from_millis(20));
    assert_eq!(cut[0], "fine: dispatched");
    assert!(cut[1].starts_with("hangs: unconfirmed: "), "{cut:?}");
    assert_eq!(cut[2], "fine: unattempted: the deadline passed");
    assert_eq!(
        told(["fine", "fine", "fine"], Duration::ZERO),
        ["fine: unattempted: the deadline passed"; 3],
        "nothing begins after the deadline"
    );
    assert_eq!(
        told(["fine", "refused", "fine"], minute),
        [
            "fine: unattempted: another intent of this flush was refused",
            "refused: rejected: not this one",
            "fine: unattempted: another intent of this flush was refused"
        ]
    );
    for told in told(["fine", "panics when asked", "fine"], minute) {
        assert!(told.contains(": unattempted: the executor panicked: asked, asked about `p5.fated` ("), "{told}");
    }
}

/// Hands what it begins, and its batch, to somebody who is in no hurry.
struct Slow {
    begun: Sender<(Begun, Batch)>,
}

impl Executor for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let begun = batch.begin().expect("the deadline is ahead");
            self.begun.send((begun, batch)).expect("the test waits");
            future::pending::<()>().await;
        })
    }
}

#[test]
fn what_an_executor_says_after_the_flush_changes_nothing() {
    let (begun, late): (_, Receiver<(Begun, Batch)>) = mpsc::channel();
    let mut ids = Vec::new();
    let ended = scope()
        .executor(Slow { begun })
        .deadline(Duration::from_millis(20))
        .run_reported(|| ids.extend(["fine", "fine", "fine"].map(enqueue)));
    let (begun, mut batch) = late.recv().unwrap();
    assert!(batch.begin().is_none(), "a flush that has ended gives nothing more");
    begun.settle(Ok(()));
    drop(batch);
    let error = ended.flush.unwrap_err();
    assert_conserved(error.report(), &ids);
    assert_eq!(error.report().counts().to_string(), "3 enqueued: 1 unconfirmed, 2 unattempted");
    assert_held(error);
}
