//! Trying again, and trying another way.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use airlock::testing::{Fault, FaultExecutor};
use airlock::{
    Batch, Begun, BoxFuture, Ended, Executor, Fallback, FlushError, FlushReport, InlineExecutor, Intent, OnFailure,
    ReportEntry, Retry, Route, ScopeBuilder, ThreadPoolExecutor, Ticket,
};
use airlock_tests::patience::{Gate, PATIENCE};
use airlock_tests::recorder::{Picky, Recorder};

use crate::threads::Probe;

#[airlock::task(name = "retries.note")]
fn note(n: u32) {
    let _ = n;
}

#[airlock::task(name = "retries.other")]
fn other(n: u32) {
    let _ = n;
}

fn flush(scope: ScopeBuilder, count: u32) -> Result<FlushReport, FlushError> {
    let Ended { flush, .. } = scope.run_reported(|| {
        for n in 0..count {
            note::enqueue(n).unwrap();
        }
    });
    flush
}

fn outcomes(report: &FlushReport) -> Vec<String> {
    report.entries().iter().map(ReportEntry::outcome).map(ToString::to_string).collect()
}

fn numbers(intents: &[Intent]) -> Vec<u32> {
    intents.iter().map(|intent| intent.args::<note>().unwrap().0).collect()
}

/// Without pauses worth the name.
fn quick<E: Executor>(executor: E) -> Retry<E> {
    Retry::new(executor).pauses(Duration::from_millis(1), Duration::from_millis(2))
}

const TOLD: &str = "the fault executor was set to fail";

// Retry.

#[test]
fn what_was_unavailable_is_tried_again_with_what_was_held_back_in_order() {
    let broker = FaultExecutor::new().then(1, Fault::None).then(2, Fault::Unavailable);
    let report = flush(airlock::scope().executor(quick(broker.clone())), 4).unwrap();
    assert_eq!(report.counts().dispatched, 4);
    assert_eq!(report.executor(), Some("retry(fault)"));
    assert_eq!(numbers(&broker.accepted()), [0, 1, 2, 3]);
    // One, then the second one twice in vain, then three.
    assert_eq!(broker.attempts(), 6);
}

#[test]
fn after_the_last_attempt_it_is_unavailable_and_the_rest_unattempted() {
    let broker = FaultExecutor::new().then(usize::MAX, Fault::Unavailable);
    let error = flush(airlock::scope().executor(quick(broker.clone()).attempts(4)), 3).unwrap_err();
    assert_eq!(broker.attempts(), 4);
    let left = "unattempted: the executor was unavailable for an earlier one";
    assert_eq!(outcomes(error.report()), [format!("unavailable: {TOLD}"), left.to_owned(), left.to_owned()]);
    assert_eq!(numbers(error.undispatched()), [0, 1, 2]);
    drop(error.into_intents());
    for attempts in [0, 1] {
        let broker = FaultExecutor::new().then(usize::MAX, Fault::Unavailable);
        let error = flush(airlock::scope().executor(quick(broker.clone()).attempts(attempts)), 1).unwrap_err();
        assert_eq!(broker.attempts(), 1);
        drop(error.into_intents());
    }
}

#[test]
fn nothing_else_is_tried_again() {
    for fault in [Fault::Rejected, Fault::Unconfirmed, Fault::TaskFailed, Fault::EndsEarly] {
        let broker = FaultExecutor::new().then(1, fault);
        let error = flush(airlock::scope().executor(quick(broker.clone())), 2).unwrap_err();
        let again = if fault == Fault::EndsEarly { 0 } else { 2 };
        assert_eq!(broker.attempts(), again, "{fault:?}");
        drop(error.into_intents());
    }
}

#[test]
fn what_may_have_been_accepted_is_tried_again_on_request() {
    let broker = FaultExecutor::new().then(1, Fault::Unconfirmed);
    let report = flush(airlock::scope().executor(quick(broker.clone()).unconfirmed()), 2).unwrap();
    assert_eq!(report.counts().dispatched, 2);
    assert_eq!(numbers(&broker.accepted()), [0, 1, 0]);
}

#[test]
fn promise_13_what_may_have_been_accepted_once_stays_unconfirmed_until_it_is_known_to_be() {
    for later in [Fault::Unavailable, Fault::Rejected] {
        let broker = FaultExecutor::new().then(1, Fault::Unconfirmed).then(usize::MAX, later);
        let error = flush(airlock::scope().executor(quick(broker.clone()).unconfirmed()), 1).unwrap_err();
        assert!(broker.attempts() > 1);
        assert_eq!(outcomes(error.report()), [format!("unconfirmed: {TOLD}")], "{later:?}");
        assert_eq!((error.undispatched().len(), error.unconfirmed().len()), (0, 1));
        drop(error.into_intents());
    }
}

