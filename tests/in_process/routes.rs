//! One flush, several executors.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Waker};

use airlock::testing::{Fault, FaultExecutor};
use airlock::{
    Batch, BoxFuture, Ended, Executor, Fallback, FlushError, FlushReport, InlineExecutor, Intent, LogExecutor,
    OnFailure, Options, ReportEntry, Retry, Route, ScopeBuilder, TokioExecutor,
};
use airlock_tests::patience::{Gate, PATIENCE, block_on};
use airlock_tests::recorder::{Picky, Recorder};
use tokio::sync::Notify;

#[airlock::task(name = "mail.send")]
fn send(n: u32) {
    let _ = n;
}

#[airlock::task(name = "mail.remind")]
fn remind(n: u32) {
    let _ = n;
}

#[airlock::task(name = "stock.count")]
fn count(n: u32) {
    let _ = n;
}

#[airlock::task(name = "stock.local", local)]
fn stays(n: u32) {
    let _ = n;
}

/// Three of each, in turn.
fn nine(scope: ScopeBuilder) -> Result<FlushReport, FlushError> {
    let Ended { flush, .. } = scope.run_reported(|| {
        for n in 0..3 {
            send::enqueue(n).unwrap();
            remind::enqueue(n).unwrap();
            count::enqueue(n).unwrap();
        }
    });
    flush
}

fn outcomes(report: &FlushReport) -> Vec<String> {
    let line = |entry: &ReportEntry| format!("{}: {}", entry.name(), entry.outcome());
    report.entries().iter().map(line).collect()
}

#[test]
fn each_intent_goes_to_the_first_route_that_matches_in_the_order_of_the_calls() {
    let (mail, stock, rest) = (Recorder::new(), Recorder::new(), Recorder::new());
    let route = Route::new().to::<(send,)>(mail.clone()).named("st*", stock.clone()).otherwise(rest.clone());
    let report = nine(airlock::scope().executor(route)).unwrap();
    assert_eq!(report.counts().dispatched, 9);
    assert_eq!(report.executor(), Some("route(recorder, recorder, recorder)"));
    assert_eq!(mail.calls(), ["mail.send(n=0)", "mail.send(n=1)", "mail.send(n=2)"]);
    assert_eq!(stock.calls(), ["stock.count(n=0)", "stock.count(n=1)", "stock.count(n=2)"]);
    assert_eq!(rest.calls(), ["mail.remind(n=0)", "mail.remind(n=1)", "mail.remind(n=2)"]);
    let order = ["mail.send: dispatched", "mail.remind: dispatched", "stock.count: dispatched"];
    assert_eq!(outcomes(&report), order.repeat(3));
}

#[test]
fn several_tasks_of_one_route_keep_their_order() {
    let (mail, rest) = (Recorder::new(), Recorder::new());
    let route = Route::new().to::<(send, remind)>(mail.clone()).otherwise(rest.clone());
    nine(airlock::scope().executor(route)).unwrap();
    let expected: Vec<_> = (0..3).flat_map(|n| [format!("mail.send(n={n})"), format!("mail.remind(n={n})")]).collect();
    assert_eq!(mail.calls(), expected);
    assert_eq!(rest.calls().len(), 3);
}

#[test]
fn queues_and_closures_are_routes_too() {
    let (slow, urgent, rest) = (Recorder::new(), Recorder::new(), Recorder::new());
    let route = Route::new()
        .queue("slow", slow.clone())
        .when(|intent: &Intent| intent.options().get_priority() == Some(9), urgent.clone())
        .otherwise(rest.clone());
    let body = || {
        send::enqueue_with(Options::new().queue("slow"), 1).unwrap();
        send::enqueue_with(Options::new().priority(9), 2).unwrap();
        send::enqueue(3).unwrap();
    };
    airlock::scope().executor(route).run(body).unwrap();
    assert_eq!(slow.calls(), ["mail.send(n=1)"]);
    assert_eq!(urgent.calls(), ["mail.send(n=2)"]);
    assert_eq!(rest.calls(), ["mail.send(n=3)"]);
}

#[test]
fn what_no_route_takes_is_refused_before_anything_escapes() {
    let mail = Recorder::new();
    let error = nine(airlock::scope().executor(Route::new().named("mail.*", mail.clone()))).unwrap_err();
    assert!(mail.calls().is_empty());
    assert_eq!((error.report().counts().failed, error.report().counts().unattempted), (3, 6));
    assert!(error.to_string().ends_with("rejected: no route takes it; add one, or `.otherwise(..)` for all the rest"));
    assert_eq!(error.into_intents().len(), 9);
}

#[test]
fn what_the_executor_of_a_route_refuses_keeps_everything_in() {
    let picky = Picky { refuses: "mail.remind", ..Picky::default() };
    let (mail, rest) = (picky.recorder.clone(), Recorder::new());
    let error =
        nine(airlock::scope().executor(Route::new().named("mail.*", picky).otherwise(rest.clone()))).unwrap_err();
    assert!(mail.calls().is_empty() && rest.calls().is_empty());
    assert!(
        error.to_string().contains("mail.remind") && error.to_string().ends_with("rejected: not this one"),
        "{error}"
    );
    assert_eq!(error.into_intents().len(), 9);
}

