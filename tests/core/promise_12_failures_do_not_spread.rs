//! Promise 12: one failed dispatch does not cost the others, and `FlushError` owns what did not go out.

mod lost;
mod second_dispatch;

use std::cell::RefCell;
use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use airlock::{
    Dedupe, DispatchError, FlushError, Intent, IntentId, LogExecutor, OnFailure, Outcome, ScopeBuilder, Settings,
    Unattempted, executor_fn,
};
use airlock_tests::recorder::{Recorder, unavailable};

use crate::settings::alone;

thread_local! {
    /// What the tasks did; inline they run on the thread of their test.
    static RAN: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

fn ran() -> Vec<u32> {
    RAN.with_borrow(Clone::clone)
}

/// Odd ones fail, and 13 panics.
#[airlock::task(name = "p12.step")]
fn step(n: u32) -> Result<(), String> {
    RAN.with_borrow_mut(|ran| ran.push(n));
    match n {
        13 => panic!("unlucky"),
        n if n % 2 == 1 => Err("odd".to_owned()),
        _ => Ok(()),
    }
}

/// What the executor [`mixed`] does with it.
#[airlock::task(name = "p12.kind")]
fn kind(fate: Fate, n: u32) {
    let _ = (fate, n);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Fate {
    Fine,
    Rejected,
    Unavailable,
    Unconfirmed,
    TaskFailed,
}

fn mixed(recorder: &Recorder) -> impl airlock::Executor + use<> {
    let recorder = recorder.clone();
    executor_fn(move |intent: Intent| {
        recorder.note(intent.to_string());
        match intent.args::<kind>().unwrap().0 {
            Fate::Fine => Ok(()),
            Fate::Rejected => Err(DispatchError::rejected("bad queue")),
            Fate::Unavailable => Err(unavailable()),
            Fate::Unconfirmed => Err(DispatchError::unconfirmed("no answer")),
            Fate::TaskFailed => Err(DispatchError::task_failed("went wrong")),
        }
    })
}

/// A flush of one intent a fate.
fn flush_fates(scope: ScopeBuilder, fates: &[Fate]) -> FlushError {
    let guard = scope.enter();
    for (n, &fate) in (0..).zip(fates) {
        kind::enqueue(fate, n).unwrap();
    }
    guard.flush().unwrap_err()
}

fn numbers<'a>(intents: impl IntoIterator<Item = &'a Intent>) -> Vec<u32> {
    intents.into_iter().map(|intent| intent.args::<kind>().unwrap().1).collect()
}

fn ids<'a>(intents: impl IntoIterator<Item = &'a Intent>) -> Vec<IntentId> {
    intents.into_iter().map(Intent::id).collect()
}

// Continue and FailFast.

#[test]
fn a_task_that_fails_or_panics_does_not_keep_the_later_ones_from_running() {
    let ended = airlock::scope().run_reported(|| (0..4).chain([13, 14]).try_for_each(|n| step::enqueue(n).map(drop)));
    ended.result.unwrap();
    assert_eq!(ran(), [0, 1, 2, 3, 13, 14]);
    let error = ended.flush.unwrap_err();
    let counts = error.report().counts();
    assert_eq!((counts.enqueued, counts.dispatched, counts.failed), (6, 3, 3));
    let failed: Vec<_> = error.failed().iter().map(ToString::to_string).collect();
    assert!(failed[0].starts_with("p12.step (tests/core/promise_12"), "{failed:?}");
    assert!(failed[0].ends_with("): the task failed: odd"), "{failed:?}");
    assert!(failed[2].ends_with("): the task failed: panicked: unlucky"), "{failed:?}");
}