#[test]
fn promise_13_what_was_begun_and_never_settled_stays_unconfirmed_too() {
    /// Keeps what settles its first intent, and takes nothing after that.
    #[derive(Default)]
    struct Keeps(Mutex<Option<Ticket>>);

    impl Executor for Keeps {
        fn name(&self) -> &str {
            "keeps"
        }

        fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                let Some((_, ticket)) = batch.begin().map(Begun::into_parts) else { return };
                let mut kept = self.0.lock().unwrap();
                match &*kept {
                    None => *kept = Some(ticket),
                    Some(_) => ticket.settle(Err(airlock_tests::recorder::unavailable())),
                }
            })
        }
    }

    let error = flush(airlock::scope().executor(quick(Keeps::default()).unconfirmed()), 1).unwrap_err();
    assert_eq!(outcomes(error.report()), ["unconfirmed: the executor had not said how it went when the flush ended"]);
    assert_eq!((error.undispatched().len(), error.unconfirmed().len()), (0, 1));
    drop(error.into_intents());
}

#[test]
fn it_never_waits_past_the_deadline() {
    let broker = FaultExecutor::new().then(usize::MAX, Fault::Unavailable);
    // Any time up to that: longer than the deadline but once in a hundred million.
    let century = Duration::from_secs(1 << 32);
    let retry = Retry::new(broker).attempts(u32::MAX).pauses(century, century);
    let start = Instant::now();
    let error = flush(airlock::scope().deadline(PATIENCE).executor(retry), 2).unwrap_err();
    // A pause that would end too late is not begun.
    assert!(start.elapsed() < PATIENCE / 2);
    assert_eq!(numbers(error.undispatched()), [0, 1]);
    assert!(outcomes(error.report())[0].starts_with("unavailable"));
    drop(error.into_intents());
}

#[test]
fn under_fail_fast_only_a_failure_that_stays_counts() {
    let scope = || airlock::scope().on_failure(OnFailure::FailFast);
    let broker = FaultExecutor::new().then(1, Fault::Unavailable);
    assert_eq!(flush(scope().executor(quick(broker)), 3).unwrap().counts().dispatched, 3);
    let broker = FaultExecutor::new().then(1, Fault::Unconfirmed);
    assert_eq!(flush(scope().executor(quick(broker).unconfirmed()), 3).unwrap().counts().dispatched, 3);
    let broker = FaultExecutor::new().then(1, Fault::None).then(1, Fault::Rejected);
    let error = flush(scope().executor(quick(broker.clone())), 3).unwrap_err();
    assert_eq!(broker.attempts(), 2);
    assert_eq!(outcomes(error.report())[2], "unattempted: an earlier one failed, and the scope fails fast");
    drop(error.into_intents());
}

#[tokio::test]
async fn a_flush_dropped_in_a_pause_gives_back_what_was_unavailable() {
    let broker = FaultExecutor::new().then(usize::MAX, Fault::Unavailable);
    let hour = Duration::from_secs(3600);
    let retry = Retry::new(broker).attempts(u32::MAX).pauses(hour, hour);
    let body = async { drop(note::enqueue(1)) };
    let scope = airlock::scope().deadline(2 * hour).executor(retry);
    let mut flushing = Box::pin(scope.run_async(body));
    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(flushing.as_mut().poll(cx).is_pending())).await;
    assert!(first);
    let (_, log) = airlock_tests::log::logged(|| drop(flushing));
    assert!(log.contains(r#"what="not dispatched" intents=1"#), "{log}");
}

#[test]
fn arguments_survive_a_retry_that_moves_them_into_tasks() {
    // Inline, the task has its arguments by value; those of the next attempt are still there.
    let broker = Fallback::new(FaultExecutor::new().then(usize::MAX, Fault::Unavailable), InlineExecutor::new());
    assert_eq!(flush(airlock::scope().executor(quick(broker)), 3).unwrap().counts().dispatched, 3);
}

// Fallback.

#[test]
fn what_the_first_could_not_take_goes_to_the_second_in_order() {
    let first = FaultExecutor::new().then(1, Fault::None).then(1, Fault::Unavailable);
    let second = Recorder::new();
    let report = flush(airlock::scope().executor(Fallback::new(first.clone(), second.clone())), 4).unwrap();
    assert_eq!((report.counts().dispatched, report.executor()), (4, Some("fallback(fault, recorder)")));
    assert_eq!(numbers(&first.accepted()), [0]);
    assert_eq!(second.calls(), ["retries.note(n=1)", "retries.note(n=2)", "retries.note(n=3)"]);
}

#[test]
fn it_moves_on_for_nothing_else() {
    for fault in [Fault::Rejected, Fault::Unconfirmed, Fault::TaskFailed, Fault::EndsEarly, Fault::Panics] {
        let second = Recorder::new();
        let first = FaultExecutor::new().then(1, fault);
        let error = flush(airlock::scope().executor(Fallback::new(first, second.clone())), 2).unwrap_err();
        assert!(second.calls().is_empty(), "{fault:?}");
        drop(error.into_intents());
    }
}

#[test]
fn if_the_second_is_unavailable_too_that_is_how_it_ended() {
    let down = || FaultExecutor::new().then(usize::MAX, Fault::Unavailable);
    let error = flush(airlock::scope().executor(Fallback::new(down(), down())), 3).unwrap_err();
    assert_eq!(numbers(error.undispatched()), [0, 1, 2]);
    assert_eq!((error.report().counts().failed, error.report().counts().unattempted), (1, 2));
    drop(error.into_intents());
}

#[test]
fn it_accepts_what_both_accept() {
    let picky = || Picky { refuses: "retries.note", ..Picky::default() };
    for executor in [
        Fallback::new(Box::new(picky()) as Box<dyn Executor>, Box::new(Recorder::new()) as Box<dyn Executor>),
        Fallback::new(Box::new(Recorder::new()), Box::new(picky())),
    ] {
        let error = flush(airlock::scope().executor(executor), 1).unwrap_err();
        assert!(error.to_string().ends_with("rejected: not this one"));
        drop(error.into_intents());
    }
}

#[test]
fn a_pool_that_is_full_leaves_time_for_the_second() {
    let (gate, second) = (Gate::new(), Recorder::new());
    let full = ThreadPoolExecutor::new().threads(1).queue_limit(1);
    let waits = Probe::new({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            Ok(())
        }
    });
    crate::threads::flush(airlock::scope().executor(full.clone()), &waits, 0..1).unwrap();
    gate.await_waiting(1);
    crate::threads::flush(airlock::scope().executor(full.clone()), &waits, 1..2).unwrap();
    let executor = Fallback::new(full.clone(), second.clone()).move_on_after(Duration::from_millis(20));
    let report = flush(airlock::scope().deadline(PATIENCE).executor(executor), 3).unwrap();
    assert_eq!(report.counts().dispatched, 3);
    assert_eq!(second.calls(), ["retries.note(n=0)", "retries.note(n=1)", "retries.note(n=2)"]);
    gate.open();
    assert!(crate::threads::shut_down(&full).is_empty());
}

