//! Promise 14: an executor that never answers costs a flush its deadline, once.

use std::time::Duration;

use airlock::testing::{Fault, FaultExecutor};
use airlock::{Batch, BoxFuture, Executor, Fallback, Intent, Retry, Route};
use airlock_tests::patience::PATIENCE;
use airlock_tests::stopwatch::Stopwatch;

use crate::promise_13_kinds::{WAYS, flush, note, outcomes};

const DEADLINE: Duration = Duration::from_millis(200);

#[test]
fn promise_14_a_pending_executor_costs_the_deadline_and_the_next_flush_behaves_like_the_first() {
    for way in WAYS {
        let dead = FaultExecutor::new().then(usize::MAX, Fault::Pends);
        for turn in 1..=2 {
            let watch = Stopwatch::start();
            let error = flush(way, dead.clone(), 3, Some(DEADLINE)).unwrap_err();
            let took = watch.stop();
            assert!(took.time() >= DEADLINE, "{way:?}: {took:?}");
            took.assert_at_most(DEADLINE, way);
            let left = "unattempted: the deadline passed";
            let begun = "unconfirmed: the executor ended without saying how it went";
            assert_eq!(outcomes(error.report()), [begun, left, left], "{way:?}");
            assert_eq!(dead.attempts(), turn);
            drop(error.into_intents());
        }
    }
}

#[test]
fn promise_14_executors_made_of_others_cost_no_more() {
    let dead = || FaultExecutor::new().then(usize::MAX, Fault::Pends);
    let made: [Box<dyn Executor>; 3] = [
        Box::new(Retry::new(dead())),
        Box::new(Route::new().otherwise(dead())),
        Box::new(Fallback::new(dead(), dead())),
    ];
    for executor in made {
        let executor = std::sync::Arc::<dyn Executor>::from(executor);
        for way in WAYS {
            let watch = Stopwatch::start();
            let error = flush(way, std::sync::Arc::clone(&executor), 2, Some(DEADLINE)).unwrap_err();
            let took = watch.stop();
            assert!(took.time() >= DEADLINE, "{} {way:?}: {took:?}", executor.name());
            took.assert_at_most(DEADLINE, (executor.name(), way));
            // One a dead executor: a fallback gives the second what the first has not begun.
            let dead = if executor.name().starts_with("fallback") { 2 } else { 1 };
            assert_eq!((error.unconfirmed().len(), error.undispatched().len()), (dead, 2 - dead));
            drop(error.into_intents());
        }
    }
}

#[test]
fn promise_14_the_deadline_is_five_seconds_unless_set() {
    struct Asks;

    impl Executor for Asks {
        fn name(&self) -> &str {
            "asks"
        }

        fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                let left = batch.deadline().remaining().unwrap();
                assert!(left <= Duration::from_secs(5) && left > Duration::from_secs(1), "{left:?}");
                while let Some(begun) = batch.begin() {
                    begun.settle(Ok(()));
                }
            })
        }
    }

    for way in WAYS {
        assert_eq!(flush(way, Asks, 1, None).unwrap().counts().dispatched, 1);
        assert_eq!(flush(way, Route::new().otherwise(Retry::new(Asks)), 1, None).unwrap().counts().dispatched, 1);
    }
}

#[test]
fn promise_14_unavailable_costs_no_waiting_at_all() {
    for way in WAYS {
        let down = FaultExecutor::new().then(usize::MAX, Fault::Unavailable);
        for turn in 1..=2 {
            let error = flush(way, down.clone(), 1000, None).unwrap_err();
            assert_eq!((error.report().counts().unattempted, down.attempts()), (999, turn));
            drop(error.into_intents());
        }
    }
}

/// Hangs, and panics when it is cut off.
struct Bomb;

impl Executor for Bomb {
    fn name(&self) -> &str {
        "bomb"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        struct Explodes;

        impl Drop for Explodes {
            fn drop(&mut self) {
                panic!("the end went wrong");
            }
        }

        Box::pin(async move {
            let _explodes = Explodes;
            let _begun = batch.begin();
            std::future::pending::<()>().await;
        })
    }
}

#[test]
fn promise_14_destructors_that_panic_as_several_are_cut_off_change_nothing() {
    for way in WAYS {
        let odd = |intent: &Intent| intent.args::<note>().is_some_and(|(n,)| n % 2 == 1);
        let route = Route::new().when(odd, Bomb).otherwise(Retry::new(Bomb));
        let error = flush(way, route, 4, Some(Duration::from_millis(20))).unwrap_err();
        let left = "unattempted: the deadline passed";
        let begun = "unconfirmed: the executor ended without saying how it went";
        assert_eq!(outcomes(error.report()), [begun, begun, left, left], "{way:?}");
        drop(error.into_intents());
        // The second one has its turn all the same.
        let (first, second) = (Bomb, FaultExecutor::new());
        let fallback = Fallback::new(first, second.clone()).move_on_after(Duration::from_millis(20));
        let error = flush(way, fallback, 3, Some(PATIENCE)).unwrap_err();
        assert_eq!(outcomes(error.report()), [begun, "dispatched", "dispatched"], "{way:?}");
        assert_eq!(second.accepted().len(), 2);
        drop(error.into_intents());
    }
}
