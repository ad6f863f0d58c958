//! Promise 3: success flushes; `Err`, panic, a future dropped before its flush, and a dropped guard discard. Drop never
//! dispatches, blocks or panics. A lifecycle may flush on `Err`, never on panic or cancellation. A future dropped
//! during its flush: what was begun is unconfirmed, the rest unattempted, and `on_lost` gets it.

mod dropped;
mod during_the_flush;
mod lifecycles;

use std::any::Any;
use std::future::{self, Future};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use airlock::{
    AlwaysFlush, Batch, BoxFuture, Discarded, DispatchError, Executor, FlushReport, Intent, Lifecycle, Lost, Outcome,
    Phase, ReleaseNested, Scope, ScopeEnd, Settings, scope,
};
use airlock_tests::log::logged;
use airlock_tests::recorder::{Recorder, unavailable};
use futures::FutureExt;
use futures::executor::block_on;

use crate::settings::alone;

#[airlock::task(name = "p3.send")]
fn send(order_id: u64) {
    let _ = order_id;
}

#[airlock::task(name = "p3.send_local", local)]
fn send_local(order_id: u64) {
    let _ = order_id;
}

#[airlock::task(name = "p3.hang")]
async fn hang(order_id: u64) {
    let _ = order_id;
    future::pending::<()>().await;
}

#[airlock::task(name = "p3.fail")]
fn fail(order_id: u64) -> Result<(), String> {
    Err(format!("no order {order_id}"))
}

const NOTHING: [&str; 0] = [];

fn error() -> airlock::Error {
    airlock::Error::other("out of stock")
}

fn boom<T>() -> T {
    panic!("boom")
}

/// The message of a panic that came out of the closure.
#[track_caller]
fn panic_of<R>(run: impl FnOnce() -> R) -> String {
    let payload: Box<dyn Any + Send> = catch_unwind(AssertUnwindSafe(run)).err().expect("it panics");
    payload.downcast_ref::<&str>().expect("a message").to_string()
}

/// The handle that the body of a scope put down for after its end.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<Scope>>>);

impl Kept {
    fn keep(&self) {
        *self.0.lock().unwrap() = Scope::current();
    }

    fn phase(&self) -> Phase {
        self.0.lock().unwrap().as_ref().expect("the body ran").phase()
    }
}

#[track_caller]
fn assert_all_discarded(report: &FlushReport, expected: Discarded, count: usize) {
    assert_eq!((report.counts().discarded, report.counts().enqueued), (count, count), "{report}");
    for entry in report.entries() {
        assert!(matches!(entry.outcome(), Outcome::Discarded { reason } if *reason == expected), "{report}");
    }
}

// Success.

#[test]
fn success_flushes_however_the_scope_was_opened() {
    let recorder = Recorder::new();
    let to = || scope().executor(recorder.clone());
    to().run(|| send::enqueue(1).map(drop).unwrap()).unwrap();
    let value = to().run(|| send::enqueue(2).map_err(airlock::Error::from).map(|_| "value")).unwrap();
    assert_eq!(value, "value");
    to().run_reported(|| send::enqueue(3).map(drop).unwrap()).flush.unwrap();
    block_on(to().run_async(async { send::enqueue(4).map(drop).unwrap() })).unwrap();
    block_on(to().run_reported_async(async { send::enqueue(5).map(drop).unwrap() })).flush.unwrap();
    let guard = to().enter();
    send::enqueue(6).unwrap();
    guard.flush().unwrap();
    let guard = to().enter();
    send::enqueue(7).unwrap();
    guard.seal().unwrap().dispatch().unwrap();
    let guard = to().enter();
    send::enqueue(8).unwrap();
    block_on(guard.seal().unwrap().dispatch_async()).unwrap();
    assert_eq!(recorder.calls(), (1..=8).map(|n| format!("p3.send(order_id={n})")).collect::<Vec<_>>());
}

#[airlock::scoped(executor = recorder.clone())]
fn checkout(recorder: &Recorder, order_id: u64, end: fn() -> airlock::Result<()>) -> airlock::Result<()> {
    send::enqueue(order_id)?;
    end()
}

#[airlock::scoped(executor = recorder.clone())]
async fn checkout_async(recorder: &Recorder, order_id: u64, end: fn() -> airlock::Result<()>) -> airlock::Result<()> {
    send::enqueue(order_id)?;
    future::ready(()).await;
    end()
}

