//! What a capture sees.

use std::collections::HashMap;

use airlock::testing::{FaultExecutor, Recorded, RecordingExecutor, capture, capture_async, capture_in, with_settings};
use airlock::{
    AlwaysFlush, BlockTasks, DropAll, ReleaseNested, Scope, ScopeBuilder, Settings, assert_enqueued,
    assert_not_enqueued, assert_nothing_enqueued,
};

use crate::golden::assert_fails;
use crate::shop::{
    Crooked, charge, checkout, crooked, forbidden, keyed, notify, process, restock, send_email, ship_async,
};

#[test]
fn the_value_comes_through_and_intents_are_typed() {
    let captured = capture(|| process(42));
    assert_eq!(captured.value().as_ref().unwrap(), &"processed");
    assert_eq!(captured.of::<charge>(), [&(42, 9.5)]);
    let names: Vec<_> = captured.intents().iter().map(airlock::Intent::name).collect();
    assert_eq!(names, ["shop.charge", "shop.send_email", "shop.send_email"]);
    assert_eq!(captured.of::<send_email>()[1].0, 43);
    assert!(!format!("{captured:?}").contains("canary"));
    assert_eq!(captured.into_value().unwrap(), "processed");
}

#[test]
fn scopes_inside_are_captured_whatever_their_executor_and_those_that_fail_discard() {
    let captured = capture(|| (checkout(1).is_ok(), checkout(0).is_err()));
    assert_eq!(captured.value(), &(true, true));
    assert_enqueued!(captured, charge, times 1);
    assert_not_enqueued!(captured, charge { order_id: 0, .. });
}

#[test]
fn released_scopes_are_captured_too_and_no_settings_let_anything_out() {
    let settings = Settings::new().executor(forbidden()).lifecycle(ReleaseNested).deadline(std::time::Duration::ZERO);
    let captured = with_settings(settings, || {
        capture(|| airlock::scope().lifecycle(ReleaseNested).executor(forbidden()).run(|| checkout(5).map(drop)))
    });
    captured.value().as_ref().unwrap();
    assert_enqueued!(captured, charge { order_id: 5, .. }, times 1);
}

#[test]
fn what_the_policies_refuse_is_told_apart() {
    let captured = capture(|| -> airlock::Result<()> {
        airlock::scope().policy(BlockTasks::of::<charge>()).run(|| process(1).map(drop))?;
        airlock::policy(DropAll).run(|| charge::enqueue(2, 1.0))?;
        Ok(())
    });
    assert_not_enqueued!(captured, charge);
    assert_enqueued!(captured, send_email, times 2);
    let dropped: Vec<_> = captured.dropped().map(|(intent, policy)| (intent.name(), policy)).collect();
    assert_eq!(dropped, [("shop.charge", "BlockTasks"), ("shop.charge", "DropAll")]);
}

#[test]
fn a_scope_of_one_s_own_may_be_captured_with_its_policy() {
    fn admin() -> ScopeBuilder {
        airlock::scope().policy(BlockTasks::of::<send_email>()).executor(forbidden()).lifecycle(AlwaysFlush)
    }
    let captured = capture_in(admin(), || process(1).is_ok());
    assert_enqueued!(captured, charge);
    assert_not_enqueued!(captured, send_email);
}

#[airlock::task(name = "kit.here", local)]
fn here() {
    panic!("it must not run");
}

#[test]
fn local_tasks_do_not_run_and_declared_ones_are_seen_like_others() {
    let captured = capture(|| here::enqueue().is_ok() && notify::enqueue(1).is_ok());
    assert_enqueued!(captured, here);
    assert_enqueued!(captured, notify { order_id: 1 });
}

#[test]
fn an_error_of_the_closure_takes_nothing_away() {
    let captured = capture(|| -> airlock::Result<()> {
        charge::enqueue(1, 1.0)?;
        Err(airlock::Error::other("later"))
    });
    captured.value().as_ref().unwrap_err();
    assert_enqueued!(captured, charge);
}

#[tokio::test]
async fn scopes_and_policies_around_have_no_part_in_it() {
    let outer = airlock::scope().policy(DropAll).enter();
    let captured = airlock::policy(DropAll).run(|| capture(|| charge::enqueue(1, 1.0).is_ok()));
    assert_enqueued!(captured, charge, times 1);
    assert_eq!(outer.discard().counts().enqueued, 0);
    airlock::scope()
        .run_async(async {
            let captured = capture_async(async { charge::enqueue(2, 1.0).is_ok() }).await;
            assert_enqueued!(captured, charge { order_id: 2, .. }, times 1);
            assert_nothing_enqueued!(Scope::current().unwrap());
        })
        .await
        .unwrap();
}

