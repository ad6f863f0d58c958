//! Promise 15: a body's error is never masked by a flush error, nor the other way round.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use airlock::{AlwaysFlush, EnqueueError, FlushError, Intent, ScopeBuilder};
use airlock_tests::log::logged;
use airlock_tests::recorder::{Recorder, unavailable};

#[airlock::task(name = "p15.note")]
fn note(n: u32) {
    let _ = n;
}

#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error("out of stock")]
    OutOfStock,
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    #[error("not sent")]
    Flush(#[from] FlushError),
}

/// Flushes whatever happens, and nothing goes out.
fn failing() -> ScopeBuilder {
    airlock::scope().name("till").lifecycle(AlwaysFlush).executor(|_: Intent| Err(unavailable()))
}

fn body(result: Result<u32, AppError>) -> Result<u32, AppError> {
    note::enqueue(1)?;
    result
}

/// The flush error of a failed body is told in the log, which is where a dropped one goes.
fn assert_told(log: &str) {
    let told = log.lines().filter(|line| line.starts_with("ERROR") && line.contains("p15.note")).count();
    assert_eq!(told, 1, "{log}");
    assert!(log.contains("a flush error was dropped with intents in it"), "{log}");
}

#[test]
fn when_both_fail_the_body_s_error_is_returned_and_the_flush_error_is_logged() {
    let (result, log) = logged(|| failing().run(|| body(Err(AppError::OutOfStock))));
    assert!(matches!(result, Err(AppError::OutOfStock)), "{result:?}");
    assert_told(&log);
}

#[test]
fn the_same_when_awaited() {
    let run = || futures::executor::block_on(failing().run_async(async { body(Err(AppError::OutOfStock)) }));
    let (result, log) = logged(run);
    assert!(matches!(result, Err(AppError::OutOfStock)), "{result:?}");
    assert_told(&log);
}

#[test]
fn a_flush_that_fails_after_a_body_that_succeeded_is_not_hidden_by_its_value() {
    let (result, log) = logged(|| failing().run(|| body(Ok(7))));
    let Err(AppError::Flush(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.undispatched().len(), 1);
    assert_eq!(log, "", "nothing is dropped: the caller has it");
    drop(error.into_intents());

    let result = futures::executor::block_on(failing().run_async(async { body(Ok(7)) }));
    let Err(AppError::Flush(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.into_intents().len(), 1);
}

#[test]
fn a_body_without_a_result_gives_the_flush_error_itself() {
    let error = failing().run(|| body(Ok(7)).map(drop).unwrap()).unwrap_err();
    assert_eq!(error.into_intents().len(), 1);
}

#[test]
fn both_fail_and_a_reported_run_gives_both() {
    let (ended, log) = logged(|| failing().run_reported(|| body(Err(AppError::OutOfStock))));
    assert!(matches!(ended.result, Err(AppError::OutOfStock)));
    assert_eq!(ended.flush.unwrap_err().into_intents().len(), 1);
    assert_eq!(log, "");

    let reported = failing().run_reported_async(async { body(Err(AppError::OutOfStock)) });
    let (ended, log) = logged(|| futures::executor::block_on(reported));
    assert!(matches!(ended.result, Err(AppError::OutOfStock)));
    assert_eq!(ended.flush.unwrap_err().into_intents().len(), 1);
    assert_eq!(log, "");
}

#[test]
fn a_failed_body_that_discards_has_no_flush_error() {
    let recorder = Recorder::new();
    let scope = airlock::scope().executor(recorder.clone());
    let (result, log) = logged(|| scope.run(|| body(Err(AppError::OutOfStock))));
    assert!(matches!(result, Err(AppError::OutOfStock)));
    assert_eq!(log, "");
    assert!(recorder.calls().is_empty());
}

#[test]
fn a_value_comes_through_a_flush_that_succeeds() {
    let recorder = Recorder::new();
    assert_eq!(airlock::scope().executor(recorder.clone()).run(|| body(Ok(7))).unwrap(), 7);
    assert_eq!(recorder.calls(), ["p15.note(n=1)"]);
}

#[test]
fn a_panic_of_the_body_goes_on_as_it_was() {
    #[derive(Debug, PartialEq)]
    struct Payload(u32);

    let recorder = Recorder::new();
    let scope = airlock::scope().lifecycle(AlwaysFlush).executor(recorder.clone());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        scope.run(|| {
            note::enqueue(1).unwrap();
            if Recorder::new().calls().is_empty() {
                std::panic::panic_any(Payload(42));
            }
        })
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&Payload(42)));
    assert!(recorder.calls().is_empty());
}