#[test]
fn a_scoped_function_flushes_on_ok_and_discards_on_err_and_panic() {
    let recorder = Recorder::new();
    checkout(&recorder, 1, || Ok(())).unwrap();
    let failed = checkout(&recorder, 2, || Err(error())).unwrap_err();
    assert_eq!(failed.to_string(), "out of stock");
    assert_eq!(panic_of(|| checkout(&recorder, 3, boom)), "boom");
    assert_eq!(recorder.calls(), ["p3.send(order_id=1)"]);
}

#[test]
fn an_async_scoped_function_flushes_on_ok_and_discards_on_err_panic_and_drop() {
    let recorder = Recorder::new();
    block_on(checkout_async(&recorder, 1, || Ok(()))).unwrap();
    let failed = block_on(checkout_async(&recorder, 2, || Err(error()))).unwrap_err();
    assert_eq!(failed.to_string(), "out of stock");
    assert_eq!(panic_of(|| block_on(checkout_async(&recorder, 3, boom))), "boom");
    drop(checkout_async(&recorder, 4, || Ok(())));
    assert_eq!(recorder.calls(), ["p3.send(order_id=1)"]);
}

// Err.

#[test]
fn err_discards_quietly_and_comes_back() {
    let recorder = Recorder::new();
    let to = || scope().executor(recorder.clone());
    let (failed, log) = logged(|| {
        let body = || -> airlock::Result<()> {
            send::enqueue(1)?;
            Err(error())
        };
        [to().run(body), block_on(to().run_async(async { body() }))]
    });
    for failed in failed {
        assert_eq!(failed.unwrap_err().to_string(), "out of stock");
    }
    assert_eq!(log, "", "the caller has the error; there is nothing to say");
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn err_discards_and_the_report_says_why() {
    let recorder = Recorder::new();
    let to = || scope().executor(recorder.clone());
    let body = || {
        send::enqueue(1).unwrap();
        send::enqueue(2).unwrap();
        Err::<(), _>("out of stock")
    };
    for ended in [to().run_reported(body), block_on(to().run_reported_async(async { body() }))] {
        assert_eq!(ended.result, Err("out of stock"));
        let report = ended.flush.unwrap();
        assert_all_discarded(&report, Discarded::BodyFailed, 2);
        assert!(report.to_string().contains("p3.send: discarded: the body failed"), "{report}");
    }
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn an_error_that_the_body_handles_is_a_success() {
    let recorder = Recorder::new();
    scope()
        .executor(recorder.clone())
        .run(|| {
            send::enqueue(1).unwrap();
            let inner = scope().run(|| -> airlock::Result<()> { Err(error()) });
            assert_eq!(inner.unwrap_err().to_string(), "out of stock");
            assert_eq!(panic_of(boom::<()>), "boom");
        })
        .unwrap();
    assert_eq!(recorder.calls(), ["p3.send(order_id=1)"]);
}

// Panic.

#[test]
fn a_panic_discards_says_so_and_goes_on_to_the_caller() {
    let (recorder, kept) = (Recorder::new(), Kept::default());
    let to = || scope().name("doomed").executor(recorder.clone());
    let body = || {
        kept.keep();
        send::enqueue(1).unwrap();
        boom::<()>();
    };
    let entered = || {
        let _guard = to().enter();
        body();
    };
    let runs: [(&str, &dyn Fn()); 5] = [
        ("run", &|| drop(to().run(body))),
        ("run_reported", &|| drop(to().run_reported(body))),
        ("run_async", &|| drop(block_on(to().run_async(async { body() })))),
        ("run_reported_async", &|| drop(block_on(to().run_reported_async(async { body() })))),
        ("enter", &entered),
    ];
    for (how, run) in runs {
        let (message, log) = logged(|| panic_of(run));
        assert_eq!(message, "boom", "{how}");
        assert_eq!(kept.phase(), Phase::Discarded, "{how}");
        assert!(Scope::current().is_none(), "{how}");
        let told = log.starts_with(
            "WARN message=a scope was dropped with intents in it; they are discarded scope=scope `doomed`",
        ) && log.contains("intents=1 reason=the body panicked");
        assert!(told && log.lines().count() == 1, "{how}: {log}");
    }
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_panic_in_a_later_poll_discards_what_earlier_polls_enqueued() {
    let (recorder, kept) = (Recorder::new(), Kept::default());
    let mut future = Box::pin(scope().executor(recorder.clone()).run_async(async {
        kept.keep();
        send::enqueue(1).unwrap();
        tokio::task::yield_now().await;
        boom::<()>();
    }));
    assert!(future.as_mut().now_or_never().is_none());
    assert_eq!(kept.phase(), Phase::Open);
    assert_eq!(panic_of(|| future.as_mut().now_or_never()), "boom");
    assert_eq!(kept.phase(), Phase::Discarded);
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_panicking_task_of_a_runtime_discards_its_scope() {
    let (recorder, kept) = (Recorder::new(), Kept::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (executor, keep) = (recorder.clone(), kept.clone());
    let ended = runtime.block_on(async {
        tokio::spawn(scope().executor(executor).lifecycle(AlwaysFlush).run_async(async move {
            keep.keep();
            send::enqueue(1).unwrap();
            tokio::task::yield_now().await;
            boom::<()>();
        }))
        .await
    });
    assert!(ended.unwrap_err().is_panic());
    assert_eq!(kept.phase(), Phase::Discarded);
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_scope_that_ends_well_in_a_destructor_during_a_panic_flushes() {
    struct Audit(Recorder);
    impl Drop for Audit {
        fn drop(&mut self) {
            scope().executor(self.0.clone()).run(|| send::enqueue(2).map(drop).unwrap()).unwrap();
        }
    }
    let (doomed, audit) = (Recorder::new(), Recorder::new());
    let message = panic_of(|| {
        let _audit = Audit(audit.clone());
        scope().executor(doomed.clone()).run(|| {
            send::enqueue(1).unwrap();
            boom::<()>();
        })
    });
    assert_eq!(message, "boom");
    assert_eq!(audit.calls(), ["p3.send(order_id=2)"], "its own body did not panic");
    assert_eq!(doomed.calls(), NOTHING);
}

// Futures dropped before their flush.

#[test]
fn a_future_that_is_never_polled_opens_nothing_and_says_nothing() {
    let recorder = Recorder::new();
    let ((), log) = logged(|| {
        drop(scope().executor(recorder.clone()).run_async(async { send::enqueue(1).map(drop).unwrap() }));
        drop(scope().executor(recorder.clone()).run_reported_async(async { send::enqueue(1).map(drop).unwrap() }));
    });
    assert_eq!((log.as_str(), recorder.calls().len()), ("", 0));
}

#[test]
fn a_future_dropped_in_its_body_discards_and_says_so() {
    let (recorder, kept) = (Recorder::new(), Kept::default());
    let body = || async {
        kept.keep();
        send::enqueue(1).unwrap();
        future::pending::<()>().await;
    };
    let to = || scope().name("cancelled").executor(recorder.clone()).lifecycle(AlwaysFlush);
    let futures: [BoxFuture<'_, ()>; 2] =
        [Box::pin(to().run_async(body()).map(drop)), Box::pin(to().run_reported_async(body()).map(drop))];
    for mut future in futures {
        assert!(future.as_mut().now_or_never().is_none());
        assert_eq!(kept.phase(), Phase::Open);
        let ((), log) = logged(|| drop(future));
        assert_eq!(kept.phase(), Phase::Discarded);
        assert!(log.contains("scope=scope `cancelled`") && log.contains("reason=dropped before its end"), "{log}");
    }
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn what_destructors_in_a_dropped_body_enqueue_is_discarded_with_it() {
    struct Farewell;
    impl Drop for Farewell {
        fn drop(&mut self) {
            send::enqueue(2).unwrap();
        }
    }
    let (recorder, around) = (Recorder::new(), Recorder::new());
    let mut future = Box::pin(scope().executor(recorder.clone()).run_async(async {
        let _farewell = Farewell;
        send::enqueue(1).unwrap();
        future::pending::<()>().await;
    }));
    assert!(future.as_mut().now_or_never().is_none());
    let guard = scope().executor(around.clone()).enter();
    let ((), log) = logged(|| drop(future));
    assert!(log.contains("intents=2"), "{log}");
    assert_eq!(guard.flush().unwrap().counts().enqueued, 0, "not in the scope of the code that drops it");
    assert_eq!((recorder.calls().len(), around.calls().len()), (0, 0));
}

#[test]
fn an_aborted_task_of_a_runtime_discards_its_scope() {
    let (recorder, kept) = (Recorder::new(), Kept::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (executor, keep) = (recorder.clone(), kept.clone());
        let task = tokio::spawn(scope().executor(executor).run_async(async move {
            keep.keep();
            send::enqueue(1).unwrap();
            future::pending::<()>().await;
        }));
        tokio::task::yield_now().await;
        assert_eq!(kept.phase(), Phase::Open);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    assert_eq!(kept.phase(), Phase::Discarded);
    assert_eq!(recorder.calls(), NOTHING);
}

// Guards.
