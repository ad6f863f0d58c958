//! What the Python original does and this library does too, or otherwise on purpose: the tests behind `docs/parity.md`
//! that have no better place. The table names them, and the tests of other modules.

mod django;
mod intents;
mod scopes;
mod table;

use std::cell::RefCell;

use airlock::{AssertNoEffects, BlockTasks, DropAll, EnqueueError, Error, Intent, Scope, Settings, scope};
use airlock_tests::recorder::Recorder;

use crate::settings::alone;

thread_local! {
    static RAN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What ran inline on this thread since the last call.
fn ran() -> Vec<String> {
    RAN.take()
}

fn note(what: impl Into<String>) {
    RAN.with_borrow_mut(|ran| ran.push(what.into()));
}

#[airlock::task(name = "parity.notify_warehouse")]
fn notify_warehouse(order_id: u64) {
    note(format!("notify {order_id}"));
}

#[airlock::task(name = "parity.send_confirmation")]
fn send_confirmation() {
    note("confirm");
}

#[airlock::task(name = "parity.fail")]
fn fail() -> Result<(), String> {
    note("fail");
    Err("the mail server is down".to_owned())
}

/// The domain code of the original's front page.
struct Order {
    id: u64,
}

impl Order {
    fn process(&self) -> airlock::Result<()> {
        notify_warehouse::enqueue(self.id)?;
        send_confirmation::enqueue()?;
        Ok(())
    }
}

fn names(intents: &[Intent]) -> Vec<&'static str> {
    intents.iter().map(Intent::name).collect()
}

#[test]
fn the_front_page_of_the_original_works_here() {
    let order = Order { id: 42 };

    // Production: the effects happen at the end of the scope.
    scope()
        .run(|| -> airlock::Result<()> {
            order.process()?;
            assert!(ran().is_empty());
            Ok(())
        })
        .unwrap();
    assert_eq!(ran(), ["notify 42", "confirm"]);

    // A migration: nothing happens.
    scope().policy(DropAll).run(|| order.process()).unwrap();
    assert!(ran().is_empty());

    // A test: fails if anything tries to escape.
    let error = scope().policy(AssertNoEffects).run(|| order.process()).unwrap_err();
    assert!(matches!(&error, Error::Enqueue(EnqueueError::Rejected { .. })), "{error}");

    // A test: shows the effects.
    let ended = scope().policy(DropAll).run_reported(|| {
        order.process().unwrap();
        let intents = Scope::current().unwrap().intents();
        let calls: Vec<_> = intents.iter().map(ToString::to_string).collect();
        assert_eq!(calls, ["parity.notify_warehouse(order_id=42)", "parity.send_confirmation()"]);
    });
    assert_eq!(ended.flush.unwrap().counts().dropped, 2);
    assert!(ran().is_empty());

    // An admin's endpoint: all but the mail, which stays in the scope until its end.
    scope()
        .policy(BlockTasks::of::<send_confirmation>())
        .run(|| -> airlock::Result<()> {
            order.process()?;
            assert_eq!(Scope::current().unwrap().intents().len(), 2);
            Ok(())
        })
        .unwrap();
    assert_eq!(ran(), ["notify 42"]);
}

#[test]
fn configure_replaces_all_that_was_configured_before() {
    alone(|| {
        let recorder = Recorder::new();
        airlock::configure(Settings::new().policy(DropAll));
        airlock::configure(Settings::new().executor(recorder.clone()));
        scope().run(|| Order { id: 1 }.process()).unwrap();
        assert_eq!(recorder.calls().len(), 2, "the policy of the first call is gone");
        // The original's way, one setting after the other, starts from what there is.
        airlock::configure(airlock::configuration().policy(DropAll));
        scope().run(|| Order { id: 2 }.process()).unwrap();
        assert_eq!(recorder.calls().len(), 2);
        assert!(ran().is_empty(), "and the executor of the second is still there");
    });
}

#[test]
fn one_error_type_holds_them_all_and_errors_are_values() {
    fn outside() -> airlock::Result<()> {
        notify_warehouse::enqueue(1)?;
        Ok(())
    }

    let error = outside().unwrap_err();
    assert!(matches!(&error, Error::Enqueue(EnqueueError::NoScope { .. })), "{error}");
    assert!(error.to_string().starts_with("task `parity.notify_warehouse` can't be enqueued at tests/core/parity.rs:"));
    let error = scope().run(|| fail::enqueue().map(drop).map_err(Error::from)).unwrap_err();
    assert!(matches!(&error, Error::Flush(_)), "{error}");
    assert!(error.to_string().ends_with("the task failed: the mail server is down"), "{error}");

    // An error that the body deals with is no reason to discard.
    scope()
        .run(|| {
            send_confirmation::enqueue().unwrap();
            airlock::policy(AssertNoEffects).run(|| notify_warehouse::enqueue(1)).unwrap_err();
        })
        .unwrap();
    assert_eq!(ran(), ["fail", "confirm"]);
}