#[test]
fn a_nested_scope_s_flush_error_reaches_the_outer_caller_with_its_intents() {
    let outer = Recorder::new();
    let result = airlock::scope().lifecycle(airlock::ReleaseNested).executor(outer.clone()).run(|| {
        note::enqueue(0)?;
        failing().run(|| body(Ok(7)))
    });
    let Err(AppError::Flush(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.report().scope().name(), Some("till"), "the inner one's own");
    assert_eq!(error.into_intents().len(), 1);
    assert!(outer.calls().is_empty(), "for the outer scope that is a failed body");
}

#[test]
fn an_attribute_returns_the_body_s_error_and_tells_the_flush_error() {
    #[airlock::scoped(lifecycle = AlwaysFlush, executor = |_: Intent| Err(unavailable()))]
    fn checkout(result: Result<u32, AppError>) -> Result<u32, AppError> {
        body(result)
    }

    #[airlock::scoped(lifecycle = AlwaysFlush, executor = |_: Intent| Err(unavailable()))]
    async fn checkout_later(result: Result<u32, AppError>) -> Result<u32, AppError> {
        body(result)
    }

    let (result, log) = logged(|| checkout(Err(AppError::OutOfStock)));
    assert!(matches!(result, Err(AppError::OutOfStock)));
    assert_told(&log);
    let (result, log) = logged(|| futures::executor::block_on(checkout_later(Err(AppError::OutOfStock))));
    assert!(matches!(result, Err(AppError::OutOfStock)));
    assert_told(&log);

    for result in [checkout(Ok(7)), futures::executor::block_on(checkout_later(Ok(7)))] {
        let Err(AppError::Flush(error)) = result else { panic!("{result:?}") };
        assert_eq!(error.into_intents().len(), 1);
    }
}

#[test]
fn on_flush_error_is_told_and_the_value_is_what_the_body_returned() {
    static TOLD: Mutex<Vec<usize>> = Mutex::new(Vec::new());

    fn tell(error: FlushError) {
        TOLD.lock().unwrap().push(error.into_intents().len());
    }

    #[airlock::scoped(lifecycle = AlwaysFlush, executor = |_: Intent| Err(unavailable()), on_flush_error = tell)]
    fn job(result: Result<u32, &'static str>) -> Result<u32, &'static str> {
        note::enqueue(1).map_err(|_| "not enqueued")?;
        result
    }

    let (results, log) = logged(|| [job(Ok(7)), job(Err("the body's"))]);
    assert_eq!(results, [Ok(7), Err("the body's")]);
    assert_eq!(*TOLD.lock().unwrap(), [1, 1], "each of the two flush errors");
    assert_eq!(log, "");
}

#[test]
fn an_enqueue_error_in_the_body_is_the_body_s_error() {
    let flushed = Arc::new(Mutex::new(0));
    let sink = Arc::clone(&flushed);
    let executor = move |_: Intent| -> Result<(), airlock::DispatchError> {
        *sink.lock().unwrap() += 1;
        Ok(())
    };
    let result = airlock::scope().executor(executor).run(|| -> Result<(), AppError> {
        note::enqueue(1)?;
        airlock::policy(airlock::AssertNoEffects).run(|| note::enqueue(2))?;
        Ok(())
    });
    assert!(matches!(result, Err(AppError::Enqueue(EnqueueError::Rejected { .. }))), "{result:?}");
    assert_eq!(*flushed.lock().unwrap(), 0);
}
