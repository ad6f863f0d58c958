//! Promise 3: what a lifecycle decides, and what it is not asked about.

use super::*;

/// Says yes to every end and writes down what it was asked.
#[derive(Clone, Default)]
struct Yes(Recorder);

impl Lifecycle for Yes {
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
        self.0.note(format!("{} {} {}", end.scope().name().unwrap(), end.succeeded(), end.intents()));
        true
    }
}

#[test]
fn a_lifecycle_may_flush_on_err_and_the_error_still_comes_back() {
    let (recorder, asked) = (Recorder::new(), Yes::default());
    let to = |name: &'static str| scope().name(name).executor(recorder.clone()).lifecycle(asked.clone());
    let body = |order_id| {
        send::enqueue(order_id)?;
        Err::<(), _>(error())
    };
    assert_eq!(to("run").run(|| body(1)).unwrap_err().to_string(), "out of stock");
    assert_eq!(block_on(to("async").run_async(async { body(2) })).unwrap_err().to_string(), "out of stock");
    let ended = to("reported").run_reported(|| body(3));
    assert_eq!(ended.result.unwrap_err().to_string(), "out of stock");
    assert_eq!(ended.flush.unwrap().counts().dispatched, 1);
    let ended = block_on(to("both").run_reported_async(async { body(4) }));
    assert_eq!(ended.flush.unwrap().counts().dispatched, 1);
    assert_eq!(recorder.calls(), (1..=4).map(|n| format!("p3.send(order_id={n})")).collect::<Vec<_>>());
    assert_eq!(asked.0.calls(), ["run false 1", "async false 1", "reported false 1", "both false 1"]);
}

#[test]
fn always_flush_flushes_on_err() {
    #[airlock::scoped(lifecycle = AlwaysFlush, executor = recorder.clone())]
    fn always(recorder: &Recorder) -> airlock::Result<()> {
        send::enqueue(1)?;
        Err(error())
    }
    let recorder = Recorder::new();
    assert_eq!(always(&recorder).unwrap_err().to_string(), "out of stock");
    assert_eq!(recorder.calls(), ["p3.send(order_id=1)"]);
}

#[test]
fn no_lifecycle_is_asked_after_a_panic_or_a_cancellation() {
    let (recorder, asked) = (Recorder::new(), Yes::default());
    let to = || scope().name("asked").executor(recorder.clone()).lifecycle(asked.clone());
    let body = || {
        send::enqueue(1).unwrap();
        boom::<()>();
    };
    assert_eq!(panic_of(|| to().run(body)), "boom");
    assert_eq!(panic_of(|| to().run_reported(body)), "boom");
    assert_eq!(panic_of(|| block_on(to().run_async(async { body() }))), "boom");
    let mut future = Box::pin(to().run_async(async {
        send::enqueue(1).unwrap();
        future::pending::<()>().await;
    }));
    assert!(future.as_mut().now_or_never().is_none());
    drop(future);
    let guard = to().enter();
    send::enqueue(1).unwrap();
    drop(guard);
    assert_eq!((asked.0.calls().len(), recorder.calls().len()), (0, 0));
}

/// Says no to every end.
struct No;

impl Lifecycle for No {
    fn should_flush(&self, _end: &ScopeEnd<'_>) -> bool {
        false
    }
}

#[test]
fn a_lifecycle_may_discard_a_success() {
    let recorder = Recorder::new();
    let to = || scope().executor(recorder.clone()).lifecycle(No);
    to().run(|| send::enqueue(1).map(drop).unwrap()).unwrap();
    block_on(to().run_async(async { send::enqueue(2).map(drop).unwrap() })).unwrap();
    let report = to().run_reported(|| send::enqueue(3).map(drop).unwrap()).flush.unwrap();
    assert_all_discarded(&report, Discarded::ByLifecycle, 1);
    assert!(report.to_string().contains("discarded: by the lifecycle"), "{report}");
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn a_lifecycle_is_asked_about_an_empty_success_too_and_may_be_shared() {
    let (asked, kept) = (Yes::default(), Kept::default());
    let shared: Arc<dyn Lifecycle> = Arc::new(asked.clone());
    scope().name("empty").lifecycle(shared).run(|| kept.keep()).unwrap();
    assert_eq!(asked.0.calls(), ["empty true 0"]);
    assert_eq!(kept.phase(), Phase::Flushed);
    let boxed: Box<dyn Lifecycle> = Box::new(No);
    block_on(scope().lifecycle(boxed).run_async(async { kept.keep() })).unwrap();
    assert_eq!(kept.phase(), Phase::Discarded, "nested scopes that end later have to know");
}

#[test]
fn the_end_of_a_guard_is_its_word_and_no_lifecycle_is_asked() {
    let (recorder, kept) = (Recorder::new(), Kept::default());
    let guard = scope().executor(recorder.clone()).lifecycle(No).enter();
    kept.keep();
    send::enqueue(1).unwrap();
    assert_eq!(guard.flush().unwrap().counts().dispatched, 1);
    assert_eq!(kept.phase(), Phase::Flushed);
    assert_eq!(recorder.calls(), ["p3.send(order_id=1)"]);
}

#[test]
fn a_lifecycle_that_panics_lets_nothing_out() {
    struct Confused;
    impl Lifecycle for Confused {
        fn should_flush(&self, _end: &ScopeEnd<'_>) -> bool {
            boom()
        }
    }
    let (recorder, kept) = (Recorder::new(), Kept::default());
    let to = || scope().executor(recorder.clone()).lifecycle(Confused);
    let body = || {
        kept.keep();
        send::enqueue(1).unwrap();
    };
    assert_eq!(panic_of(|| to().run(body)), "boom");
    assert_eq!(kept.phase(), Phase::Discarded);
    assert_eq!(panic_of(|| block_on(to().run_reported_async(async { body() }))), "boom");
    assert_eq!(kept.phase(), Phase::Discarded);
    assert_eq!(recorder.calls(), NOTHING);
    scope().executor(recorder.clone()).run(|| send::enqueue(2).map(drop).unwrap()).unwrap();
    assert_eq!(recorder.calls(), ["p3.send(order_id=2)"], "the thread enqueues as before");
}
