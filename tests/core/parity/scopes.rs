//! Scopes: entered by hand, nested, and around functions.

use std::sync::{Arc, Mutex};
use std::thread;

use airlock::{
    BlockTasks, Discarded, DropAll, EnqueueError, Error, FlushOnSuccess, FlushReport, Intent, Lifecycle, OnFailure,
    Phase, ReleaseNested, Scope, ScopeBody, ScopeEnd, ScopeInfo, scope,
};
use airlock_tests::log::logged;

use super::{Order, fail, names, note, notify_warehouse, ran, send_confirmation};

/// A task that enqueues, as if its caller's scope were there.
#[airlock::task(name = "parity.enqueue_more")]
fn enqueue_more() -> Result<(), EnqueueError> {
    note("enqueue more");
    notify_warehouse::enqueue(99).map(drop)
}

fn told(report: &FlushReport) -> Vec<String> {
    report.entries().iter().map(|entry| format!("{}: {}", entry.name(), entry.outcome())).collect()
}

#[test]
fn a_scope_entered_by_hand_ends_at_its_word_and_tells_what_it_held() {
    let guard = scope().enter();
    Order { id: 1 }.process().unwrap();
    assert!(ran().is_empty());
    let report = guard.flush().unwrap();
    assert_eq!(ran(), ["notify 1", "confirm"]);
    assert_eq!(told(&report), ["parity.notify_warehouse: dispatched", "parity.send_confirmation: dispatched"]);

    let guard = scope().enter();
    Order { id: 2 }.process().unwrap();
    let report = guard.discard();
    assert_eq!(
        told(&report),
        ["parity.notify_warehouse: discarded: by hand", "parity.send_confirmation: discarded: by hand"]
    );
    let calls: Vec<_> = report.entries().iter().filter_map(|entry| entry.intent()).map(ToString::to_string).collect();
    assert_eq!(calls, ["parity.notify_warehouse(order_id=2)", "parity.send_confirmation()"]);
    assert!(ran().is_empty());
    assert!(Scope::current().is_none());
}

#[test]
fn a_scope_tells_its_state_and_after_the_end_the_report_has_its_intents() {
    let guard = scope().policy(|intent: &Intent| intent.args::<notify_warehouse>().is_none()).enter();
    let handle = guard.scope();
    Order { id: 1 }.process().unwrap();
    assert_eq!((handle.phase(), handle.intents().len()), (Phase::Open, 2));
    let sealed = guard.seal().unwrap();
    assert_eq!((handle.phase(), handle.intents().len()), (Phase::Sealed, 0));
    let report = sealed.dispatch().unwrap();
    assert_eq!((handle.phase(), handle.intents().len()), (Phase::Flushed, 0));
    assert_eq!(report.entries().len(), 2, "the dropped one, too");
    assert_eq!(ran(), ["confirm"]);

    let guard = scope().enter();
    let handle = guard.scope();
    guard.discard();
    assert_eq!(handle.phase(), Phase::Discarded);
}

#[test]
fn a_flush_that_failed_has_ended_the_scope_and_can_go_on_only_through_its_error() {
    let guard = scope().on_failure(OnFailure::FailFast).enter();
    let handle = guard.scope();
    fail::enqueue().unwrap();
    send_confirmation::enqueue().unwrap();
    let error = guard.flush().unwrap_err();
    assert_eq!(handle.phase(), Phase::Flushed);
    let refused = handle.push(notify_warehouse::intent(1)).unwrap_err();
    assert!(matches!(&refused, EnqueueError::Closed { .. }), "{refused}");
    assert_eq!(ran(), ["fail"]);
    assert_eq!(names(error.undispatched()), ["parity.send_confirmation"]);
    // The original has lost it by now.
    error.dispatch(&airlock::InlineExecutor::new()).unwrap_err();
    assert_eq!(ran(), ["confirm"], "what ran and failed is not run again");
}

#[test]
fn the_body_s_own_type_says_which_errors_flush() {
    enum Checkout {
        Paid,
        Declined,
        Crashed,
    }

    impl ScopeBody for Checkout {
        fn succeeded(&self) -> bool {
            !matches!(self, Self::Crashed)
        }
    }

    for (end, expected) in [(Checkout::Paid, 1), (Checkout::Declined, 1), (Checkout::Crashed, 0)] {
        let ended = scope().run_reported(|| {
            send_confirmation::enqueue().unwrap();
            end
        });
        assert_eq!(ended.flush.unwrap().counts().dispatched, expected);
        assert_eq!(ran().len(), expected);
    }
}

