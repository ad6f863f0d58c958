//! Promise 6: what executors refuse, before anything escapes.

use super::*;

#[test]
fn an_option_that_an_executor_cant_honour_is_named_before_anything_escapes() {
    struct NoDelays(Recorder);
    impl Executor for NoDelays {
        fn name(&self) -> &str {
            "no delays"
        }

        fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
            match intent.options().get_start() {
                Some(_) => Err(Rejection::new("`delay` can't be honoured here")),
                None => Ok(()),
            }
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            self.0.dispatch(batch)
        }
    }
    let recorder = Recorder::new();
    let soon = || Options::new().delay(Duration::from_secs(1));
    errors(
        || scope().executor(NoDelays(recorder.clone())),
        &BOTH,
        || vec![send::enqueue(1).unwrap(), send::enqueue_with(soon(), 2).unwrap(), send::enqueue(3).unwrap()],
    );
    let error = error_of(scope().executor(NoDelays(recorder.clone())), || {
        send::enqueue_with(soon(), 1).unwrap();
    });
    assert!(error.to_string().ends_with("rejected: `delay` can't be honoured here"), "{error}");
    assert_eq!(recorder.calls(), NOTHING);
}

#[test]
fn all_offenders_are_reported_and_the_others_stay_with_them() {
    let (recorder, inner) = (Recorder::new(), Recorder::new());
    let picky = || scope().executor(Picky { recorder: recorder.clone(), refuses: "p6.refund" });
    errors(picky, &BOTH, || {
        let refunds = || refund::enqueue(1, 2.0).unwrap();
        vec![send::enqueue(1).unwrap(), refunds(), send::enqueue(2).unwrap(), refunds()]
    });
    let error = error_of(picky(), || {
        refund::enqueue(1, 2.0).unwrap();
        send::enqueue(1).unwrap();
        scope().executor(inner.clone()).run(|| refund::enqueue(2, 2.0).map(drop).unwrap()).unwrap();
    });
    let kinds: Vec<_> = error.report().entries().iter().map(|entry| entry.outcome().to_string()).collect();
    let refused = "rejected: not this one";
    assert_eq!(kinds, [refused, "unattempted: another intent of this flush was refused", refused]);
    let Outcome::Failed { error: first } = error.report().entries()[0].outcome() else { panic!("{error}") };
    assert_eq!(first.kind(), DispatchErrorKind::Rejected);
    assert_eq!(error.report().executor(), None, "no executor was handed anything");

    let ids: Vec<_> = error.undispatched().iter().map(Intent::id).collect();
    let report = error.dispatch(&recorder).unwrap();
    assert_eq!(report.entries().iter().map(airlock::ReportEntry::id).collect::<Vec<_>>(), ids);
    assert_eq!(
        recorder.calls(),
        ["p6.refund(order_id=1, amount=2.0)", "p6.send(order_id=1)", "p6.refund(order_id=2, amount=2.0)"],
        "another way, all of it"
    );
    assert_eq!(inner.calls(), NOTHING);
}

#[test]
fn an_async_task_in_a_sync_flush_is_refused_with_the_way_out() {
    let body = || vec![send::enqueue(1).unwrap(), send_async::enqueue(2).unwrap(), send::enqueue(3).unwrap()];
    errors(scope, &[FlushMode::Sync], body);
    errors(|| scope().executor(checked()), &[FlushMode::Sync], body);
    let error = error_of(scope(), || drop(body()));
    let expected = "rejected: it is an async task, and this flush is not awaited; use `run_async` or another executor";
    assert!(verdict(error.report(), "p6.send_async").starts_with(expected), "{}", error.report());
    assert!(error.to_string().contains("; p6.send_async ("), "{error}");

    assert_eq!(block_on(error.dispatch_async(&InlineExecutor::new())).unwrap().counts().dispatched, 3);
    assert_eq!(take_ran(), [1, 2, 3], "awaited, they all run");
    block_on(scope().run_async(async { drop(body()) })).unwrap();
    assert_eq!(take_ran(), [1, 2, 3]);
}

