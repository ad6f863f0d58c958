//! Promise 17: an option that an executor can't honour is an error that names it, before anything is handed over.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use airlock::{Batch, BoxFuture, Executor, Fallback, FlushContext, Intent, Options, Rejection, Retry, Route};

#[airlock::task(name = "options.send")]
fn send(n: u32) {
    let _ = n;
}

#[airlock::task(name = "options.send_late", delay = "5m")]
fn send_late(n: u32) {
    let _ = n;
}

/// Has no clock, and counts what it is given.
#[derive(Clone, Default)]
struct WithoutDelay(Arc<AtomicUsize>);

impl Executor for WithoutDelay {
    fn name(&self) -> &str {
        "without delay"
    }

    fn accepts(&self, intent: &Intent, _: &FlushContext) -> Result<(), Rejection> {
        match intent.options().get_start() {
            Some(_) => Err(Rejection::new("there is no `delay` here; leave it out")),
            None => Ok(()),
        }
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        while let Some(begun) = batch.begin() {
            self.0.fetch_add(1, Ordering::Relaxed);
            begun.settle(Ok(()));
        }
        Box::pin(ready(()))
    }
}

/// The executor itself, and those made of it.
fn ways(executor: &WithoutDelay) -> [Box<dyn Executor>; 4] {
    let executor = || executor.clone();
    [
        Box::new(executor()),
        Box::new(Retry::new(executor())),
        Box::new(Route::new().otherwise(executor())),
        Box::new(Fallback::new(executor(), executor())),
    ]
}

#[test]
fn the_option_of_a_call_or_of_the_attribute_is_named_and_nothing_is_handed_over() {
    let executor = WithoutDelay::default();
    for (way, made) in ways(&executor).into_iter().enumerate() {
        let guard = airlock::scope().executor(made).enter();
        send::enqueue(1).unwrap();
        send::enqueue_with(Options::new().delay(Duration::from_secs(9)), 2).unwrap();
        send_late::enqueue(3).unwrap();
        let error = guard.flush().unwrap_err();
        assert_eq!(executor.0.load(Ordering::Relaxed), 0, "{way}");
        let outcomes: Vec<_> = error.report().entries().iter().map(|entry| entry.outcome().to_string()).collect();
        let refused = "rejected: there is no `delay` here; leave it out";
        assert_eq!(outcomes, ["unattempted: another intent of this flush was refused", refused, refused], "{way}");
        assert!(error.to_string().contains("options.send") && error.to_string().contains("promise_17"), "{error}");
        assert_eq!(error.into_intents().len(), 3, "{way}: every intent comes back");
    }
}

#[test]
fn what_the_executor_honours_goes_out() {
    let executor = WithoutDelay::default();
    for made in ways(&executor) {
        let guard = airlock::scope().executor(made).enter();
        send::enqueue_with(Options::new().queue("mail"), 1).unwrap();
        guard.flush().unwrap();
    }
    assert_eq!(executor.0.load(Ordering::Relaxed), 4);
}