#[test]
fn under_fail_fast_the_first_failure_leaves_the_rest_unattempted() {
    let scope = airlock::scope().on_failure(OnFailure::FailFast);
    let ended = scope.run_reported(|| (2..8).try_for_each(|n| step::enqueue(n).map(drop)));
    assert_eq!(ran(), [2, 3]);
    let error = ended.flush.unwrap_err();
    let counts = error.report().counts();
    assert_eq!((counts.dispatched, counts.failed, counts.unattempted), (1, 1, 4));
    let kept: Vec<_> = error.undispatched().iter().map(|intent| intent.args::<step>().unwrap().0).collect();
    assert_eq!(kept, [4, 5, 6, 7]);
    for entry in &error.report().entries()[2..] {
        assert!(matches!(entry.outcome(), Outcome::Unattempted { reason: Unattempted::FailedFast }), "{entry:?}");
    }
    assert_eq!(error.into_intents().len(), 5, "the one that failed and the four that were not tried");
}

#[test]
fn whatever_the_kind_of_failure_fail_fast_stops_and_continue_goes_on_unless_the_executor_is_unavailable() {
    for fate in [Fate::Rejected, Fate::Unavailable, Fate::Unconfirmed, Fate::TaskFailed] {
        for (on_failure, goes_on) in [(OnFailure::Continue, fate != Fate::Unavailable), (OnFailure::FailFast, false)] {
            let recorder = Recorder::new();
            let scope = airlock::scope().on_failure(on_failure).executor(mixed(&recorder));
            let error = flush_fates(scope, &[fate, Fate::Fine]);
            assert_eq!(recorder.calls().len(), 1 + usize::from(goes_on), "{fate:?} {on_failure:?}");
            assert_eq!(error.report().counts().unattempted, usize::from(!goes_on), "{fate:?} {on_failure:?}");
            drop(error.into_intents());
        }
    }
}

#[test]
fn fail_fast_keeps_local_tasks_in_too_and_continue_lets_them_run() {
    #[airlock::task(name = "p12.local", local)]
    fn local() {
        RAN.with_borrow_mut(|ran| ran.push(99));
    }

    for (on_failure, expected) in [(OnFailure::FailFast, vec![]), (OnFailure::Continue, vec![99])] {
        let recorder = Recorder::new();
        let guard = airlock::scope().on_failure(on_failure).executor(mixed(&recorder)).enter();
        local::enqueue().unwrap();
        kind::enqueue(Fate::Unavailable, 0).unwrap();
        let error = guard.flush().unwrap_err();
        assert_eq!(ran(), expected);
        let kept = error.into_intents();
        assert_eq!(kept.len(), 2 - expected.len());
    }
}

// What the error owns.

const ONE_OF_EACH: [Fate; 6] =
    [Fate::Rejected, Fate::Fine, Fate::Unconfirmed, Fate::TaskFailed, Fate::Unavailable, Fate::Fine];

#[test]
fn what_did_not_go_out_is_sorted_by_what_is_known_about_it() {
    let error = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &ONE_OF_EACH);
    assert_eq!(numbers(error.undispatched()), [0, 4, 5], "rejected, unavailable, unattempted");
    assert_eq!(numbers(error.unconfirmed().iter().map(|failure| failure.intent.as_ref().unwrap())), [2]);
    assert_eq!(numbers(error.failed().iter().map(|failure| failure.intent.as_ref().unwrap())), [3]);
    let counts = error.report().counts();
    assert_eq!((counts.dispatched, counts.failed, counts.unconfirmed, counts.unattempted), (1, 3, 1, 1));
    let failure = &error.unconfirmed()[0];
    assert_eq!((failure.name, failure.location.file()), ("p12.kind", file!()));
    assert_eq!(failure.id, failure.intent.as_ref().unwrap().id());
    assert_eq!(numbers(&error.into_intents()), [0, 4, 5, 2, 3], "undispatched, unconfirmed, failed");
}

#[test]
fn arguments_that_moved_into_a_task_are_gone_and_its_name_and_id_are_not() {
    let mut id = None;
    let ran = airlock::scope().run(|| id = step::enqueue(1).ok());
    let error = ran.unwrap_err();
    let failure = &error.failed()[0];
    assert!(failure.intent.is_none());
    assert_eq!((Some(failure.id), failure.name), (id, "p12.step"));
    assert!(error.into_intents().is_empty());
}

