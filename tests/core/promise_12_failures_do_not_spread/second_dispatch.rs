//! The same intents again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use airlock::{DispatchError, Ended, InlineExecutor, Intent, OnFailure, executor_fn, policy_fn};
use airlock_tests::recorder::{Picky, Recorder};

use super::{Fate, ONE_OF_EACH, RAN, flush_fates, ids, kind, mixed, numbers, ran};

#[test]
fn a_second_dispatch_sends_the_undispatched_only_with_the_same_ids_and_without_judging_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // Refuses whatever it is asked about a second time.
    let policy = policy_fn(move |_| count.fetch_add(1, Ordering::SeqCst) < ONE_OF_EACH.len());
    let error = flush_fates(airlock::scope().policy(policy).executor(mixed(&Recorder::new())), &ONE_OF_EACH);
    assert_eq!(asked.load(Ordering::SeqCst), ONE_OF_EACH.len());
    let expected = ids(error.undispatched());

    let sent = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&sent);
    let error = error.dispatch(&executor_fn(move |intent: Intent| -> Result<(), DispatchError> {
        sink.lock().unwrap().push(intent.id());
        Ok(())
    }));
    assert_eq!(*sent.lock().unwrap(), expected);
    assert_eq!(asked.load(Ordering::SeqCst), ONE_OF_EACH.len(), "no policy was asked again");

    // What may have gone out and what ran and failed is still to be answered for.
    let error = error.unwrap_err();
    assert_eq!(error.report().counts().dispatched, 3);
    let text = error.to_string();
    assert!(
        text.contains(
            "3 enqueued: 3 dispatched; 1 unconfirmed and 1 failed are left from the attempt before; p12.kind ("
        ),
        "{text}"
    );
    assert!(error.undispatched().is_empty());
    assert_eq!((error.unconfirmed().len(), error.failed().len()), (1, 1));
    assert_eq!(numbers(&error.into_intents()), [2, 3]);
}

#[test]
fn a_second_dispatch_that_gets_everything_out_is_a_success() {
    let error = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &[Fate::Unavailable, Fate::Fine]);
    let recorder = Recorder::new();
    let report = error.dispatch(&recorder).unwrap();
    assert_eq!(recorder.calls(), [r#"p12.kind(fate="Unavailable", n=0)"#, r#"p12.kind(fate="Fine", n=1)"#]);
    assert_eq!((report.counts().enqueued, report.counts().dispatched), (2, 2));
    assert_eq!(report.executor(), Some("recorder"));
    assert!(report.is_complete());
}

#[test]
fn what_may_have_gone_out_is_sent_again_only_when_asked_for_and_in_the_order_of_the_calls() {
    let fates = [Fate::Unconfirmed, Fate::Rejected, Fate::TaskFailed, Fate::Unconfirmed, Fate::Rejected];
    let error = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &fates);
    let recorder = Recorder::new();
    let error = error.including_unconfirmed().dispatch(&recorder).unwrap_err();
    let expected = [
        r#"p12.kind(fate="Unconfirmed", n=0)"#,
        r#"p12.kind(fate="Rejected", n=1)"#,
        r#"p12.kind(fate="Unconfirmed", n=3)"#,
        r#"p12.kind(fate="Rejected", n=4)"#,
    ];
    assert_eq!(recorder.calls(), expected, "and the task that ran and failed is not run again");
    assert_eq!(numbers(&error.into_intents()), [2]);
}

#[test]
fn a_second_dispatch_that_fails_gives_the_intents_back_once_more() {
    let error = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &[Fate::Unavailable, Fate::Fine]);
    let expected = ids(error.undispatched());
    let error = error.dispatch(&mixed(&Recorder::new())).unwrap_err();
    assert_eq!(ids(error.undispatched()), expected);
    // This executor refuses before anything is sent.
    let picky = Picky { refuses: "p12.kind", ..Picky::default() };
    let error = error.dispatch(&picky).unwrap_err();
    assert_eq!(ids(error.undispatched()), expected);
    assert!(picky.recorder.calls().is_empty());
    assert!(error.to_string().ends_with("rejected: not this one"), "{error}");
    assert_eq!(error.dispatch(&Recorder::new()).unwrap().counts().dispatched, 2);
}

#[tokio::test]
async fn a_second_dispatch_may_be_awaited_and_runs_async_tasks() {
    #[airlock::task(name = "p12.wait")]
    async fn wait(n: u32) {
        tokio::task::yield_now().await;
        RAN.with_borrow_mut(|ran| ran.push(n));
    }

    // In a sync flush the inline executor refuses an async task.
    let Ended { flush, .. } = airlock::scope().run_reported(|| wait::enqueue(7).map(drop));
    let error = flush.unwrap_err();
    let id = error.undispatched()[0].id();
    let error = error.dispatch(&InlineExecutor::new()).unwrap_err();
    assert!(ran().is_empty());
    let report = error.dispatch_async(&InlineExecutor::new()).await.unwrap();
    assert_eq!(ran(), [7]);
    assert_eq!(report.entries()[0].id(), id);
}

// Dropped.

#[airlock::task(name = "p12.at_home", local)]
fn at_home(n: u32) {
    RAN.with_borrow_mut(|ran| ran.push(n));
}

#[test]
fn under_fail_fast_what_is_left_from_the_attempt_before_is_no_failure_of_the_second_dispatch() {
    let scope = airlock::scope().on_failure(OnFailure::FailFast).executor(mixed(&Recorder::new()));
    let guard = scope.enter();
    kind::enqueue(Fate::Unconfirmed, 0).unwrap();
    kind::enqueue(Fate::Fine, 1).unwrap();
    at_home::enqueue(2).unwrap();
    let error = guard.flush().unwrap_err();
    assert_eq!((error.undispatched().len(), error.unconfirmed().len()), (2, 1));

    let error = error.dispatch(&mixed(&Recorder::new())).unwrap_err();
    assert_eq!(error.report().counts().dispatched, 2);
    assert_eq!(ran(), [2], "the local task runs once the rest is handed over");
    assert_eq!((error.undispatched().len(), error.unconfirmed().len()), (0, 1));

    // One that fails now stops it as ever.
    let guard = airlock::scope().on_failure(OnFailure::FailFast).executor(mixed(&Recorder::new())).enter();
    kind::enqueue(Fate::Unavailable, 3).unwrap();
    at_home::enqueue(4).unwrap();
    let error = guard.flush().unwrap_err().dispatch(&mixed(&Recorder::new())).unwrap_err();
    assert_eq!((error.undispatched().len(), ran()), (2, vec![2]));
    drop(error.into_intents());
}
