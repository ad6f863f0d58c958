//! One task as a worker runs it.

use std::error::Error;

use airlock::testing::{capture, perform, perform_async};
use airlock::{DispatchErrorKind, assert_enqueued, assert_nothing_enqueued};

use crate::golden::assert_golden;
use crate::shop::{Crooked, charge, crooked, notify, panics, ship, ship_async, unscoped};

fn told(error: &airlock::DispatchError) -> String {
    format!("{error}: {}", error.source().unwrap())
}

#[test]
fn it_runs_and_what_its_scopes_let_out_is_captured() {
    let performed = perform::<ship>((7,)).unwrap();
    assert_enqueued!(performed, notify { order_id: 7 });
    assert_enqueued!(performed, charge { order_id: 7, amount: 5.0 });
    assert_nothing_enqueued!(perform::<charge>((1, 1.0)).unwrap());
}

#[test]
fn its_failure_is_the_error_with_its_kind() {
    let error = perform::<charge>((1, 0.0)).unwrap_err();
    assert_eq!(error.kind(), DispatchErrorKind::TaskFailed);
    assert_eq!(told(&error), "the task failed: there is nothing to charge");
    assert_eq!(told(&perform::<panics>(()).unwrap_err()), "the task failed: panicked: out of paper");
}

#[test]
fn it_has_no_scope_but_its_own() {
    let captured = capture(|| perform::<unscoped>((1,)).map(drop));
    let error = captured.value().as_ref().unwrap_err();
    assert_golden("perform_unscoped", &told(error));
    assert_nothing_enqueued!(captured);
}

#[test]
fn what_does_not_survive_its_encoding_is_found() {
    let error = perform::<crooked>((Crooked { cents: 5 },)).unwrap_err();
    assert_eq!(error.kind(), DispatchErrorKind::Rejected);
    assert_golden("perform_crooked", &told(&error));
}

#[tokio::test]
async fn async_tasks_are_awaited_and_refused_where_nobody_awaits() {
    let performed = perform_async::<ship_async>((7,)).await.unwrap();
    assert_enqueued!(performed, charge { order_id: 7, amount: 7.0 });
    assert_enqueued!(perform_async::<ship>((8,)).await.unwrap(), notify);
    assert_eq!(perform_async::<charge>((1, 0.0)).await.unwrap_err().kind(), DispatchErrorKind::TaskFailed);
    let error = perform::<ship_async>((7,)).unwrap_err();
    assert_eq!(error.kind(), DispatchErrorKind::Rejected);
    assert_eq!(perform::<notify>((7,)).unwrap_err().kind(), DispatchErrorKind::Rejected);
    assert_eq!(perform_async::<notify>((7,)).await.unwrap_err().kind(), DispatchErrorKind::Rejected);
}

struct Shelf(u64);

#[airlock::task(name = "kit.shelve")]
fn shelve(#[state] shelf: &Shelf, order_id: u64) -> Result<(), String> {
    if shelf.0 == order_id { Ok(()) } else { Err(format!("there is {} there", shelf.0)) }
}

#[test]
fn a_task_with_state_is_performed_with_that_of_a_scope_and_without_it_the_error_says_what_is_missing() {
    use airlock::testing::{perform_in, perform_in_async};

    let scope = || airlock::scope().state(Shelf(42));
    perform_in::<shelve>(scope(), (42,)).unwrap();
    assert!(perform_in::<shelve>(scope(), (43,)).is_err());
    futures::executor::block_on(perform_in_async::<shelve>(scope(), (42,))).unwrap();
    let error = perform::<shelve>((42,)).unwrap_err();
    assert!(format!("{error:?}").contains("its state"), "{error:?}");
}
