//! A sync flush on a thread of a runtime: allowed, and said once for each place.

use std::time::Duration;

use airlock::testing::{Fault, FaultExecutor};
use airlock::{FlushError, LogExecutor};
use airlock_tests::log::logged;

use crate::promise_13_kinds::note;

const WARNING: &str = "a flush blocks a thread of a tokio runtime until its executor has answered";

fn pending() -> FaultExecutor {
    FaultExecutor::new().then(usize::MAX, Fault::Pends)
}

fn here(executor: FaultExecutor) -> Result<(), FlushError> {
    airlock::scope().deadline(Duration::from_millis(10)).executor(executor).run(|| drop(note::enqueue(1)))
}

#[tokio::test]
async fn it_is_warned_of_once_for_each_place_naming_the_way_out() {
    let (result, log) = logged(|| here(pending()));
    drop(result.unwrap_err().into_intents());
    assert!(log.contains(WARNING) && log.contains("use `run_async`"), "{log}");
    assert!(log.contains("WARN") && log.contains("scope (tests/in_process/sync_in_runtime.rs:"), "{log}");
    let (result, log) = logged(|| here(pending()));
    drop(result.unwrap_err().into_intents());
    assert!(!log.contains(WARNING), "{log}");
    let scope = airlock::scope().deadline(Duration::from_millis(10)).executor(pending());
    let (result, log) = logged(|| scope.run(|| drop(note::enqueue(1))));
    drop(result.unwrap_err().into_intents());
    assert!(log.contains(WARNING), "{log}");
}

#[tokio::test]
async fn a_flush_that_blocks_nobody_is_not_warned_of() {
    let (result, log) = logged(|| airlock::scope().executor(FaultExecutor::new()).run(|| drop(note::enqueue(1))));
    result.unwrap();
    let (result, more) = logged(|| airlock::scope().executor(LogExecutor::new()).run(|| drop(note::enqueue(1))));
    result.unwrap();
    let scope = airlock::scope().deadline(Duration::from_millis(10)).executor(pending());
    let body = async { drop(note::enqueue(1)) };
    drop(scope.run_async(body).await.unwrap_err().into_intents());
    assert!(!log.contains(WARNING) && !more.contains(WARNING));
}

#[test]
fn outside_a_runtime_there_is_nothing_to_warn_of() {
    let scope = airlock::scope().deadline(Duration::from_millis(10)).executor(pending());
    let (result, log) = logged(|| scope.run(|| drop(note::enqueue(1))));
    drop(result.unwrap_err().into_intents());
    assert!(!log.contains(WARNING), "{log}");
}
