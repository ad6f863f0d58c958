//! Running what was enqueued.

use airlock::testing::{MAX_DRAINED, capture, drain, drain_async};
use airlock::{assert_enqueued, assert_enqueued_in_order, assert_not_enqueued};

use crate::golden::assert_golden;
use crate::shop::{RAN, charge, forever, notify, panics, remember, send_email, ship, ship_async, unscoped};

#[test]
fn what_was_enqueued_runs_and_what_that_enqueues_comes_behind_and_nothing_leaves_the_test() {
    let captured = capture(|| -> airlock::Result<()> {
        ship::enqueue(1)?;
        send_email::enqueue(2, String::new(), String::new())?;
        Ok(())
    });
    let drained = drain(&captured).unwrap();
    assert_enqueued_in_order!(drained, [ship, send_email, charge { order_id: 1, amount: 5 }]);
    assert_eq!(drained.ran().len(), 3);
    // It has no body here, so a worker elsewhere would run it.
    assert_eq!(drained.elsewhere().len(), 1);
    assert_enqueued!(drained, notify { order_id: 1 });
}

#[test]
fn the_tasks_really_run() {
    let captured = capture(|| (7..10).all(|order_id| remember::enqueue(order_id).is_ok()));
    assert!(RAN.lock().unwrap().is_empty());
    drain(&captured).unwrap();
    assert_eq!(*RAN.lock().unwrap(), [7, 8, 9]);
}

#[test]
fn a_task_that_fails_or_panics_is_told_and_the_others_run() {
    let captured = capture(|| -> airlock::Result<()> {
        charge::enqueue(1, 0.0)?;
        panics::enqueue()?;
        send_email::enqueue(3, "hello".to_owned(), "canary".to_owned())?;
        unscoped::enqueue(4)?;
        ship_async::enqueue(5)?;
        Ok(())
    });
    let error = drain(&captured).unwrap_err();
    assert_golden("drain", &error.to_string());
    assert_eq!(format!("{error:?}"), error.to_string());
    assert_eq!((error.drained().ran().len(), error.failed().len(), error.waiting()), (5, 4, 0));
    assert_enqueued!(error.drained(), send_email);
    assert_not_enqueued!(error.drained(), charge { order_id: 4, .. });
}

#[test]
fn tasks_that_enqueue_each_other_without_end_are_stopped() {
    let captured = capture(|| forever::enqueue(0).is_ok());
    let error = drain(&captured).unwrap_err();
    assert_golden("drain_forever", &error.to_string());
    assert_eq!((error.drained().ran().len(), error.waiting()), (MAX_DRAINED, 1));
    assert!(error.failed().is_empty());
}

#[tokio::test]
async fn async_tasks_are_awaited_among_the_others() {
    let captured = capture(|| -> airlock::Result<()> {
        ship_async::enqueue(1)?;
        ship::enqueue(2)?;
        Ok(())
    });
    let drained = drain_async(&captured).await.unwrap();
    assert_enqueued_in_order!(drained, [ship_async, ship, charge { order_id: 1, .. }, charge { order_id: 2, .. }]);
    let captured = capture(|| panics::enqueue().is_ok());
    assert_eq!(drain_async(&captured).await.unwrap_err().failed().len(), 1);
}
