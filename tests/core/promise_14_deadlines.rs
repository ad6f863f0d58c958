//! Promise 14: what doesn't answer costs a flush at most its deadline, once.

use std::future::pending;
use std::time::{Duration, Instant};

use airlock::{Batch, BoxFuture, Executor, FlushError, FlushReport, ScopeBuilder};

#[airlock::task(name = "deadline.note")]
fn note(n: u32) {
    let _ = n;
}

#[airlock::task(name = "deadline.wait_until_later")]
fn wait_until_later(millis: u64) {
    let end = Instant::now() + Duration::from_millis(millis);
    while Instant::now() < end {
        std::thread::yield_now();
    }
}

/// Begins one intent and never says how it went.
struct Silent;

impl Executor for Silent {
    fn name(&self) -> &str {
        "silent"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let _begun = batch.begin();
            pending::<()>().await;
        })
    }
}

fn flush(scope: ScopeBuilder, enqueue: impl FnOnce()) -> Result<FlushReport, FlushError> {
    let guard = scope.enter();
    enqueue();
    guard.flush()
}

fn outcomes(error: &FlushError) -> Vec<String> {
    error.report().entries().iter().map(|entry| entry.outcome().to_string()).collect()
}

#[test]
fn a_hundred_intents_cost_one_deadline_and_so_does_the_next_flush() {
    const DEADLINE: Duration = Duration::from_millis(100);
    for _ in 0..2 {
        let started = Instant::now();
        let scope = airlock::scope().executor(Silent).deadline(DEADLINE);
        let error = flush(scope, || (0..100).for_each(|n| _ = note::enqueue(n).unwrap())).unwrap_err();
        assert!(started.elapsed() >= DEADLINE);
        // A hundred deadlines would be ten seconds.
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        let outcomes = outcomes(&error);
        assert_eq!(outcomes[0], "unconfirmed: the executor ended without saying how it went");
        assert!(outcomes[1..].iter().all(|outcome| outcome == "unattempted: the deadline passed"), "{outcomes:?}");
        drop(error.into_intents());
    }
}

#[test]
fn inline_tasks_have_no_deadline_unless_one_is_set() {
    let two = || {
        wait_until_later::enqueue(30).unwrap();
        note::enqueue(1).unwrap();
    };
    assert_eq!(flush(airlock::scope(), two).unwrap().counts().dispatched, 2);
    let error = flush(airlock::scope().deadline(Duration::from_millis(10)), two).unwrap_err();
    // The first blocks its own thread, which can't be cut.
    assert_eq!(error.report().counts().dispatched, 1);
    assert_eq!(outcomes(&error).last().unwrap(), "unattempted: the deadline passed");
    drop(error.into_intents());
}
