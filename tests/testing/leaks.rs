//! Tests that lose intents fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use airlock::testing::{no_leaks, no_leaks_async, with_settings};
use airlock::{ReleaseNested, Scope, Settings};
use airlock_tests::recorder::unavailable;

use crate::golden::assert_fails;
use crate::shop::charge;

fn enqueue(order_id: u64) {
    charge::enqueue(order_id, 1.0).unwrap();
}

fn down() -> impl airlock::Executor {
    airlock::executor_fn(|_| Err(unavailable()))
}

#[test]
fn a_dropped_flush_error_with_intents_in_it_fails_the_test() {
    assert_fails("leak_flush_error", || {
        no_leaks(|| {
            drop(airlock::scope().name("checkout").executor(down()).run(|| [1, 2].into_iter().for_each(enqueue)));
        });
    });
}

#[test]
fn an_abandoned_scope_fails_the_test() {
    assert_fails("leak_scope", || {
        no_leaks(|| {
            let _scope = airlock::scope().name("forgotten").enter();
            enqueue(1);
            enqueue(2);
        });
    });
    assert_fails("leak_sealed", || {
        no_leaks(|| {
            let scope = airlock::scope().enter();
            enqueue(1);
            drop(scope.seal().unwrap());
        });
    });
}

#[test]
fn what_is_handled_is_no_leak() {
    let value = no_leaks(|| {
        let error = airlock::scope().executor(down()).run(|| enqueue(1)).unwrap_err();
        assert_eq!(error.into_intents().len(), 1);
        let scope = airlock::scope().enter();
        enqueue(2);
        scope.discard();
        airlock::scope().run(|| enqueue(3)).unwrap();
        drop(airlock::scope().enter());
        // A failing body discards, as it should.
        airlock::scope().run(|| -> airlock::Result<()> {
            enqueue(4);
            Err(airlock::Error::other("no"))
        })
    });
    assert!(value.is_err());
}

#[test]
fn a_scope_that_a_panic_ends_is_no_leak_and_the_panic_goes_on() {
    let caught = std::panic::catch_unwind(|| {
        no_leaks(|| {
            let _scope = airlock::scope().enter();
            enqueue(1);
            panic!("of the test");
        })
    });
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"of the test"));
}

#[test]
fn leaks_of_other_threads_that_carry_the_scope_are_seen() {
    assert_fails("leak_thread", || {
        no_leaks(|| {
            let outer = airlock::scope().lifecycle(ReleaseNested).enter();
            let scope = Scope::current().unwrap();
            std::thread::scope(|threads| {
                threads.spawn(|| scope.run(|| drop(airlock::scope().executor(down()).run(|| enqueue(1)))));
            });
            outer.discard();
        });
    });
}

#[test]
fn the_hook_of_the_settings_is_called_as_well() {
    let lost = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lost);
    let settings = Settings::new().executor(down()).on_lost(move |lost| {
        count.fetch_add(lost.intents().len(), Ordering::Relaxed);
    });
    assert_fails("leak_with_hook", || {
        with_settings(settings, || no_leaks(|| drop(airlock::scope().run(|| enqueue(1)))));
    });
    assert_eq!(lost.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn futures_are_watched_in_each_poll() {
    let value = no_leaks_async(async {
        tokio::task::yield_now().await;
        airlock::scope().run_async(async { enqueue(1) }).await.unwrap();
        7
    })
    .await;
    assert_eq!(value, 7);
    // A future that is dropped before its flush leaves its scope behind.
    let abandoning = no_leaks_async(async {
        tokio::task::yield_now().await;
        let mut cut = Box::pin(airlock::scope().name("cut").run_async(async {
            enqueue(1);
            std::future::pending::<()>().await;
        }));
        assert!(futures::poll!(&mut cut).is_pending());
        drop(cut);
    });
    let failed = tokio::spawn(abandoning).await.unwrap_err().into_panic();
    assert_fails("leak_future", || std::panic::resume_unwind(failed));
}
