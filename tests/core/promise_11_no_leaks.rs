//! Promise 11: scopes do not leak: not to other threads, tasks of the runtime, or the next poll of another future. They
//! travel only by `Scope::run` and `wrap`.

mod crowds;

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use airlock::{DropAll, EnqueueError, Scope};
use airlock_tests::recorder::Recorder;

#[airlock::task(name = "p11.note")]
fn note(owner: usize, step: usize) {
    let _ = (owner, step);
}

/// Gives the others a turn, under any runtime and under none.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn current_name() -> Option<String> {
    Scope::current().map(|scope| scope.info().name().unwrap_or("unnamed").to_owned())
}

fn assert_no_scope(attempt: Result<airlock::IntentId, EnqueueError>) {
    assert!(matches!(attempt, Err(EnqueueError::NoScope { .. })), "{attempt:?}");
}

// Threads and spawned tasks.

#[test]
fn a_thread_started_in_a_scope_is_not_in_it() {
    let recorder = Recorder::new();
    airlock::scope()
        .executor(recorder.clone())
        .run(|| {
            note::enqueue(0, 0).unwrap();
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    assert!(Scope::current().is_none());
                    assert_no_scope(note::enqueue(1, 0));
                });
            });
        })
        .unwrap();
    assert_eq!(recorder.calls(), ["p11.note(owner=0, step=0)"]);
}

#[test]
fn a_local_policy_does_not_reach_other_threads_either() {
    let recorder = Recorder::new();
    airlock::policy(DropAll).run(|| {
        std::thread::scope(|threads| {
            threads.spawn(|| {
                airlock::scope().executor(recorder.clone()).run(|| note::enqueue(1, 0).map(drop).unwrap()).unwrap();
            });
        });
    });
    assert_eq!(recorder.calls(), ["p11.note(owner=1, step=0)"]);
}

#[tokio::test]
async fn a_spawned_task_is_not_in_the_scope_of_its_spawner() {
    let recorder = Recorder::new();
    let body = async {
        note::enqueue(0, 0).unwrap();
        tokio::spawn(async { assert_no_scope(note::enqueue(1, 0)) }).await.unwrap();
        tokio::task::spawn_blocking(|| assert_no_scope(note::enqueue(2, 0))).await.unwrap();
    };
    airlock::scope().executor(recorder.clone()).run_async(body).await.unwrap();
    assert_eq!(recorder.calls(), ["p11.note(owner=0, step=0)"]);
}

#[test]
fn a_handle_carries_the_scope_and_its_local_policies_and_takes_both_away_again() {
    let recorder = Recorder::new();
    let ended = airlock::scope().executor(recorder.clone()).run_reported(|| {
        let open = Scope::current().unwrap();
        let narrowed = airlock::policy(DropAll).run(|| Scope::current().unwrap());
        std::thread::scope(|threads| {
            threads.spawn(|| {
                open.run(|| note::enqueue(1, 0)).unwrap();
                assert_no_scope(note::enqueue(1, 1));
                narrowed.run(|| note::enqueue(1, 2)).unwrap();
                assert!(Scope::current().is_none());
            });
        });
    });
    let counts = ended.flush.unwrap().counts();
    assert_eq!((counts.dispatched, counts.dropped), (1, 1));
    assert_eq!(recorder.calls(), ["p11.note(owner=1, step=0)"]);
}

#[test]
fn running_in_a_carried_scope_hides_the_own_one_and_gives_it_back_even_after_a_panic() {
    let (outer, inner) = (Recorder::new(), Recorder::new());
    let carried = airlock::scope().name("carried").executor(inner.clone()).enter();
    let handle = carried.scope();
    carried.flush().unwrap();

    let guard = airlock::scope().name("own").executor(outer.clone()).enter();
    assert_eq!(handle.run(current_name).as_deref(), Some("carried"));
    let panicked = catch_unwind(AssertUnwindSafe(|| handle.run(|| panic!("in the carried scope"))));
    assert!(panicked.is_err());
    assert_eq!(current_name().as_deref(), Some("own"));
    note::enqueue(0, 0).unwrap();
    guard.flush().unwrap();
    assert_eq!(outer.calls(), ["p11.note(owner=0, step=0)"]);
    assert!(inner.calls().is_empty());
}

#[tokio::test]
async fn a_wrapped_future_has_the_scope_in_every_poll_of_a_spawned_task() {
    let recorder = Recorder::new();
    let body = async {
        let scope = Scope::current().unwrap();
        let carried = scope.wrap(async {
            note::enqueue(1, 0).unwrap();
            yield_now().await;
            note::enqueue(1, 1).unwrap();
        });
        tokio::spawn(carried).await.unwrap();
    };
    airlock::scope().executor(recorder.clone()).run_async(body).await.unwrap();
    assert_eq!(recorder.calls(), ["p11.note(owner=1, step=0)", "p11.note(owner=1, step=1)"]);
}

// Futures on one thread, poll by poll.

fn scoped_steps(name: &'static str, owner: usize, recorder: &Recorder) -> impl Future<Output = ()> + use<> {
    let scope = airlock::scope().name(name).executor(recorder.clone());
    async move {
        let body = async move {
            for step in 0..3 {
                assert_eq!(current_name().as_deref(), Some(name));
                note::enqueue(owner, step).unwrap();
                yield_now().await;
            }
        };
        scope.run_async(body).await.unwrap();
    }
}

