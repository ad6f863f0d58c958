//! Promise 20: an open scope is current only inside what it wraps, and ends once, well only if everything wrapped did.

use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use airlock::{AlwaysFlush, Discarded, DropAll, FlushReport, OpenScope, Outcome, Phase, Scope, ScopeBuilder, scope};
use airlock_tests::log::logged;
use airlock_tests::recorder::Recorder;
use futures::executor::block_on;
use futures::future::{FutureExt, join};

#[airlock::task(name = "open.note")]
fn note(n: u32) {
    let _ = n;
}

#[airlock::scoped]
fn nested(n: u32) -> airlock::Result<()> {
    note::enqueue(n)?;
    Ok(())
}

fn recorded() -> (Recorder, ScopeBuilder) {
    let recorder = Recorder::new();
    let builder = scope().name("outermost").executor(recorder.clone());
    (recorder, builder)
}

fn is_current() -> bool {
    Scope::current().is_some()
}

fn reasons(report: &FlushReport) -> Vec<Discarded> {
    let reason = |outcome: &Outcome| match outcome {
        Outcome::Discarded { reason } => *reason,
        other => panic!("{other}"),
    };
    report.entries().iter().map(|entry| reason(entry.outcome())).collect()
}

type End = fn(OpenScope) -> FlushReport;

