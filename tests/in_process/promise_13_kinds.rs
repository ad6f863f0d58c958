//! Promise 13: each kind of error, played by a fault executor, in sync and async flushes and on a runtime of one thread.

use std::time::Duration;

use airlock::testing::{Fault, FaultExecutor};
use airlock::{Ended, Executor, FlushError, FlushReport, OnFailure, ReportEntry};
use tokio::runtime::Builder;

#[airlock::task(name = "faults.note")]
pub(crate) fn note(n: u32) {
    let _ = n;
}

/// How the flush is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Sync,
    /// Polled by a plain waker, without a runtime.
    Async,
    /// On a runtime of one thread.
    CurrentThread,
    /// Sync, on the thread of such a runtime.
    SyncInCurrentThread,
}

pub(crate) const WAYS: [Way; 4] = [Way::Sync, Way::Async, Way::CurrentThread, Way::SyncInCurrentThread];

fn enqueue(count: u32) {
    for n in 0..count {
        note::enqueue(n).unwrap();
    }
}

pub(crate) fn flush(
    way: Way,
    executor: impl Executor,
    count: u32,
    deadline: Option<Duration>,
) -> Result<FlushReport, FlushError> {
    let mut scope = airlock::scope().executor(executor);
    if let Some(deadline) = deadline {
        scope = scope.deadline(deadline);
    }
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let Ended { flush, .. } = match way {
        Way::Sync => scope.run_reported(|| enqueue(count)),
        Way::Async => airlock_tests::patience::block_on(scope.run_reported_async(async { enqueue(count) })),
        Way::CurrentThread => runtime().block_on(scope.run_reported_async(async { enqueue(count) })),
        Way::SyncInCurrentThread => runtime().block_on(async { scope.run_reported(|| enqueue(count)) }),
    };
    flush
}

pub(crate) fn outcomes(report: &FlushReport) -> Vec<String> {
    report.entries().iter().map(ReportEntry::outcome).map(ToString::to_string).collect()
}

const TOLD: &str = "the fault executor was set to fail";

#[test]
fn promise_13_each_kind_is_told_apart_and_costs_the_others_nothing() {
    for way in WAYS {
        for (fault, told, [undispatched, unconfirmed, failed]) in [
            (Fault::Rejected, format!("rejected: {TOLD}"), [1, 0, 0]),
            (Fault::Unconfirmed, format!("unconfirmed: {TOLD}"), [0, 1, 0]),
            (Fault::TaskFailed, format!("the task failed: {TOLD}"), [0, 0, 1]),
        ] {
            let broker = FaultExecutor::new().then(1, Fault::None).then(1, fault);
            let error = flush(way, broker.clone(), 3, None).unwrap_err();
            assert_eq!(outcomes(error.report()), ["dispatched", &told, "dispatched"], "{way:?}");
            let lists = [error.undispatched().len(), error.unconfirmed().len(), error.failed().len()];
            assert_eq!(lists, [undispatched, unconfirmed, failed], "{way:?} {fault:?}");
            assert_eq!(broker.attempts(), 3);
            drop(error.into_intents());
        }
    }
}

#[test]
fn promise_13_unavailable_keeps_the_rest_in() {
    for way in WAYS {
        let broker = FaultExecutor::new().then(1, Fault::None).then(1, Fault::Unavailable);
        let error = flush(way, broker.clone(), 3, None).unwrap_err();
        let left = "unattempted: the executor was unavailable for an earlier one";
        assert_eq!(outcomes(error.report()), ["dispatched", &format!("unavailable: {TOLD}"), left], "{way:?}");
        assert_eq!((error.undispatched().len(), broker.attempts()), (2, 2));
        // The breaker is one flush's: what is sent again is asked afresh.
        assert_eq!(error.dispatch(&broker).unwrap().counts().dispatched, 2);
    }
}

#[test]
fn promise_13_what_panics_pends_or_ends_early_settles_each_intent_all_the_same() {
    for way in WAYS {
        let soon = Some(Duration::from_millis(100));
        for (fault, deadline, told, left) in [
            (
                Fault::Panics,
                None,
                Some("unconfirmed: the executor ended without saying how it went"),
                "unattempted: the executor panicked: the fault executor was set to panic",
            ),
            (
                Fault::Pends,
                soon,
                Some("unconfirmed: the executor ended without saying how it went"),
                "unattempted: the deadline passed",
            ),
            (Fault::EndsEarly, None, None, "unattempted: the executor ended early"),
        ] {
            let broker = FaultExecutor::new().then(1, Fault::None).then(1, fault);
            let error = flush(way, broker, 3, deadline).unwrap_err();
            assert_eq!(outcomes(error.report()), ["dispatched", told.unwrap_or(left), left], "{way:?} {fault:?}");
            drop(error.into_intents());
        }
    }
}

#[test]
fn promise_13_a_refusal_comes_before_anything_is_handed_over() {
    for way in WAYS {
        let broker = FaultExecutor::new().refuses("faults.note");
        let error = flush(way, broker.clone(), 2, None).unwrap_err();
        assert_eq!((error.undispatched().len(), broker.attempts()), (2, 0), "{way:?}");
        assert!(error.to_string().ends_with("rejected: the fault executor was set to refuse it"), "{error}");
        drop(error.into_intents());
    }
}

#[test]
fn promise_13_what_may_have_been_accepted_is_only_sent_again_on_request() {
    for way in WAYS {
        let broker = FaultExecutor::new().then(1, Fault::Unconfirmed).then(1, Fault::Rejected);
        let error = flush(way, broker.clone(), 2, None).unwrap_err();
        let error = error.dispatch(&broker).unwrap_err();
        assert_eq!((error.undispatched().len(), error.unconfirmed().len(), broker.attempts()), (0, 1, 3));
        error.including_unconfirmed().dispatch(&broker).unwrap();
        let numbers: Vec<_> = broker.accepted().iter().map(|intent| intent.args::<note>().unwrap().0).collect();
        assert_eq!(numbers, [0, 1, 0], "{way:?}");
    }
}

#[test]
fn promise_12_under_fail_fast_any_failure_leaves_the_rest_unattempted() {
    for fault in [Fault::Rejected, Fault::Unconfirmed, Fault::TaskFailed] {
        let broker = FaultExecutor::new().then(1, Fault::None).then(1, fault);
        let scope = airlock::scope().on_failure(OnFailure::FailFast).executor(broker.clone());
        let error = scope.run_reported(|| enqueue(4)).flush.unwrap_err();
        assert_eq!(error.report().counts().unattempted, 2);
        assert_eq!(broker.attempts(), 2);
        drop(error.into_intents());
    }
}
