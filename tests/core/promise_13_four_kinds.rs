//! Promise 13: the four error kinds are kept apart everywhere, because retrying is only honest when it is known what
//! happened.

use std::future::{Future, pending};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use airlock::{
    Batch, BoxFuture, DispatchError, DispatchErrorKind, Ended, Executor, FlushError, FlushReport, InlineExecutor,
    Intent, Outcome, ReportEntry, Ticket, executor_fn,
};
use airlock_tests::log::logged;
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "p13.note")]
fn note(n: u32) {
    let _ = n;
}

const KINDS: [(DispatchErrorKind, &str); 4] = [
    (DispatchErrorKind::Rejected, "rejected"),
    (DispatchErrorKind::Unavailable, "unavailable"),
    (DispatchErrorKind::Unconfirmed, "unconfirmed"),
    (DispatchErrorKind::TaskFailed, "the task failed"),
];

fn error_of(kind: DispatchErrorKind) -> DispatchError {
    match kind {
        DispatchErrorKind::Rejected => DispatchError::rejected("why"),
        DispatchErrorKind::Unavailable => DispatchError::unavailable("why"),
        DispatchErrorKind::TaskFailed => DispatchError::task_failed("why"),
        _ => DispatchError::unconfirmed("why"),
    }
}

/// Flushes `count` intents to the executor.
fn flush(executor: impl Executor, count: u32) -> Result<FlushReport, FlushError> {
    let Ended { flush, .. } = airlock::scope().executor(executor).run_reported(|| {
        for n in 0..count {
            note::enqueue(n).unwrap();
        }
    });
    flush
}

fn outcomes(report: &FlushReport) -> Vec<String> {
    report.entries().iter().map(ReportEntry::outcome).map(ToString::to_string).collect()
}

/// Which list of the error each intent is in.
fn lists(error: &FlushError) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let number = |intent: &Intent| intent.args::<note>().unwrap().0;
    (
        error.undispatched().iter().map(number).collect(),
        error.unconfirmed().iter().map(|failure| number(failure.intent.as_ref().unwrap())).collect(),
        error.failed().iter().map(|failure| number(failure.intent.as_ref().unwrap())).collect(),
    )
}

// Closures.

#[test]
fn each_kind_keeps_its_name_its_list_and_its_outcome() {
    for (kind, name) in KINDS {
        let error = flush(executor_fn(move |_| Err(error_of(kind))), 1).unwrap_err();
        assert_eq!(outcomes(error.report()), [format!("{name}: why")]);
        let entry = &error.report().entries()[0];
        match entry.outcome() {
            Outcome::Failed { error } => assert_eq!(error.kind(), kind),
            Outcome::Unconfirmed { error } => assert_eq!((error.kind(), kind), (kind, DispatchErrorKind::Unconfirmed)),
            other => panic!("{other}"),
        }
        let expected = match kind {
            DispatchErrorKind::Rejected | DispatchErrorKind::Unavailable => (vec![0], vec![], vec![]),
            DispatchErrorKind::Unconfirmed => (vec![], vec![0], vec![]),
            _ => (vec![], vec![], vec![0]),
        };
        assert_eq!(lists(&error), expected, "{kind:?}");
        for failure in error.unconfirmed().iter().chain(error.failed()) {
            assert_eq!(failure.error.kind(), kind);
        }
        drop(error.into_intents());
    }
}

#[test]
fn a_dispatch_error_in_a_box_keeps_its_kind() {
    for (kind, name) in KINDS {
        let boxed = executor_fn(move |_| Err::<(), Box<dyn std::error::Error + Send + Sync>>(error_of(kind).into()));
        let error = flush(boxed, 1).unwrap_err();
        assert_eq!(outcomes(error.report()), [format!("{name}: why")]);
        drop(error.into_intents());
    }
}