#[test]
fn a_scope_without_an_end_says_so() {
    // In the original, `enter` and `exit` without `flush` or `discard` lose the intents without a word.
    let (handle, log) = logged(|| {
        let guard = scope().enter();
        notify_warehouse::enqueue(1).unwrap();
        guard.scope()
    });
    assert_eq!(handle.phase(), Phase::Discarded);
    assert!(log.contains("WARN") && log.contains(&Discarded::Dropped.to_string()), "{log}");
    assert!(ran().is_empty());
}

#[test]
fn a_scope_tells_its_own_intents_from_those_it_captured() {
    let ended = scope().policy(DropAll).run_reported(|| -> airlock::Result<()> {
        notify_warehouse::enqueue(1)?;
        let inner = scope().run_reported(|| notify_warehouse::enqueue(2).map(drop));
        assert_eq!(inner.flush.unwrap().counts().captured, 1);
        notify_warehouse::enqueue(3)?;
        let current = Scope::current().unwrap();
        let ids = |intents: Vec<Intent>| -> Vec<u64> {
            intents.iter().filter_map(|intent| intent.args::<notify_warehouse>()).map(|args| args.0).collect()
        };
        assert_eq!(ids(current.intents()), [1, 2, 3]);
        assert_eq!((ids(current.own_intents()), ids(current.captured_intents())), (vec![1, 3], vec![2]));
        Ok(())
    });
    ended.result.unwrap();
    assert!(ran().is_empty());
}

#[test]
fn outer_lifecycles_are_told_which_scope_ends_and_decide_intent_by_intent() {
    #[derive(Clone, Default)]
    struct Asked(Arc<Mutex<Vec<String>>>, &'static str);

    impl Lifecycle for Asked {
        fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
            end.succeeded()
        }

        fn releases(&self, descendant: &ScopeInfo, intent: &Intent) -> bool {
            self.0.lock().unwrap().push(format!("{} {} {}", self.1, descendant.name().unwrap(), intent.name()));
            intent.name() != "parity.notify_warehouse"
        }
    }

    let asked = Arc::<Mutex<Vec<String>>>::default();
    scope()
        .lifecycle(Asked(Arc::clone(&asked), "outer"))
        .run(|| -> airlock::Result<()> {
            scope()
                .lifecycle(Asked(Arc::clone(&asked), "middle"))
                .name("middle")
                .run(|| scope().name("innermost").run(|| Order { id: 1 }.process()))?;
            assert_eq!(ran(), ["confirm"], "both let it go");
            Ok(())
        })
        .unwrap();
    assert_eq!(ran(), ["notify 1"]);
    let asked = asked.lock().unwrap();
    let who: Vec<_> = asked.iter().map(String::as_str).collect();
    assert_eq!(
        who,
        [
            "middle innermost parity.notify_warehouse",
            "middle innermost parity.send_confirmation",
            "outer innermost parity.send_confirmation",
            "outer middle parity.notify_warehouse",
        ]
    );
}

#[test]
fn a_task_run_by_a_released_inner_scope_does_not_enqueue_into_the_outer_one() {
    let ended = scope().lifecycle(ReleaseNested).run_reported(|| {
        let inner = scope().run(|| {
            enqueue_more::enqueue().unwrap();
        });
        let error = inner.unwrap_err();
        assert!(error.failed()[0].error.to_string().contains("the task failed"));
        assert!(error.to_string().contains("there is no scope here"), "{error}");
        assert!(Scope::current().unwrap().intents().is_empty());
    });
    assert_eq!(ended.flush.unwrap().counts().enqueued, 0);
    assert_eq!(ran(), ["enqueue more"], "the original runs the notice, too");
}

#[airlock::scoped(policy = BlockTasks::of::<send_confirmation>(), lifecycle = FlushOnSuccess, name = "shipping")]
fn ship(order_id: u64, parcels: u64) -> airlock::Result<u64> {
    assert_eq!(Scope::current().map(|scope| scope.intents().len()), Some(0), "a new scope each time");
    Order { id: order_id }.process()?;
    if parcels > 0 {
        return ship(order_id + 1, parcels - 1);
    }
    if order_id == 13 { Err(Error::other("no parcel 13")) } else { Ok(order_id) }
}

#[test]
fn each_call_of_a_scoped_function_has_a_scope_of_its_own() {
    assert_eq!(ship(1, 0).unwrap(), 1);
    assert_eq!(ran(), ["notify 1"]);
    ship(13, 0).unwrap_err();
    assert!(ran().is_empty());
    assert_eq!(ship(20, 2).unwrap(), 22, "nested calls are captured");
    assert_eq!(ran(), ["notify 20", "notify 21", "notify 22"]);
    let others: Vec<_> = (30..34)
        .map(|id| {
            thread::spawn(move || {
                ship(id, 0).unwrap();
                ran()
            })
        })
        .collect();
    for (id, thread) in (30..34).zip(others) {
        assert_eq!(thread.join().unwrap(), [format!("notify {id}")]);
    }
}