#[test]
fn promise_14_an_executor_that_is_unavailable_stops_its_own_share_and_no_other() {
    let (down, rest) = (FaultExecutor::new().then(1, Fault::None).then(1, Fault::Unavailable), Recorder::new());
    let route = Route::new().to::<(send, remind)>(down.clone()).otherwise(rest.clone());
    let error = nine(airlock::scope().executor(route)).unwrap_err();
    assert_eq!(down.attempts(), 2);
    assert_eq!(rest.calls().len(), 3);
    let left = "unattempted: the executor was unavailable for an earlier one";
    let told = "unavailable: the fault executor was set to fail";
    let expected = [
        "mail.send: dispatched".to_owned(),
        format!("mail.remind: {told}"),
        "stock.count: dispatched".to_owned(),
        format!("mail.send: {left}"),
        format!("mail.remind: {left}"),
        "stock.count: dispatched".to_owned(),
    ];
    assert_eq!(outcomes(error.report())[..6], expected);
    assert_eq!(error.undispatched().len(), 5);
    // The same executors, and all of it goes out: each flush starts afresh.
    assert_eq!(error.dispatch(&down).unwrap().counts().dispatched, 5);
}

#[test]
fn under_fail_fast_a_failure_in_one_share_stops_them_all() {
    for fault in [Fault::Rejected, Fault::Unavailable, Fault::Unconfirmed] {
        let (failing, rest) = (FaultExecutor::new().then(1, fault), Recorder::new());
        let route = Route::new().to::<(send, remind)>(failing).otherwise(rest.clone());
        let error = nine(airlock::scope().on_failure(OnFailure::FailFast).executor(route)).unwrap_err();
        assert!(rest.calls().is_empty(), "{fault:?}");
        let counts = error.report().counts();
        assert_eq!((counts.failed + counts.unconfirmed, counts.unattempted), (1, 8), "{fault:?}");
        let last = outcomes(error.report()).pop().unwrap();
        assert_eq!(last, "stock.count: unattempted: an earlier one failed, and the scope fails fast");
        drop(error.into_intents());
    }
}

#[test]
fn an_executor_that_panics_takes_no_other_with_it() {
    let (bad, rest) = (FaultExecutor::new().then(1, Fault::None).then(1, Fault::Panics), Recorder::new());
    let route = Route::new().named("mail.*", bad).otherwise(rest.clone());
    let error = nine(airlock::scope().executor(route)).unwrap_err();
    assert_eq!(rest.calls().len(), 3);
    let counts = error.report().counts();
    assert_eq!((counts.dispatched, counts.unconfirmed, counts.unattempted), (4, 1, 4));
    let panicked = "mail.send: unattempted: the executor panicked: the fault executor was set to panic";
    assert_eq!(outcomes(error.report())[3], panicked);
    drop(error.into_intents());
}

#[test]
fn one_share_does_not_wait_for_another() {
    let runtime = crate::runtimes::runtime();
    let (gate, rest) = (Gate::new(), Recorder::new());
    let full = TokioExecutor::on(runtime.handle().clone()).concurrency(1).queue_limit(1);
    let occupying = crate::threads::Probe::new({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            Ok(())
        }
    });
    crate::threads::flush(airlock::scope().executor(full.clone()), &occupying, 0..1).unwrap();
    gate.await_waiting(1);
    let watched = {
        let rest = rest.clone();
        move |intent: Intent| {
            rest.note(intent.to_string());
            // The other share has no room before this one has gone out.
            gate.open();
            Ok::<(), String>(())
        }
    };
    let route = Route::new().named("mail.*", full.clone()).otherwise(watched);
    assert_eq!(nine(airlock::scope().deadline(PATIENCE).executor(route)).unwrap().counts().dispatched, 9);
    assert_eq!(rest.calls().len(), 3);
    assert!(block_on(full.shutdown(airlock::Deadline::after(PATIENCE))).is_empty());
}

/// Notes what it is given, and lets others go on after each.
struct Polite(Recorder);

impl Executor for Polite {
    fn name(&self) -> &str {
        "polite"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                self.0.note(begun.intent().to_string());
                begun.settle(Ok(()));
                tokio::task::yield_now().await;
            }
        })
    }
}

/// Begins and says nothing until it is told to.
struct Held(Arc<Notify>);

impl Executor for Held {
    fn name(&self) -> &str {
        "held"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                self.0.notified().await;
                begun.settle(Ok(()));
            }
        })
    }
}