#[test]
fn the_message_says_what_went_wrong_first_and_where() {
    let scope = airlock::scope().name("nightly").executor(mixed(&Recorder::new()));
    let error = flush_fates(scope, &[Fate::Fine, Fate::Unavailable, Fate::Fine]);
    let text = error.to_string();
    assert!(text.starts_with("the flush of scope `nightly` (tests/core/promise_12"), "{text}");
    assert!(
        text.contains(" failed: 3 enqueued: 1 dispatched, 1 failed, 1 unattempted; p12.kind (tests/core/"),
        "{text}"
    );
    assert!(text.ends_with("): unavailable: connection refused"), "{text}");
    drop(error.into_intents());
}

#[test]
fn a_flush_error_is_found_behind_boxes_and_sources() {
    #[derive(Debug, thiserror::Error)]
    #[error("the request failed")]
    struct Wrapped(#[source] Box<dyn StdError + Send + Sync>);

    #[derive(Debug, thiserror::Error)]
    #[error("no answer from redis://me:secret@h/0")]
    struct NoAnswer(#[source] Wrapped);

    let error = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &[Fate::Rejected]);
    let id = error.undispatched()[0].id();
    let wrapped = Wrapped(Box::new(Wrapped(Box::new(airlock::Error::other(airlock::Error::from(error))))));
    let found = FlushError::find(&wrapped).expect("it is in there");
    assert_eq!(found.undispatched()[0].id(), id);
    // Also behind a text from which a password was taken.
    let told = DispatchError::task_failed(Wrapped(Box::new(NoAnswer(wrapped))));
    let told = Wrapped(Box::new(told));
    let found = FlushError::find(&told).expect("it is in there");
    assert_eq!(found.undispatched()[0].id(), id);
    assert!(FlushError::find(&Wrapped("something else".into())).is_none());
    assert!(FlushError::find(&airlock::Error::other("something else")).is_none());
}

// Another try.

/// Twenty-five tasks, so that there are more than are logged one by one.
mod many {
    macro_rules! tasks {
        ($($name:ident)*) => {
            $(#[airlock::task] fn $name() {})*
            pub(super) fn enqueue() { $($name::enqueue().unwrap();)* }
        };
    }

    tasks! {
        p12_many_01 p12_many_02 p12_many_03 p12_many_04 p12_many_05 p12_many_06 p12_many_07 p12_many_08 p12_many_09
        p12_many_10 p12_many_11 p12_many_12 p12_many_13 p12_many_14 p12_many_15 p12_many_16 p12_many_17 p12_many_18
        p12_many_19 p12_many_20 p12_many_21 p12_many_22 p12_many_23 p12_many_24 p12_many_25
    }
}

#[test]
fn a_cancelled_second_dispatch_loses_nothing_silently() {
    alone(|| {
        let lost = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lost);
        airlock::configure(Settings::new().on_lost(move |found| sink.lock().unwrap().extend(found.into_intents())));
        let error = flush_fates(airlock::scope().executor(mixed(&Recorder::new())), &[Fate::Rejected, Fate::Rejected]);
        drop(error.dispatch_async(&LogExecutor::new()));
        // Never polled: the error itself went, with both intents in it.
        assert_eq!(numbers(&*lost.lock().unwrap()), [0, 1]);
    });
}

#[test]
fn intents_taken_from_an_error_may_be_pushed_into_another_scope_which_judges_them_anew() {
    let refused = |_: Intent| Err(DispatchError::unavailable("connection refused"));
    let failed = airlock::policy(|_: &Intent| true).run(|| {
        airlock::scope().executor(refused).run(|| {
            again::enqueue(1).unwrap();
            again::enqueue(2).unwrap();
        })
    });
    let recorder = Recorder::new();
    let second = airlock::scope()
        .executor(recorder.clone())
        .policy(|intent: &Intent| intent.args::<again>() != Some(&(1,)))
        .run_reported(|| {
            for intent in failed.unwrap_err().into_intents() {
                assert_eq!(intent.local_policies().len(), 1, "it still tells where it came from");
                let handle = intent.clone();
                let scope = airlock::Scope::current().unwrap();
                scope.push(intent).unwrap();
                assert!(matches!(scope.push(handle), Err(airlock::EnqueueError::Repeated { .. })));
            }
        });
    assert_eq!(second.flush.unwrap().counts().dropped, 1);
    assert_eq!(recorder.calls(), ["p12.again(n=2)"]);
}

#[airlock::task(name = "p12.again")]
fn again(n: u64) {
    let _ = n;
}

#[airlock::task(name = "p12.bomb")]
fn bomb() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("again, as the panic is cleaned up");
        }
    }
    std::panic::panic_any(Bomb);
}