#[test]
fn futures_polled_in_turn_on_one_thread_each_find_their_own_scope() {
    let recorders = [Recorder::new(), Recorder::new()];
    let mut a = pin!(scoped_steps("a", 0, &recorders[0]));
    let mut b = pin!(scoped_steps("b", 1, &recorders[1]));
    for _ in 0..3 {
        assert!(poll_once(a.as_mut()).is_pending());
        assert!(Scope::current().is_none(), "nothing stays behind after a poll");
        assert!(poll_once(b.as_mut()).is_pending());
        assert!(Scope::current().is_none());
    }
    assert!(recorders.iter().all(|recorder| recorder.calls().is_empty()));
    assert!(poll_once(b.as_mut()).is_ready());
    assert!(recorders[0].calls().is_empty(), "the end of one is not the end of the other");
    assert!(poll_once(a.as_mut()).is_ready());
    for (owner, recorder) in recorders.iter().enumerate() {
        let expected: Vec<_> = (0..3).map(|step| format!("p11.note(owner={owner}, step={step})")).collect();
        assert_eq!(recorder.calls(), expected);
    }
}

#[test]
fn a_future_keeps_its_scope_wherever_it_is_polled_after_the_first_time() {
    let (own, foreign) = (Recorder::new(), Recorder::new());
    let mut future = pin!(scoped_steps("own", 0, &own));
    assert!(poll_once(future.as_mut()).is_pending());
    let guard = airlock::scope().name("foreign").executor(foreign.clone()).enter();
    let dropping = airlock::policy(DropAll).enter();
    while poll_once(future.as_mut()).is_pending() {
        assert_eq!(current_name().as_deref(), Some("foreign"));
    }
    drop(dropping);
    guard.flush().unwrap();
    assert_eq!(own.calls().len(), 3, "neither the scope nor the policy of the poller touched it");
    assert!(foreign.calls().is_empty());
}

#[test]
fn a_future_that_moves_between_threads_takes_its_scope_along_and_leaves_none_behind() {
    let recorder = Recorder::new();
    let mut future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(scoped_steps("moving", 0, &recorder));
    loop {
        let (back, ready) = std::thread::spawn(move || {
            let ready = poll_once(future.as_mut()).is_ready();
            assert!(Scope::current().is_none());
            (future, ready)
        })
        .join()
        .unwrap();
        future = back;
        if ready {
            break;
        }
    }
    assert_eq!(recorder.calls().len(), 3);
}

#[test]
fn a_poll_that_panics_leaves_no_scope_behind() {
    let body = async { assert!(Scope::current().is_none(), "in the poll") };
    let mut future = pin!(airlock::scope().run_async(body));
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(future.as_mut()).is_ready()));
    assert!(polled.is_err());
    assert!(Scope::current().is_none());
    assert_no_scope(note::enqueue(0, 0));
}

#[test]
fn a_dropped_future_runs_its_destructors_in_its_own_scope_and_not_in_that_of_its_dropper() {
    struct EnqueuesLate;

    impl Drop for EnqueuesLate {
        fn drop(&mut self) {
            assert_eq!(current_name().as_deref(), Some("own"));
            note::enqueue(9, 9).unwrap();
        }
    }

    let (own, foreign) = (Recorder::new(), Recorder::new());
    let body = async {
        let _late = EnqueuesLate;
        yield_now().await;
    };
    let mut future = Box::pin(airlock::scope().name("own").executor(own.clone()).run_async(body));
    assert!(poll_once(future.as_mut()).is_pending());
    let guard = airlock::scope().name("foreign").executor(foreign.clone()).enter();
    drop(future);
    assert_eq!(current_name().as_deref(), Some("foreign"));
    assert_eq!(guard.flush().unwrap().counts().enqueued, 0);
    assert!(own.calls().is_empty() && foreign.calls().is_empty());
}

#[test]
fn a_wrapped_policy_holds_in_each_poll_and_carries_no_scope() {
    let (first, second) = (Recorder::new(), Recorder::new());
    let mut wrapped = pin!(airlock::policy(DropAll).wrap(async {
        note::enqueue(0, 0).unwrap();
        yield_now().await;
        note::enqueue(0, 1).unwrap();
        yield_now().await;
        assert_no_scope(note::enqueue(0, 2));
    }));
    let mut reports = Vec::new();
    for recorder in [&first, &second] {
        let guard = airlock::scope().executor(recorder.clone()).enter();
        assert!(poll_once(wrapped.as_mut()).is_pending());
        note::enqueue(1, 0).unwrap();
        reports.push(guard.flush().unwrap());
    }
    assert!(poll_once(wrapped.as_mut()).is_ready());
    for report in reports {
        assert_eq!((report.counts().dropped, report.counts().dispatched), (1, 1));
    }
    assert_eq!((first.calls(), second.calls()), (vec!["p11.note(owner=1, step=0)".to_owned()], first.calls()));
}

#[test]
fn guards_dropped_out_of_order_remove_only_their_own_entry() {
    let recorder = Recorder::new();
    let first = airlock::scope().name("first").enter();
    let second = airlock::scope().name("second").executor(recorder.clone()).enter();
    let policy = airlock::policy(DropAll).enter();
    first.discard();
    assert_eq!(current_name().as_deref(), Some("second"));
    note::enqueue(0, 0).unwrap();
    let intents = second.scope().intents();
    assert_eq!(intents[0].local_policies().len(), 1, "the policy is still in force");
    drop(second);
    // The policy was entered in `second`, and what is enqueued under it was meant for `second` and for no other.
    let error = note::enqueue(0, 1).unwrap_err();
    assert!(matches!(error, EnqueueError::Closed { .. }), "{error}");
    assert!(error.to_string().contains("scope `second`"), "{error}");
    drop(policy);
    assert!(Scope::current().is_none());
    assert_no_scope(note::enqueue(0, 2));
    assert!(recorder.calls().is_empty());
}

// Many at once.
