//! Executors of other people, however they settle their batches.

use std::future::pending;
use std::sync::{Mutex, mpsc};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use airlock::{Batch, BoxFuture, DispatchError, Executor, InlineExecutor, Intent, Ticket};
use airlock_tests::log::logged;
use airlock_tests::recorder::Recorder;

use super::{flush, lists, note, outcomes};

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
    assert!(batch.begin().is_none(), "the flush is over, and the second one is the caller's now");
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
            // Blocks its thread until the deadline has passed, which can not be cut.
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