#[test]
fn a_panic_that_panics_as_it_is_cleaned_up_costs_the_others_nothing() {
    let error = airlock::scope()
        .on_failure(OnFailure::FailFast)
        .run(|| {
            bomb::enqueue().unwrap();
            again::enqueue(1).unwrap();
        })
        .unwrap_err();
    assert_eq!((error.failed().len(), error.undispatched().len()), (1, 1));
    assert_eq!(error.into_intents().len(), 1);
}

#[test]
fn a_flush_whose_executor_blocks_its_thread_in_a_poll_is_still_woken() {
    /// Wakes itself, then waits for another thread in a way that uses up the thread's own token.
    #[derive(Debug)]
    struct Blocking;
    impl airlock::Executor for Blocking {
        fn name(&self) -> &str {
            "blocking"
        }
        fn dispatch<'a>(&'a self, mut batch: airlock::Batch) -> airlock::BoxFuture<'a, ()> {
            Box::pin(async move {
                for _ in 0..3 {
                    let mut woken = false;
                    std::future::poll_fn(|cx| {
                        if std::mem::replace(&mut woken, true) {
                            return std::task::Poll::Ready(());
                        }
                        cx.waker().wake_by_ref();
                        std::thread::park_timeout(std::time::Duration::ZERO);
                        std::task::Poll::Pending
                    })
                    .await;
                }
                while let Some(begun) = batch.begin() {
                    begun.settle(Ok(()));
                }
            })
        }
    }
    let flushed = airlock::scope().executor(Blocking).run(|| again::enqueue(1).map(drop).map_err(airlock::Error::from));
    flushed.unwrap();
}

#[test]
fn an_intent_that_was_given_back_has_nothing_around_it_but_the_scope_that_it_is_pushed_into() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // Of the first scope alone, and refuses whatever it is asked about a second time.
    let once = move |_: &Intent| count.fetch_add(1, Ordering::SeqCst) < 2;
    let refused = |_: Intent| Err(DispatchError::unavailable("connection refused"));
    let failed = airlock::policy(once).run(|| {
        airlock::scope().executor(refused).run(|| {
            again::enqueue(3).unwrap();
            again::enqueue(4).unwrap();
        })
    });
    let recorder = Recorder::new();
    // Has nothing to say as they come, and lets the first of them out.
    let one = Dedupe::by(|intent| Some(intent.name().to_owned()));
    let second = airlock::scope().executor(recorder.clone()).policy(one).run_reported(|| {
        let scope = airlock::Scope::current().unwrap();
        for intent in failed.unwrap_err().into_intents() {
            scope.push(intent).unwrap();
        }
    });
    let counts = second.flush.unwrap().counts();
    assert_eq!((counts.dispatched, counts.dropped, asked.load(Ordering::SeqCst)), (1, 1, 2));
    assert_eq!(recorder.calls(), ["p12.again(n=3)"]);
}
