//! Promise 11, where a runtime is driven inside a scope: its other tasks run on the thread of that scope, and are not in
//! it.

use airlock::{DropAll, EnqueueError, Scope};
use airlock_tests::recorder::Recorder;
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

#[airlock::task(name = "p11.runtimes.note")]
fn note(id: u64) {
    let _ = id;
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn assert_outside(attempt: &Result<airlock::IntentId, EnqueueError>) {
    assert!(matches!(attempt, Err(EnqueueError::NoScope { .. })), "{attempt:?}");
}

fn names() -> Option<String> {
    Scope::current().map(|scope| scope.info().to_string())
}

/// What was handed over, of what a scope around the closure held.
fn handed_over(body: impl FnOnce()) -> Vec<String> {
    let recorder = Recorder::new();
    airlock::scope().executor(recorder.clone()).run(body).unwrap();
    recorder.calls()
}

fn notes(ids: &[u64]) -> Vec<String> {
    ids.iter().map(|id| format!("p11.runtimes.note(id={id})")).collect()
}

#[test]
fn promise_11_tasks_of_a_runtime_that_is_driven_inside_a_scope_are_outside_it() {
    let calls = handed_over(|| {
        runtime().block_on(async {
            note::enqueue(1).unwrap();
            let spawned = tokio::spawn(async {
                assert_eq!(names(), None);
                assert_outside(&note::enqueue(2));
                tokio::task::yield_now().await;
                assert_outside(&note::enqueue(3));
            });
            tokio::task::yield_now().await;
            note::enqueue(4).unwrap();
            spawned.await.unwrap();
            note::enqueue(5).unwrap();
        });
        note::enqueue(6).unwrap();
    });
    assert_eq!(calls, notes(&[1, 4, 5, 6]));
}

#[test]
fn promise_11_tasks_of_a_local_set_are_outside_the_scope_that_drives_it() {
    let calls = handed_over(|| {
        let set = LocalSet::new();
        set.spawn_local(async { assert_outside(&note::enqueue(1)) });
        set.block_on(&runtime(), async {
            note::enqueue(2).unwrap();
            tokio::task::spawn_local(async { assert_outside(&note::enqueue(3)) }).await.unwrap();
        });
        runtime().block_on(set);
    });
    assert_eq!(calls, notes(&[2]));
}

#[test]
fn promise_11_a_task_has_its_own_scopes_and_those_that_it_was_given() {
    let inner = Recorder::new();
    let calls = handed_over(|| {
        let carried = Scope::current().unwrap();
        runtime().block_on(async {
            let own = airlock::scope().executor(inner.clone()).run_async(async {
                note::enqueue(1)?;
                tokio::task::yield_now().await;
                Ok::<(), airlock::Error>(())
            });
            let (own, carried, plain) = tokio::join!(
                tokio::spawn(own),
                tokio::spawn(carried.clone().wrap(async {
                    tokio::task::yield_now().await;
                    note::enqueue(2).unwrap();
                })),
                tokio::spawn(async move { carried.run(|| note::enqueue(3)).unwrap() }),
            );
            own.unwrap().unwrap();
            carried.unwrap();
            plain.unwrap();
        });
    });
    // A scope of another task is no parent either.
    assert_eq!(inner.calls(), notes(&[1]));
    let mut calls = calls;
    calls.sort_unstable();
    assert_eq!(calls, notes(&[2, 3]));
}

#[test]
fn promise_11_a_local_policy_is_not_that_of_other_tasks() {
    let recorder = Recorder::new();
    airlock::policy(DropAll).run(|| {
        runtime().block_on(async {
            let scope = airlock::scope().executor(recorder.clone());
            tokio::spawn(scope.run_async(async { note::enqueue(1).map(drop).map_err(airlock::Error::from) }))
                .await
                .unwrap()
                .unwrap();
        });
    });
    assert_eq!(recorder.calls(), notes(&[1]));
}

#[test]
fn promise_11_a_guard_that_a_task_keeps_while_it_waits_is_not_that_of_the_next_task() {
    let recorder = Recorder::new();
    let executor = recorder.clone();
    let set = LocalSet::new();
    set.block_on(&runtime(), async move {
        let holds = tokio::task::spawn_local(async move {
            let guard = airlock::scope().executor(executor).enter();
            note::enqueue(1).unwrap();
            tokio::task::yield_now().await;
            note::enqueue(2).unwrap();
            guard.flush().unwrap();
        });
        let other = tokio::task::spawn_local(async { assert_outside(&note::enqueue(3)) });
        holds.await.unwrap();
        other.await.unwrap();
    });
    assert_eq!(recorder.calls(), notes(&[1, 2]));
}

#[test]
fn promise_11_a_future_takes_its_scope_along_into_another_task() {
    let recorder = Recorder::new();
    let body = async {
        note::enqueue(1)?;
        tokio::task::yield_now().await;
        let guard = airlock::policy(airlock::AllowAll);
        guard.wrap(async { note::enqueue(2) }).await?;
        tokio::task::yield_now().await;
        note::enqueue(3)?;
        Ok::<(), airlock::Error>(())
    };
    let mut scoped = Box::pin(airlock::scope().executor(recorder.clone()).run_async(body));
    runtime().block_on(async move {
        assert!(futures::poll!(&mut scoped).is_pending());
        let polled_in_another = tokio::spawn(async move {
            assert!(futures::poll!(&mut scoped).is_pending());
            [scoped]
        });
        let [scoped] = polled_in_another.await.unwrap();
        tokio::spawn(scoped).await.unwrap().unwrap();
    });
    assert_eq!(recorder.calls(), notes(&[1, 2, 3]));
}
