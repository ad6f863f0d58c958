//! Settings of one test.

use std::sync::{Arc, Barrier};

use airlock::testing::{with_settings, with_settings_async};
use airlock::{DropAll, InlineExecutor, OnFailure, ReleaseNested, Scope, Settings};
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "kit.note")]
fn note(n: u32) {
    let _ = n;
}

/// A task that enqueues has a scope of its own.
#[airlock::task(name = "kit.relay")]
#[airlock::scoped]
fn relay(n: u32) -> airlock::Result<()> {
    note::enqueue(n)?;
    Ok(())
}

#[airlock::task(name = "kit.relay_async")]
#[airlock::scoped]
async fn relay_async(n: u32) -> airlock::Result<()> {
    note::enqueue(n)?;
    Ok(())
}

fn recording(recorder: &Recorder) -> Settings {
    Settings::new().executor(recorder.clone())
}

#[test]
fn scopes_opened_inside_have_these_settings_and_those_outside_do_not() {
    let recorder = Recorder::new();
    with_settings(recording(&recorder), || {
        airlock::scope().run(|| note::enqueue(1).map(drop).map_err(airlock::Error::from)).unwrap();
        assert_eq!(
            airlock::configuration().to_string().lines().next().unwrap().split_whitespace().nth(1),
            Some("recorder")
        );
    });
    airlock::scope().run(|| note::enqueue(2).map(drop).map_err(airlock::Error::from)).unwrap();
    assert_eq!(recorder.calls(), ["kit.note(n=1)"]);
}

#[test]
fn tests_side_by_side_do_not_see_each_other() {
    let together = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let together = Arc::clone(&together);
            std::thread::spawn(move || {
                let recorder = Recorder::new();
                with_settings(recording(&recorder), || {
                    together.wait();
                    relay(n).unwrap();
                    together.wait();
                });
                assert_eq!(recorder.calls(), [format!("kit.note(n={n})")]);
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn the_innermost_counts_and_a_panic_puts_the_outer_one_back() {
    let (outer, inner) = (Recorder::new(), Recorder::new());
    with_settings(recording(&outer), || {
        with_settings(recording(&inner), || relay(1).unwrap());
        relay(2).unwrap();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            with_settings(Settings::new().policy(DropAll), || panic!("in the inner one"));
        }));
        caught.unwrap_err();
        relay(3).unwrap();
    });
    assert_eq!(inner.calls(), ["kit.note(n=1)"]);
    assert_eq!(outer.calls(), ["kit.note(n=2)", "kit.note(n=3)"]);
}

#[test]
fn the_scope_of_an_inline_task_has_them_too_although_its_context_is_empty() {
    let recorder = Recorder::new();
    with_settings(recording(&recorder), || {
        let scope = airlock::scope().executor(InlineExecutor::new());
        scope.run(|| relay::enqueue(7).map(drop).map_err(airlock::Error::from)).unwrap();
    });
    assert_eq!(recorder.calls(), ["kit.note(n=7)"]);
}

#[test]
fn a_carried_scope_brings_them_to_another_thread_for_its_inline_tasks_too() {
    let recorder = Recorder::new();
    with_settings(recording(&recorder), || {
        let outer = airlock::scope().lifecycle(ReleaseNested).enter();
        let scope = Scope::current().unwrap();
        // Released, so that its own executor is asked: the one of the settings.
        std::thread::scope(|threads| {
            threads.spawn(|| {
                scope.run(|| {
                    relay(5).unwrap();
                    // An inline task, and the scope it opens.
                    let inline = airlock::scope().executor(InlineExecutor::new());
                    inline.run(|| relay::enqueue(6).map(drop).map_err(airlock::Error::from)).unwrap();
                });
                // Not carried any more.
                let report = airlock::scope().run_reported(|| note::enqueue(7)).flush.unwrap();
                assert_eq!(report.executor(), Some("inline"));
            });
        });
        outer.discard();
    });
    assert_eq!(recorder.calls(), ["kit.note(n=5)", "kit.note(n=6)"]);
}

#[test]
fn scopes_keep_them_after_the_closure_has_returned() {
    let recorder = Recorder::new();
    let guard = with_settings(recording(&recorder), || airlock::scope().enter());
    note::enqueue(4).unwrap();
    guard.flush().unwrap();
    assert_eq!(recorder.calls(), ["kit.note(n=4)"]);
}

#[tokio::test]
async fn futures_have_them_in_each_poll_and_their_neighbours_do_not() {
    let recorder = Recorder::new();
    let overridden = with_settings_async(recording(&recorder), async {
        tokio::task::yield_now().await;
        let scope = airlock::scope().executor(InlineExecutor::new());
        scope.run_async(async { relay_async::enqueue(1).map(drop).map_err(airlock::Error::from) }).await.unwrap();
        tokio::task::yield_now().await;
        relay_async(2).await.unwrap();
    });
    let neighbour = async {
        for _ in 0..4 {
            let counts = airlock::scope().run_reported(|| note::enqueue(9)).flush.unwrap();
            assert_eq!(counts.executor(), Some("inline"));
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(overridden, neighbour);
    assert_eq!(recorder.calls(), ["kit.note(n=1)", "kit.note(n=2)"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn futures_have_them_on_any_worker_and_spawned_ones_with_a_scope_in_hand_as_well() {
    let recorder = Recorder::new();
    let settings = recording(&recorder).lifecycle(ReleaseNested).on_failure(OnFailure::FailFast);
    let body = with_settings_async(settings, async {
        airlock::scope()
            .run_async(async {
                let scope = Scope::current().unwrap();
                tokio::spawn(scope.wrap(async {
                    tokio::task::yield_now().await;
                    relay_async(3).await?;
                    let inline = airlock::scope().executor(InlineExecutor::new());
                    inline.run_async(async { relay_async::enqueue(4).map(drop).map_err(airlock::Error::from) }).await
                }))
                .await
                .map_err(airlock::Error::other)?
            })
            .await
            .unwrap();
    });
    tokio::spawn(body).await.unwrap();
    assert_eq!(recorder.calls(), ["kit.note(n=3)", "kit.note(n=4)"]);
}