#[test]
fn the_first_has_half_of_the_time_unless_told_otherwise() {
    struct Asks(Arc<Mutex<Option<Duration>>>);

    impl Executor for Asks {
        fn name(&self) -> &str {
            "asks"
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            Box::pin(async move { *self.0.lock().unwrap() = batch.deadline().remaining() })
        }
    }

    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (set, expected) in [(None, 30), (Some(10), 10), (Some(90), 60)] {
        let asked = Arc::default();
        let mut executor = Fallback::new(Asks(Arc::clone(&asked)), Recorder::new());
        if let Some(set) = set {
            executor = executor.move_on_after(minutes(set));
        }
        drop(flush(airlock::scope().deadline(minutes(60)).executor(executor), 1).unwrap_err().into_intents());
        let had = asked.lock().unwrap().unwrap();
        assert!(had <= minutes(expected) && had > minutes(expected - 2), "{set:?}: {had:?}");
    }
}

#[test]
fn promise_13_of_a_first_that_hangs_what_it_began_is_unconfirmed_and_the_rest_goes_to_the_second() {
    let first = FaultExecutor::new().then(1, Fault::None).then(1, Fault::Pends);
    let second = Recorder::new();
    let executor = Fallback::new(first, second.clone()).move_on_after(Duration::from_millis(20));
    let scope = || airlock::scope().deadline(PATIENCE);
    let error = flush(scope().executor(executor), 4).unwrap_err();
    let hung = "unconfirmed: the executor ended without saying how it went";
    assert_eq!(outcomes(error.report()), ["dispatched", hung, "dispatched", "dispatched"]);
    assert_eq!(second.calls(), ["retries.note(n=2)", "retries.note(n=3)"]);
    drop(error.into_intents());
    // Under fail-fast, that is a failure.
    let first = FaultExecutor::new().then(1, Fault::Pends);
    let executor = Fallback::new(first, second.clone()).move_on_after(Duration::from_millis(20));
    let error = flush(scope().on_failure(OnFailure::FailFast).executor(executor), 2).unwrap_err();
    assert_eq!((error.unconfirmed().len(), error.undispatched().len(), second.calls().len()), (1, 1, 2));
    drop(error.into_intents());
}

// Together.

#[test]
fn retry_of_route_of_fallback_of_retry_composes() {
    let flaky = FaultExecutor::new().then(3, Fault::Unavailable);
    let down = FaultExecutor::new().then(usize::MAX, Fault::Unavailable);
    let others = Recorder::new();
    let route = Route::new()
        .to::<note>(Fallback::new(quick(down.clone()).attempts(2), quick(flaky.clone()).attempts(2)))
        .otherwise(others.clone());
    let Ended { flush, .. } = airlock::scope().executor(quick(route)).run_reported(|| {
        for n in 0..3 {
            note::enqueue(n).unwrap();
            other::enqueue(n).unwrap();
        }
    });
    assert_eq!(flush.unwrap().counts().dispatched, 6);
    // Those that had gone out at the first attempt are not handed over again.
    assert_eq!(others.calls().len(), 3);
    assert_eq!(numbers(&flaky.accepted()), [0, 1, 2]);
    assert_eq!((down.attempts(), flaky.attempts()), (4, 6));
}