/// The ways to end a scope that report.
fn ends() -> [(&'static str, End); 4] {
    [
        ("flush", |scope| scope.flush().unwrap()),
        ("flush_async", |scope| block_on(scope.flush_async()).unwrap()),
        ("seal", |scope| scope.seal().unwrap().dispatch().unwrap()),
        ("discard", OpenScope::discard),
    ]
}

#[test]
fn it_is_current_in_what_it_wraps_and_nowhere_else() {
    let (recorder, builder) = recorded();
    let open = builder.open();
    assert!(!is_current(), "opening makes nothing current");
    assert!(note::enqueue(0).is_err());
    open.run(|| {
        assert!(is_current());
        note::enqueue(1).unwrap();
    });
    assert!(!is_current());
    block_on(open.wrap(async {
        note::enqueue(2).unwrap();
        poll_once().await;
        note::enqueue(3).unwrap();
    }));
    assert!(!is_current());
    open.flush().unwrap();
    assert_eq!(recorder.calls(), ["open.note(n=1)", "open.note(n=2)", "open.note(n=3)"]);
}

/// Nothing; wakes at once, so that what waits is polled again.
fn poll_once() -> impl Future<Output = ()> {
    let mut is_first = true;
    poll_fn(move |context| {
        context.waker().wake_by_ref();
        if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
    })
}

#[test]
fn between_the_polls_of_a_wrapped_future_it_is_not_current() {
    let (recorder, builder) = recorded();
    let open = builder.open();
    {
        let mut wrapped = pin!(open.wrap(async {
            note::enqueue(1).unwrap();
            poll_once().await;
            note::enqueue(2).unwrap();
        }));
        let mut context = Context::from_waker(Waker::noop());
        let mut polls = 0;
        while wrapped.as_mut().poll(&mut context).is_pending() {
            assert!(!is_current());
            polls += 1;
        }
        assert!(polls > 0);
    }
    assert_eq!(open.flush().unwrap().counts().dispatched, 2);
    drop(recorder);
}

#[test]
fn every_end_but_discarding_hands_over_once_if_all_went_well() {
    for (name, end) in ends() {
        let (recorder, builder) = recorded();
        let open = builder.open();
        open.run(|| note::enqueue(1)).unwrap();
        let handle = open.handle();
        let report = end(open);
        let (phase, calls) = if name == "discard" { (Phase::Discarded, 0) } else { (Phase::Flushed, 1) };
        assert_eq!((handle.phase(), recorder.calls().len()), (phase, calls), "{name}: {report}");
        assert!(handle.run(|| note::enqueue(2)).is_err(), "{name}: it ended");
    }
}

#[test]
fn a_body_that_fails_settles_the_end_whatever_comes_after() {
    for (name, end) in ends() {
        for lifecycle in [false, true] {
            let (recorder, builder) = recorded();
            let open = if lifecycle { builder.lifecycle(AlwaysFlush).open() } else { builder.open() };
            open.run(|| note::enqueue(1)).unwrap();
            open.run(|| Err::<(), _>("out of stock")).unwrap_err();
            open.run(|| note::enqueue(2)).unwrap();
            assert_eq!(block_on(open.wrap(ready(Ok::<_, String>(3)))), Ok(3), "the body's value comes back");
            assert_eq!(reasons(&end(open)), [Discarded::BodyFailed; 2], "{name}");
            assert!(recorder.calls().is_empty(), "{name}");
        }
    }
}

#[test]
fn a_panic_settles_the_end_in_a_call_and_in_a_poll() {
    for (name, end) in ends() {
        let (recorder, builder) = recorded();
        let open = builder.open();
        note_in(&open);
        let panicked = catch_unwind(AssertUnwindSafe(|| open.run(|| boom("in a call"))));
        assert!(panicked.is_err());
        assert_eq!(reasons(&end(open)), [Discarded::Panicked], "{name}");

        let (_, builder) = recorded();
        let open = builder.open();
        note_in(&open);
        assert!(block_on(AssertUnwindSafe(open.wrap(async { boom("in a poll") })).catch_unwind()).is_err());
        assert_eq!(reasons(&end(open)), [Discarded::Panicked], "{name}");
        assert!(recorder.calls().is_empty(), "{name}");
    }
}

fn boom(message: &str) {
    panic!("{message}");
}

fn note_in(open: &OpenScope) {
    open.run(|| note::enqueue(1)).unwrap();
}

#[test]
fn a_wrapped_future_that_is_dropped_settles_the_end_polled_or_not() {
    for (name, end) in ends() {
        for polls in [0, 1] {
            let (recorder, builder) = recorded();
            let open = builder.open();
            note_in(&open);
            {
                let mut wrapped = pin!(open.wrap(pending::<()>()));
                for _ in 0..polls {
                    assert!(wrapped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                }
            }
            assert_eq!(reasons(&end(open)), [Discarded::Dropped], "{name}, {polls} polls");
            assert!(recorder.calls().is_empty(), "{name}");
        }
    }
}

#[test]
fn what_goes_through_a_handle_settles_nothing() {
    let (recorder, builder) = recorded();
    let open = builder.open();
    let handle = open.handle();
    let _ = handle.run(|| Err::<(), _>("side work failed"));
    assert!(catch_unwind(AssertUnwindSafe(|| handle.run(|| panic!("side work")))).is_err());
    drop(handle.wrap(pending::<()>()));
    thread::scope(|threads| threads.spawn(|| handle.run(|| note::enqueue(1))).join().unwrap()).unwrap();
    assert_eq!(open.flush().unwrap().counts().dispatched, 1);
    assert_eq!(recorder.calls(), ["open.note(n=1)"]);
}

#[test]
fn a_drop_is_loud_unless_it_is_empty_or_its_end_was_settled() {
    let loud = "a scope was dropped with intents in it";
    let filled = |settle: fn(&OpenScope)| {
        logged(|| {
            let open = scope().name("dropped").open();
            note_in(&open);
            settle(&open);
        })
    };
    let (_, log) = filled(|_| ());
    assert!(log.contains(loud) && log.contains("dropped"), "{log}");
    let (_, log) = filled(|open| _ = open.run(|| Err::<(), _>("failed")));
    assert!(!log.contains(loud), "{log}");
    let (_, log) = filled(|open| drop(open.wrap(pending::<()>())));
    assert!(!log.contains(loud), "{log}");
    let (_, log) = logged(|| drop(scope().open()));
    assert!(!log.contains(loud), "{log}");
}

#[test]
fn concurrent_wraps_lie_in_the_order_of_the_calls() {
    let (recorder, builder) = recorded();
    let open = builder.open();
    let steps = |start: u32| async move {
        for n in 0..3 {
            note::enqueue(start + n).unwrap();
            poll_once().await;
        }
    };
    block_on(join(open.wrap(steps(10)), open.wrap(steps(20))));
    open.flush().unwrap();
    let numbers = [10, 20, 11, 21, 12, 22].map(|n| format!("open.note(n={n})"));
    assert_eq!(recorder.calls(), numbers);
}

#[test]
fn a_wrap_in_a_wrap_adds_nothing_and_a_scoped_function_in_it_is_captured() {
    let (recorder, builder) = recorded();
    let open = builder.open();
    block_on(open.wrap(async {
        note::enqueue(1).unwrap();
        airlock::policy(DropAll).run(|| {
            open.run(|| note::enqueue(2)).unwrap();
        });
        open.wrap(async { nested(3) }).await.unwrap();
    }));
    let report = open.flush().unwrap();
    assert_eq!((report.counts().enqueued, report.counts().dropped), (3, 1), "{report}");
    assert_eq!(recorder.calls(), ["open.note(n=1)", "open.note(n=3)"]);
}

#[test]
fn local_policies_hold_that_were_around_the_opening_or_are_around_the_wrap() {
    let dropped = |opened_under: bool, wrapped_under: bool| {
        let recorder = Recorder::new();
        let make = || scope().executor(recorder.clone()).open();
        let open = if opened_under { airlock::policy(DropAll).run(make) } else { make() };
        let fill = || {
            open.run(|| note::enqueue(1)).unwrap();
            block_on(open.wrap(async { note::enqueue(2) })).unwrap();
            open.handle().run(|| note::enqueue(3)).unwrap();
        };
        if wrapped_under {
            airlock::policy(DropAll).run(fill);
        } else {
            fill();
        }
        open.flush().unwrap().counts().dropped
    };
    assert_eq!([dropped(false, false), dropped(true, false), dropped(false, true), dropped(true, true)], [0, 3, 3, 3]);
}

#[test]
fn another_scope_around_the_wrap_is_not_its_parent_and_the_one_around_the_opening_is() {
    let (recorder, builder) = recorded();
    let outer = builder.enter();
    let open = scope().name("inner").open();
    let report = {
        let other = scope().name("other").enter();
        open.run(|| note::enqueue(1)).unwrap();
        let report = open.flush().unwrap();
        assert_eq!(other.discard().counts().enqueued, 0);
        report
    };
    assert_eq!(report.counts().captured, 1, "{report}");
    assert!(recorder.calls().is_empty());
    outer.flush().unwrap();
    assert_eq!(recorder.calls(), ["open.note(n=1)"]);
}

#[test]
fn it_goes_from_thread_to_thread_and_so_does_a_wrapped_future() {
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    fn shared<T: Send + Sync>(_: &T) {}
    let (recorder, builder) = recorded();
    let open = Arc::new(builder.open());
    shared(&*open);
    let there = Arc::clone(&open);
    let ran = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ran);
    thread::spawn(move || {
        block_on(sendable(there.wrap(async {
            note::enqueue(1).unwrap();
            flag.store(true, Ordering::SeqCst);
        })));
    })
    .join()
    .unwrap();
    assert!(ran.load(Ordering::SeqCst));
    Arc::into_inner(open).unwrap().flush().unwrap();
    assert_eq!(recorder.calls(), ["open.note(n=1)"]);
}