#[test]
fn a_scoped_function_that_is_not_async_gets_the_hint() {
    #[airlock::scoped]
    fn checkout() -> airlock::Result<()> {
        send_async::enqueue(1)?;
        Ok(())
    }
    let error = checkout().unwrap_err();
    assert!(error.to_string().contains("on `#[scoped]`, make the function async"), "{error}");
    assert_eq!(FlushError::find(&error).expect("a flush error").undispatched().len(), 1);
    assert_eq!(take_ran(), [0_u64; 0]);
}

#[test]
fn a_task_without_a_body_is_refused_inline_sync_or_async() {
    let body = || vec![send::enqueue(1).unwrap(), send_elsewhere::enqueue(2).unwrap()];
    errors(scope, &BOTH, body);
    errors(|| scope().executor(checked()), &BOTH, body);
    let error = error_of(scope(), || drop(body()));
    assert_eq!(
        verdict(error.report(), "p6.send_elsewhere"),
        "rejected: it has no body in this program; give the scope an executor that sends it"
    );
}

#[test]
fn what_is_refused_inline_is_refused_after_capture_too() {
    // The outer scope itself holds plain functions only.
    for bad in [|| send_async::enqueue(2).unwrap(), || send_elsewhere::enqueue(2).unwrap()] {
        errors(scope, &[FlushMode::Sync], || {
            let mut ids = vec![send::enqueue(1).unwrap()];
            scope().run(|| scope().run(|| ids.push(bad())).unwrap()).unwrap();
            ids.push(send::enqueue(3).unwrap());
            ids
        });
    }
    let carried = scope().enter();
    let handle = carried.scope();
    std::thread::spawn(move || handle.push(send_elsewhere::intent(1)).unwrap()).join().unwrap();
    send::enqueue(2).unwrap();
    assert_eq!(carried.flush().unwrap_err().into_intents().len(), 2);
    assert_eq!(take_ran(), [0_u64; 0]);
}

#[test]
fn a_local_async_task_is_refused_before_the_executor_is_handed_the_rest() {
    let recorder = Recorder::new();
    let body = || vec![send::enqueue(1).unwrap(), send_local_async::enqueue(2).unwrap()];
    errors(|| scope().executor(recorder.clone()), &[FlushMode::Sync], body);
    assert_eq!(recorder.calls(), NOTHING);
    block_on(scope().executor(recorder.clone()).run_async(async { drop(body()) })).unwrap();
    assert_eq!(recorder.calls(), ["p6.send(order_id=1)"]);
    assert_eq!(take_ran(), [2]);
}

#[test]
fn sealing_tells_at_once_what_no_flush_could_send() {
    let guard = scope().enter();
    send::enqueue(1).unwrap();
    send_elsewhere::enqueue(2).unwrap();
    let error = guard.seal().unwrap_err();
    assert_eq!(error.into_intents().len(), 2);

    let guard = scope().policy(panics_at(1)).enter();
    send::enqueue(1).unwrap();
    assert_eq!(guard.seal().unwrap_err().into_intents().len(), 1);

    // An async task is fine until it is known that it is not awaited.
    for mode in BOTH {
        let guard = scope().enter();
        send_async::enqueue(1).unwrap();
        let sealed = guard.seal().unwrap();
        match mode {
            FlushMode::Sync => assert_eq!(sealed.dispatch().unwrap_err().into_intents().len(), 1),
            FlushMode::Async => assert_eq!(block_on(sealed.dispatch_async()).unwrap().counts().dispatched, 1),
        }
    }
    assert_eq!(take_ran(), [1]);
}

#[test]
fn an_executor_is_told_the_mode_of_the_flush_and_its_deadline() {
    struct Asked(Recorder);
    impl Executor for Asked {
        fn name(&self) -> &str {
            "asked"
        }

        fn accepts(&self, _intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
            let left = flush.deadline.remaining().map(|left| left > Duration::from_secs(50));
            self.0.note(format!("{:?} {left:?}", flush.mode));
            Ok(())
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            self.0.dispatch(batch)
        }
    }
    let recorder = Recorder::new();
    let to = || scope().deadline(Duration::from_secs(60)).executor(Asked(recorder.clone()));
    to().run(|| send::enqueue(1).map(drop).unwrap()).unwrap();
    block_on(to().run_async(async { send::enqueue(2).map(drop).unwrap() })).unwrap();
    assert_eq!(recorder.calls(), ["Sync Some(true)", "p6.send(order_id=1)", "Async Some(true)", "p6.send(order_id=2)"]);
}