#[test]
fn any_other_error_of_a_closure_counts_as_unconfirmed() {
    let io = executor_fn(|_| Err(std::io::Error::other("broken pipe")));
    let error = flush(io, 2).unwrap_err();
    assert_eq!(lists(&error), (vec![], vec![0, 1], vec![]));
    assert_eq!(outcomes(error.report()), ["unconfirmed: broken pipe", "unconfirmed: broken pipe"]);
    drop(error.into_intents());
    // A text is an error too, and so is one that only wraps a dispatch error: what it adds may change the meaning.
    let wrapped = |_: Intent| Err(airlock::Error::other(DispatchError::rejected("inside")));
    let error = flush(wrapped, 1).unwrap_err();
    assert_eq!(lists(&error), (vec![], vec![0], vec![]));
    drop(error.into_intents());
    let error = flush(|_: Intent| Err("a text"), 1).unwrap_err();
    assert_eq!(outcomes(error.report()), ["unconfirmed: a text"]);
    drop(error.into_intents());
}

#[test]
fn the_first_unavailable_leaves_the_rest_unattempted_and_the_next_flush_starts_afresh() {
    let asked = Arc::new(Mutex::new(0));
    let executor: Arc<dyn Executor> = Arc::new({
        let asked = Arc::clone(&asked);
        move |_: Intent| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            if *asked == 2 { Err(DispatchError::unavailable("connection refused")) } else { Ok(()) }
        }
    });
    let error = flush(Arc::clone(&executor), 4).unwrap_err();
    assert_eq!(*asked.lock().unwrap(), 2);
    let left = "unattempted: the executor was unavailable for an earlier one";
    assert_eq!(outcomes(error.report()), ["dispatched", "unavailable: connection refused", left, left]);
    assert_eq!(lists(&error), (vec![1, 2, 3], vec![], vec![]));
    drop(error.into_intents());
    assert_eq!(flush(executor, 4).unwrap().counts().dispatched, 4);
}

#[test]
fn the_other_kinds_do_not_keep_the_rest_in() {
    for (kind, _) in KINDS.into_iter().filter(|(kind, _)| *kind != DispatchErrorKind::Unavailable) {
        let executor = executor_fn(move |intent: Intent| match intent.args::<note>() {
            Some((0,)) => Err(error_of(kind)),
            _ => Ok(()),
        });
        let error = flush(executor, 3).unwrap_err();
        assert_eq!(error.report().counts().dispatched, 2, "{kind:?}");
        drop(error.into_intents());
    }
}

#[test]
fn the_whole_chain_of_sources_is_told_on_one_line() {
    #[derive(Debug, thiserror::Error)]
    #[error("can't reach\n  the broker")]
    struct Outer(#[source] std::io::Error);

    let error = flush(|_: Intent| Err(DispatchError::unavailable(Outer(std::io::Error::other("no route")))), 1);
    let error = error.unwrap_err();
    assert_eq!(outcomes(error.report()), ["unavailable: can't reach the broker: no route"]);
    assert!(
        std::error::Error::source(&DispatchError::rejected("why")).is_some_and(|source| source.to_string() == "why")
    );
    drop(error.into_intents());
}

// Inline.

#[tokio::test]
async fn inline_a_task_that_fails_or_panics_has_failed_and_nothing_else_has() {
    #[airlock::task(name = "p13.fails")]
    fn fails() -> Result<(), std::num::ParseIntError> {
        "x".parse::<u8>().map(drop)
    }
    #[airlock::task(name = "p13.panics")]
    fn panics() {
        panic!("{} went wrong", "it")
    }
    #[airlock::task(name = "p13.panics_later")]
    async fn panics_later() {
        tokio::task::yield_now().await;
        std::panic::panic_any(7);
    }

    let body = async {
        fails::enqueue().unwrap();
        panics::enqueue().unwrap();
        panics_later::enqueue().unwrap();
    };
    let ended = airlock::scope().run_reported_async(body).await;
    let error = ended.flush.unwrap_err();
    let expected = [
        "the task failed: invalid digit found in string",
        "the task failed: panicked: it went wrong",
        "the task failed: panicked: a panic without a message",
    ];
    assert_eq!(outcomes(error.report()), expected);
    assert!(error.failed().iter().all(|failure| failure.error.kind() == DispatchErrorKind::TaskFailed));
    assert_eq!((error.undispatched().len(), error.unconfirmed().len(), error.failed().len()), (0, 0, 3));
}

// Executors that misbehave.

/// A deadline that passes in a test, and not before its first intent has begun, however busy the machine.
const SOON: Duration = Duration::from_millis(300);

/// An executor whose `dispatch` is the function.
struct Custom<F>(F);

impl<F> Executor for Custom<F>
where
    F: Fn(Batch) -> BoxFuture<'static, ()> + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        "custom"
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        self.0(batch)
    }
}

