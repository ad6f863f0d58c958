//! Promise 15: a body's error is never masked by a flush error, nor the other way round.

use airlock::testing::{Fault, FaultExecutor};
use airlock::{AlwaysFlush, Error};
use airlock_tests::log::logged;

use crate::promise_13_kinds::note;

const FAULTS: [Fault; 6] =
    [Fault::Unavailable, Fault::Rejected, Fault::Unconfirmed, Fault::TaskFailed, Fault::Panics, Fault::EndsEarly];

fn failing_body() -> airlock::Result<()> {
    note::enqueue(1)?;
    Err(Error::other("the body's own"))
}

#[test]
fn promise_15_the_body_s_error_is_returned_and_the_flush_s_is_logged() {
    for fault in FAULTS {
        let broker = FaultExecutor::new().then(1, fault);
        let scope = airlock::scope().lifecycle(AlwaysFlush).executor(broker);
        let (result, log) = logged(|| scope.run(failing_body));
        assert_eq!(result.unwrap_err().to_string(), "the body's own", "{fault:?}");
        assert!(log.contains("a flush error was dropped with intents in it"), "{fault:?}: {log}");
    }
}

#[tokio::test]
async fn promise_15_likewise_when_it_is_awaited() {
    for fault in FAULTS {
        let broker = FaultExecutor::new().then(1, fault);
        let scope = airlock::scope().lifecycle(AlwaysFlush).executor(broker);
        let result = scope.run_async(async { failing_body() }).await;
        assert_eq!(result.unwrap_err().to_string(), "the body's own", "{fault:?}");
    }
}

#[test]
fn promise_15_after_a_body_that_succeeded_the_flush_s_error_is_returned() {
    for fault in FAULTS {
        let broker = FaultExecutor::new().then(1, fault);
        let result = airlock::scope().executor(broker).run(|| -> airlock::Result<()> {
            note::enqueue(1)?;
            Ok(())
        });
        assert!(matches!(result, Err(Error::Flush(_))), "{fault:?}");
    }
}

#[test]
fn promise_15_a_reported_scope_gives_both() {
    for fault in FAULTS {
        let broker = FaultExecutor::new().then(1, fault);
        let ended = airlock::scope().lifecycle(AlwaysFlush).executor(broker).run_reported(failing_body);
        assert_eq!(ended.result.unwrap_err().to_string(), "the body's own");
        assert_eq!(ended.flush.unwrap_err().report().counts().enqueued, 1);
    }
}