#[test]
fn a_panic_of_the_closure_is_its_own() {
    let caught = std::panic::catch_unwind(|| {
        capture(|| {
            charge::enqueue(1, 1.0).unwrap();
            panic!("of the closure");
        })
    });
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"of the closure"));
    assert_nothing_enqueued!(capture(|| ()));
}

#[test]
fn threads_that_carry_the_scope_are_seen() {
    let captured = capture(|| {
        let scope = Scope::current().unwrap();
        std::thread::scope(|threads| {
            for order_id in 0..4 {
                let scope = scope.clone();
                threads.spawn(move || scope.run(|| charge::enqueue(order_id, 1.0).unwrap()));
            }
        });
    });
    assert_enqueued!(captured, charge, times 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_tasks_that_carry_the_scope_are_seen_and_their_scopes_captured() {
    let captured = capture_async(async {
        let scope = Scope::current().unwrap();
        let spawned = tokio::spawn(scope.wrap(async {
            tokio::task::yield_now().await;
            ship_async(3).await
        }));
        spawned.await.unwrap().unwrap();
        "done"
    })
    .await;
    assert_eq!(captured.value(), &"done");
    assert_enqueued!(captured, charge { order_id: 3, amount: 7 }, times 1);
}

#[tokio::test]
async fn captures_side_by_side_do_not_mix() {
    let one = |order_id| {
        capture_async(async move {
            for _ in 0..3 {
                ship_async(order_id).await.unwrap();
            }
        })
    };
    let (a, b) = tokio::join!(one(1), one(2));
    assert_enqueued!(a, charge { order_id: 1, .. }, times 3);
    assert_enqueued!(b, charge { order_id: 2, .. }, times 3);
    assert_not_enqueued!(a, charge { order_id: 2, .. });
}

#[test]
fn a_type_that_does_not_survive_its_encoding_fails_the_test() {
    assert_fails("capture_crooked", || capture(|| crooked::enqueue(Crooked { cents: 5 }).is_ok()));
    assert_fails("capture_keyed", || capture(|| keyed::enqueue([((1, 2), 3)].into()).is_ok()));
    assert_fails("capture_not_finite", || capture(|| charge::enqueue(1, f64::NAN).is_ok()));
}

/// A closure has no name that stays the same from one compiler to the next.
struct Undecided;

impl airlock::Policy for Undecided {
    fn name(&self) -> &str {
        "Undecided"
    }

    fn allows(&self, _intent: &airlock::Intent) -> bool {
        panic!("heads or tails")
    }
}

#[test]
fn a_policy_that_panics_fails_the_test() {
    assert_fails("capture_policy", || {
        capture_in(airlock::scope().policy(Undecided), || charge::enqueue(1, 1.0).is_ok())
    });
}

#[test]
fn what_is_seen_went_through_its_encoding_and_back() {
    let stock: HashMap<String, u32> = (0..50).map(|n| (format!("item {n}"), n)).collect();
    let captured = capture(|| restock::enqueue(stock.clone(), Some(u128::MAX)).is_ok());
    assert_eq!(captured.of::<restock>(), [&(stock.clone(), Some(u128::MAX))]);
    assert_enqueued!(captured, restock { stock: stock, r#type: u128::MAX });
}

#[test]
fn a_recording_executor_serves_a_whole_program() {
    let sent = RecordingExecutor::new();
    with_settings(Settings::new().executor(sent.clone()), || {
        airlock::scope().run(|| process(8).map(drop)).unwrap();
    });
    assert_enqueued!(sent, charge { order_id: 8, .. });
    assert_eq!(sent.recorded().len(), 3);
    assert!(!format!("{sent:?}").contains("canary"));
    assert_eq!(sent.take().len(), 3);
    assert_nothing_enqueued!(sent);
}

#[test]
fn a_fault_executor_takes_what_survives_its_encoding_and_has_what_came_out_of_it() {
    let broker = FaultExecutor::new();
    let scope = || airlock::scope().executor(broker.clone());
    let body = || {
        charge::enqueue(1, 4.0).unwrap();
        crooked::enqueue(Crooked { cents: 5 }).unwrap();
    };
    let error = scope().run(body).unwrap_err();
    assert!(error.to_string().contains("change on the way through their encoding"), "{error}");
    assert_eq!((error.into_intents().len(), broker.attempts()), (2, 0));
    scope().run(|| drop(charge::enqueue(1, 5.0))).unwrap();
    assert_enqueued!(broker.accepted(), charge { order_id: 1, amount: 5.0 });
}