fn custom(dispatch: impl Fn(Batch) -> BoxFuture<'static, ()> + Send + Sync + 'static) -> impl Executor {
    Custom(dispatch)
}

#[test]
fn what_is_begun_and_left_unsettled_is_unconfirmed() {
    let executor = custom(|mut batch| {
        Box::pin(async move {
            drop(batch.begin());
            let (_, ticket): (Intent, Ticket) = batch.begin().unwrap().into_parts();
            drop(ticket);
            batch.begin().unwrap().settle(Ok(()));
        })
    });
    let error = flush(executor, 3).unwrap_err();
    let unsettled = "unconfirmed: the executor ended without saying how it went";
    assert_eq!(outcomes(error.report()), [unsettled, unsettled, "dispatched"]);
    assert_eq!(lists(&error), (vec![], vec![0, 1], vec![]));
    drop(error.into_intents());
}

#[test]
fn an_executor_that_ends_early_leaves_the_rest_unattempted() {
    let executor = custom(|mut batch| {
        Box::pin(async move {
            batch.begin().unwrap().settle(Ok(()));
            assert_eq!(batch.remaining(), 2);
        })
    });
    let error = flush(executor, 3).unwrap_err();
    let early = "unattempted: the executor ended early";
    assert_eq!(outcomes(error.report()), ["dispatched", early, early]);
    assert_eq!(lists(&error), (vec![1, 2], vec![], vec![]));
    drop(error.into_intents());
}

#[test]
fn an_executor_that_does_nothing_at_all_has_dispatched_nothing() {
    let error = flush(custom(|_| Box::pin(async {})), 2).unwrap_err();
    assert_eq!((error.report().counts().dispatched, error.report().counts().unattempted), (0, 2));
    drop(error.into_intents());
}

#[test]
fn an_executor_that_panics_leaves_the_begun_one_unconfirmed_and_the_rest_unattempted() {
    let in_its_future = custom(|mut batch| {
        Box::pin(async move {
            batch.begin().unwrap().settle(Ok(()));
            let _begun = batch.begin();
            panic!("out of sockets");
        })
    });
    let error = flush(in_its_future, 4).unwrap_err();
    let rest = "unattempted: the executor panicked: out of sockets";
    let begun = "unconfirmed: the executor ended without saying how it went";
    assert_eq!(outcomes(error.report()), ["dispatched", begun, rest, rest]);
    drop(error.into_intents());

    let before_its_future = custom(|_| panic!("out of sockets"));
    let error = flush(before_its_future, 2).unwrap_err();
    assert_eq!(outcomes(error.report()), [rest, rest]);
    drop(error.into_intents());
}

#[test]
fn intents_settled_out_of_order_each_keep_their_own_result() {
    let executor = custom(|mut batch| {
        Box::pin(async move {
            let mut begun: Vec<_> = std::iter::from_fn(|| batch.begin()).collect();
            while let Some(last) = begun.pop() {
                let result = match last.intent().args::<note>() {
                    Some((n,)) if n % 2 == 1 => Err(DispatchError::rejected(format!("number {n}"))),
                    _ => Ok(()),
                };
                last.settle(result);
            }
        })
    });
    let error = flush(executor, 5).unwrap_err();
    let expected = ["dispatched", "rejected: number 1", "dispatched", "rejected: number 3", "dispatched"];
    assert_eq!(outcomes(error.report()), expected);
    drop(error.into_intents());
}

#[test]
fn a_batch_may_be_settled_by_another_thread_while_the_flush_waits() {
    let executor = custom(|batch| {
        let (done, wait) = futures::channel::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let mut batch = batch;
            while let Some(begun) = batch.begin() {
                let even = begun.intent().args::<note>().unwrap().0 % 2 == 0;
                begun.settle(if even { Ok(()) } else { Err(DispatchError::task_failed("odd")) });
            }
            drop(done);
        });
        Box::pin(async move {
            let _ended = wait.await;
        })
    });
    let error = flush(executor, 3).unwrap_err();
    assert_eq!(outcomes(error.report()), ["dispatched", "the task failed: odd", "dispatched"]);
    assert_eq!(lists(&error), (vec![], vec![], vec![1]));
    drop(error.into_intents());
}