#[test]
fn promise_04_what_runs_on_the_thread_of_the_flush_begins_after_the_other_shares_and_lets_them_go_on() {
    static RAN: LazyLock<Recorder> = LazyLock::new(Recorder::new);

    #[airlock::task(name = "here.run")]
    fn run(n: u32) {
        RAN.note(format!("here.run(n={n})"));
    }

    let closure = |intent: Intent| {
        RAN.note(intent.to_string());
        Ok::<(), String>(())
    };
    let here: [fn() -> Box<dyn Executor>; 5] = [
        || Box::new(InlineExecutor::new()),
        || Box::new(InlineExecutor::new().checked()),
        || Box::new(Retry::new(InlineExecutor::new())),
        || Box::new(Route::new().named("nothing", Recorder::new()).otherwise(InlineExecutor::new())),
        || Box::new(Fallback::new(FaultExecutor::new().then(1, Fault::Unavailable), InlineExecutor::new())),
    ];
    let here = here.into_iter().map(|make| make()).chain([Box::new(closure) as Box<dyn Executor>]);
    for (turn, executor) in here.enumerate() {
        let before = RAN.calls().len();
        let route = Route::new().to::<run>(executor).otherwise(Polite(RAN.clone()));
        let body = || {
            (0..3).for_each(|n| drop(run::enqueue(n)));
            (0..3).for_each(|n| drop(send::enqueue(n)));
        };
        airlock::scope().executor(route).run(body).unwrap();
        let in_turn: Vec<_> = (0..3).flat_map(|n| [format!("mail.send(n={n})"), format!("here.run(n={n})")]).collect();
        assert_eq!(RAN.calls()[before..], in_turn, "{turn}");
    }
}

#[test]
fn promise_04_a_share_that_hangs_holds_up_nothing_that_runs_here() {
    let recorder = Recorder::new();
    let here = {
        let recorder = recorder.clone();
        move |intent: Intent| {
            recorder.note(intent.to_string());
            Ok::<(), String>(())
        }
    };
    let answers = Arc::new(Notify::new());
    let route = Route::new().named("mail.*", Held(Arc::clone(&answers))).otherwise(here);
    let mut flush = pin!(airlock::scope().deadline(PATIENCE).executor(route).run_reported_async(async {
        count::enqueue(1).unwrap();
        count::enqueue(2).unwrap();
        send::enqueue(3).unwrap();
    }));
    let mut context = Context::from_waker(Waker::noop());
    // Each poll runs one.
    for _ in 0..2 {
        assert!(flush.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(recorder.calls(), ["stock.count(n=1)", "stock.count(n=2)"]);
    answers.notify_one();
    assert_eq!(block_on(flush).flush.unwrap().counts().dispatched, 3);
}

#[test]
fn when_the_deadline_cuts_one_share_the_others_have_gone_out() {
    let (hangs, rest) = (FaultExecutor::new().then(1, Fault::None).then(1, Fault::Pends), Recorder::new());
    let route = Route::new().named("mail.*", hangs).otherwise(rest);
    let scope = airlock::scope().deadline(std::time::Duration::from_millis(50)).executor(route);
    let error = nine(scope).unwrap_err();
    let counts = error.report().counts();
    assert_eq!((counts.dispatched, counts.unconfirmed, counts.unattempted), (4, 1, 4));
    assert_eq!(outcomes(error.report())[3], "mail.send: unattempted: the deadline passed");
    drop(error.into_intents());
}

#[test]
fn a_predicate_that_changes_its_mind_loses_nothing() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let fickle = move |_: &Intent| asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 9;
    let error = nine(airlock::scope().executor(Route::new().when(fickle, Recorder::new()))).unwrap_err();
    assert_eq!(error.report().counts().failed, 9);
    assert!(error.to_string().ends_with("rejected: no route takes it any more; routes must not change their mind"));
    assert_eq!(error.into_intents().len(), 9);
}

#[test]
fn local_tasks_run_here_whatever_the_routes_unless_all_of_them_are_dry_runs() {
    let recorder = Recorder::new();
    let body = || {
        stays::enqueue(1).unwrap();
        send::enqueue(2).unwrap();
    };
    let report = airlock::scope().executor(Route::new().otherwise(recorder.clone())).run_reported(body).flush.unwrap();
    assert_eq!(report.executor(), Some("route(recorder), then inline"));
    assert_eq!(recorder.calls(), ["mail.send(n=2)"]);
    let dry = Route::new().to::<send>(LogExecutor::new()).otherwise(LogExecutor::new());
    let report = airlock::scope().executor(dry).run_reported(body).flush.unwrap();
    assert_eq!(report.executor(), Some("route(log, log)"));
}

#[test]
fn timings_come_with_each_intent_of_each_share() {
    let route = Route::new().to::<send>(Recorder::new()).otherwise(InlineExecutor::new());
    let report = nine(airlock::scope().timings(true).executor(route)).unwrap();
    assert!(report.entries().iter().all(|entry| entry.time().is_some()));
}

#[test]
fn a_shutdown_reaches_the_executor_of_every_route() {
    let pool = airlock::ThreadPoolExecutor::new().threads(1);
    let route = Route::new().to::<send>(pool.clone()).otherwise(Recorder::new());
    assert!(block_on(route.shutdown(airlock::Deadline::after(PATIENCE))).is_empty());
    let error = airlock::scope().executor(pool).run(|| drop(send::enqueue(1))).unwrap_err();
    assert!(error.to_string().contains("was shut down"));
    drop(error.into_intents());
}
