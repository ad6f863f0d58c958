//! Promise 3: a future dropped during its flush. What was begun is unconfirmed, the rest unattempted, and `on_lost`
//! gets it.

use super::*;

/// Hands over some intents, begins one more, and waits for ever.
struct Stuck {
    recorder: Recorder,
    done: usize,
}

impl Executor for Stuck {
    fn name(&self) -> &str {
        "stuck"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            for _ in 0..self.done {
                let Some(begun) = batch.begin() else { return };
                self.recorder.note(begun.intent().to_string());
                begun.settle(Ok(()));
            }
            let _held = batch.begin();
            future::pending::<()>().await;
        })
    }
}

/// The intents of one lost error, after the name of its scope.
type LostOnes = (String, Vec<String>);

#[derive(Clone, Default)]
struct LostAndFound(Arc<Mutex<Vec<LostOnes>>>);

impl LostAndFound {
    fn configure(&self) {
        let found = self.clone();
        airlock::configure(Settings::new().on_lost(move |lost: Lost| {
            let scope = lost.scope().name().unwrap_or("nameless").to_owned();
            let intents = lost.intents().iter().map(Intent::to_string).collect();
            found.0.lock().unwrap().push((scope, intents));
        }));
    }

    /// What was lost since the last look, by one error: of which scope, and which intents.
    #[track_caller]
    fn take_one(&self) -> LostOnes {
        let mut found = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

/// Polls once, drops, and gives what was logged.
fn start_and_drop(future: impl Future) -> String {
    let mut future = Box::pin(future);
    assert!(future.as_mut().now_or_never().is_none(), "its flush waits");
    logged(|| drop(future)).1
}

#[track_caller]
fn assert_told(log: &str, task: &str, what: &str, count: usize) {
    let expected = format!("task=\"{task}\" what=\"{what}\" intents={count} ");
    let found = log.lines().filter(|line| line.starts_with("ERROR message=a flush error was dropped"));
    assert!(found.clone().any(|line| line.contains(&expected)), "no {expected} in:\n{log}");
}

#[test]
fn a_future_dropped_during_its_flush_loses_nothing_silently() {
    alone(|| {
        let (recorder, found, kept) = (Recorder::new(), LostAndFound::default(), Kept::default());
        found.configure();
        let to = || scope().name("cut").executor(Stuck { recorder: recorder.clone(), done: 1 });
        let body = || async {
            kept.keep();
            for order_id in 1..=4 {
                send::enqueue(order_id).unwrap();
            }
            send_local::enqueue(5).unwrap();
        };
        let guard = to().enter();
        body().now_or_never().unwrap();
        let sealed = guard.seal().unwrap();
        let flushes: [(&str, BoxFuture<'_, ()>); 3] = [
            ("run_async", Box::pin(to().run_async(body()).map(drop))),
            ("run_reported_async", Box::pin(to().run_reported_async(body()).map(drop))),
            ("dispatch_async", Box::pin(sealed.dispatch_async().map(drop))),
        ];
        for (count, (how, flush)) in flushes.into_iter().enumerate() {
            let log = start_and_drop(flush);
            assert_told(&log, "p3.send", "unconfirmed", 1);
            assert_told(&log, "p3.send", "not dispatched", 2);
            assert_told(&log, "p3.send_local", "not dispatched", 1);
            assert!(log.lines().count() == 3 && log.matches("scope `cut`").count() == 3, "{how}: {log}");
            let (scope, lost) = found.take_one();
            let unattempted = ["p3.send(order_id=3)", "p3.send(order_id=4)", "p3.send_local(order_id=5)"];
            assert_eq!(scope, "cut");
            assert_eq!(lost[..3], unattempted, "{how}: what was not begun, in order");
            assert_eq!(lost[3..], ["p3.send(order_id=2)"], "{how}: then what may have gone out");
            assert_eq!(recorder.calls(), vec!["p3.send(order_id=1)"; count + 1], "{how}");
        }
        assert_eq!(kept.phase(), Phase::Flushed);
    });
}

#[test]
fn an_inline_task_cut_in_its_flush_is_unconfirmed_and_the_ones_after_it_are_handed_over() {
    alone(|| {
        let found = LostAndFound::default();
        found.configure();
        let body = || async {
            send::enqueue(1).unwrap();
            hang::enqueue(2).unwrap();
            send::enqueue(3).unwrap();
        };
        let log = start_and_drop(scope().name("inline").run_async(body()));
        assert_told(&log, "p3.hang", "unconfirmed", 1);
        assert_told(&log, "p3.send", "not dispatched", 1);
        // The arguments of the one that was running moved into it.
        assert_eq!(found.take_one(), ("inline".to_owned(), vec!["p3.send(order_id=3)".to_owned()]));

        let log = start_and_drop(scope().name("reported").run_reported_async(body()));
        assert_told(&log, "p3.hang", "unconfirmed", 1);
        let lost = ["p3.send(order_id=3)", "p3.hang(order_id=2)"].map(str::to_owned);
        assert_eq!(found.take_one(), ("reported".to_owned(), lost.to_vec()));
    });
}

#[test]
fn a_local_task_cut_after_the_rest_was_handed_over_is_accounted_for_too() {
    #[airlock::task(name = "p3.hang_local", local)]
    async fn hang_local(order_id: u64) {
        hang(order_id).await;
    }

    alone(|| {
        let (recorder, found) = (Recorder::new(), LostAndFound::default());
        found.configure();
        let log = start_and_drop(scope().name("local").executor(recorder.clone()).run_reported_async(async {
            hang_local::enqueue(1).unwrap();
            send_local::enqueue(2).unwrap();
            send::enqueue(3).unwrap();
        }));
        assert_eq!(recorder.calls(), ["p3.send(order_id=3)"]);
        assert_told(&log, "p3.hang_local", "unconfirmed", 1);
        assert_told(&log, "p3.send_local", "not dispatched", 1);
        let lost = ["p3.send_local(order_id=2)", "p3.hang_local(order_id=1)"].map(str::to_owned);
        assert_eq!(found.take_one(), ("local".to_owned(), lost.to_vec()));
    });
}

#[test]
fn a_second_attempt_dropped_half_way_keeps_account_of_the_first() {
    alone(|| {
        let (recorder, found) = (Recorder::new(), LostAndFound::default());
        found.configure();
        let down = |intent: Intent| match intent.args::<send>() {
            Some((3,)) => Err(unavailable()),
            Some((2,)) => Err(DispatchError::unconfirmed("no answer")),
            _ => intent.call(),
        };
        let error = scope()
            .name("again")
            .executor(down)
            .run(|| {
                fail::enqueue(1).unwrap();
                (2..=5).for_each(|order_id| send::enqueue(order_id).map(drop).unwrap());
            })
            .unwrap_err();
        assert_eq!(error.undispatched().len(), 3);
        let stuck = Stuck { recorder: recorder.clone(), done: 1 };
        let log = start_and_drop(error.dispatch_async(&stuck));
        assert_eq!(recorder.calls(), ["p3.send(order_id=3)"]);
        assert_told(&log, "p3.fail", "failed", 1);
        assert_told(&log, "p3.send", "unconfirmed", 2);
        assert_told(&log, "p3.send", "not dispatched", 1);
        let lost = ["p3.send(order_id=5)", "p3.send(order_id=2)", "p3.send(order_id=4)"].map(str::to_owned);
        assert_eq!(found.take_one(), ("again".to_owned(), lost.to_vec()));
    });
}

#[test]
fn a_released_scope_dropped_during_its_flush_loses_its_own_and_leaves_the_rest() {
    alone(|| {
        let (recorder, found) = (Recorder::new(), LostAndFound::default());
        found.configure();
        let outer = scope().lifecycle(ReleaseNested).executor(recorder.clone()).enter();
        send::enqueue(1).unwrap();
        let stuck = Stuck { recorder: recorder.clone(), done: 0 };
        start_and_drop(scope().name("inner").executor(stuck).run_async(async {
            send::enqueue(2).unwrap();
        }));
        assert_eq!(found.take_one(), ("inner".to_owned(), vec!["p3.send(order_id=2)".to_owned()]));
        assert_eq!(outer.flush().unwrap().counts().dispatched, 1);
        assert_eq!(recorder.calls(), ["p3.send(order_id=1)"]);
    });
}

#[test]
fn a_batch_that_outlives_its_dropped_flush_gives_nothing_more() {
    /// Begins one intent and leaves the batch to somebody else, who may take as long as they like.
    struct Delegated(Arc<Mutex<Option<Batch>>>);

    impl Executor for Delegated {
        fn name(&self) -> &str {
            "delegated"
        }

        fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                batch.begin().expect("three wait").settle(Ok(()));
                *self.0.lock().unwrap() = Some(batch);
                future::pending::<()>().await;
            })
        }
    }

    alone(|| {
        let found = LostAndFound::default();
        found.configure();
        let batch = Arc::default();
        let log = start_and_drop(scope().name("left").executor(Delegated(Arc::clone(&batch))).run_async(async {
            (1..=3).for_each(|order_id| send::enqueue(order_id).map(drop).unwrap());
        }));
        let lost = ["p3.send(order_id=2)", "p3.send(order_id=3)"].map(str::to_owned);
        assert_eq!(found.take_one(), ("left".to_owned(), lost.to_vec()));
        assert_told(&log, "p3.send", "not dispatched", 2);
        // What `on_lost` has been given may be sent again: it must not go out here, too.
        let mut batch = batch.lock().unwrap().take().unwrap();
        assert!(!batch.deadline().has_passed(), "it is not the deadline that ends it");
        assert!(batch.begin().is_none());
    });
}