#[test]
fn a_batch_kept_by_another_thread_after_the_end_gives_nothing_more_and_says_nothing_more() {
    let (send, receive) = mpsc::channel();
    let executor = {
        let send = Mutex::new(send);
        custom(move |mut batch| {
            let begun = batch.begin().unwrap();
            send.lock().unwrap().send((batch, begun)).unwrap();
            Box::pin(async {})
        })
    };
    let error = flush(executor, 2).unwrap_err();
    let unsettled = "unconfirmed: the executor had not said how it went when the flush ended";
    let expected = [unsettled, "unattempted: the executor ended early"];
    assert_eq!(outcomes(error.report()), expected);
    assert_eq!(lists(&error), (vec![1], vec![0], vec![]));

    let (mut batch, begun) = receive.recv().unwrap();
    assert_eq!(batch.remaining(), 1);
    assert!(batch.begin().is_none(), "the flush is over, and the second one is somebody else's now");
    begun.settle(Ok(()));
    assert_eq!(outcomes(error.report()), expected);
    drop(error.into_intents());
}

#[test]
fn an_executor_that_pends_past_the_deadline_is_left_and_its_begun_intent_is_unconfirmed() {
    let started = Instant::now();
    let executor = custom(|mut batch| {
        Box::pin(async move {
            batch.begin().unwrap().settle(Ok(()));
            let _begun = batch.begin();
            pending::<()>().await;
        })
    });
    let guard = airlock::scope().executor(executor).deadline(SOON).enter();
    for n in 0..3 {
        note::enqueue(n).unwrap();
    }
    let error = guard.flush().unwrap_err();
    assert!(started.elapsed() >= SOON);
    assert!(started.elapsed() < Duration::from_secs(4), "not the default of five seconds");
    let begun = "unconfirmed: the executor ended without saying how it went";
    assert_eq!(outcomes(error.report()), ["dispatched", begun, "unattempted: the deadline passed"]);
    drop(error.into_intents());
}

#[test]
fn an_executor_that_works_past_the_deadline_is_given_no_more() {
    let executor = custom(|mut batch| {
        Box::pin(async move {
            let first = batch.begin().unwrap();
            // Blocks its thread until the deadline has passed, which nobody can cut.
            while !batch.deadline().has_passed() {
                std::thread::yield_now();
            }
            first.settle(Ok(()));
            assert!(batch.begin().is_none());
        })
    });
    let guard = airlock::scope().executor(executor).deadline(SOON).enter();
    note::enqueue(0).unwrap();
    note::enqueue(1).unwrap();
    let error = guard.flush().unwrap_err();
    assert_eq!(outcomes(error.report()), ["dispatched", "unattempted: the deadline passed"]);
    drop(error.into_intents());
}

#[test]
fn an_awaited_flush_that_is_dropped_leaves_the_begun_one_unconfirmed_and_nothing_silent() {
    let executor = custom(|mut batch| {
        Box::pin(async move {
            let _begun = batch.begin();
            pending::<()>().await;
        })
    });
    let ((), log) = logged(|| {
        let body = async {
            note::enqueue(0).unwrap();
            note::enqueue(1).unwrap();
        };
        let mut future = Box::pin(airlock::scope().executor(executor).run_async(body));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    let said = |what: &str| log.lines().filter(|line| line.contains(what) && line.contains("p13.note")).count();
    assert_eq!((said("not dispatched"), said("unconfirmed")), (1, 1), "{log}");
}

#[test]
fn intents_that_were_never_begun_are_not_called_unconfirmed_inline() {
    #[airlock::task(name = "p13.slow")]
    fn slow(n: u32) {
        let _ = n;
        // The scope's deadline passes while this runs.
        let started = Instant::now();
        while started.elapsed() < SOON {
            std::thread::yield_now();
        }
    }

    let guard = airlock::scope().executor(InlineExecutor::new()).deadline(SOON).enter();
    slow::enqueue(0).unwrap();
    slow::enqueue(1).unwrap();
    let error = guard.flush().unwrap_err();
    assert_eq!(outcomes(error.report()), ["dispatched", "unattempted: the deadline passed"]);
    let recorder = Recorder::new();
    error.dispatch(&recorder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(recorder.calls(), ["p13.slow(n=1)"]);
}
