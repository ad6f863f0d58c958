//! Promise 4: `local` tasks, which run here after the rest, and executors that fan out.

use super::*;

/// Traces on this thread what it is handed, as the tasks do that run here.
struct Tracing;

impl Executor for Tracing {
    fn name(&self) -> &str {
        "tracing"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                trace(format!("handed {}", number(begun.intent())));
                begun.settle(Ok(()));
            }
            trace("handed all".to_owned());
        })
    }
}

fn mixed() {
    step_local::enqueue(1).unwrap();
    enqueue(2);
    scope().run(|| step_local::enqueue(3).map(drop).unwrap()).unwrap();
    enqueue(4);
}

#[test]
fn local_tasks_run_here_after_the_rest_is_handed_over_in_their_own_order() {
    let after = ["handed 2", "handed 4", "handed all", "local 1", "local 3"];
    scope().executor(Tracing).run(mixed).unwrap();
    assert_eq!(take_trace(), after);
    block_on(scope().executor(Tracing).run_async(async { mixed() })).unwrap();
    assert_eq!(take_trace(), after);
    let report = scope().executor(Tracing).run_reported(mixed).flush.unwrap();
    assert_eq!(take_trace(), after);
    assert_eq!(reported(&report), up_to(4), "the report keeps the order of the calls");
}

#[test]
fn local_tasks_alone_never_reach_the_executor() {
    scope().executor(Tracing).run(|| step_local::enqueue(1).map(drop).unwrap()).unwrap();
    assert_eq!(take_trace(), ["local 1"]);
}

#[test]
fn a_nested_scope_does_not_split_off_its_local_tasks() {
    scope()
        .executor(Tracing)
        .run(|| {
            scope().executor(Tracing).run(mixed).unwrap();
            assert_eq!(take_trace(), [""; 0]);
            enqueue(5);
        })
        .unwrap();
    assert_eq!(take_trace(), ["handed 2", "handed 4", "handed 5", "handed all", "local 1", "local 3"]);
}

#[test]
fn an_executor_that_runs_here_anyway_keeps_local_tasks_in_their_place() {
    for checked in [false, true] {
        let executor = if checked { InlineExecutor::new().checked() } else { InlineExecutor::new() };
        scope().executor(executor).run(mixed).unwrap();
        assert_eq!(take_trace(), ["local 1", "step 2", "local 3", "step 4"]);
    }
    scope().executor(LogExecutor::new()).run(mixed).unwrap();
    assert_eq!(take_trace(), [""; 0], "a dry run runs nothing, local tasks included");
}

#[test]
fn inline_tasks_run_one_after_the_other_in_an_async_flush() {
    block_on(scope().run_async(async {
        step_async::enqueue(1).unwrap();
        enqueue(2);
        step_async::enqueue(3).unwrap();
    }))
    .unwrap();
    assert_eq!(take_trace(), ["async 1 starts", "async 1 ends", "step 2", "async 3 starts", "async 3 ends"]);
}

/// Gives each intent to the thread of its queue, which hands it over at its own pace.
struct FanOut {
    queues: [(&'static str, Numbers); 2],
}

impl Executor for FanOut {
    fn name(&self) -> &str {
        "fan-out"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let workers = self.queues.each_ref().map(|(queue, sent)| {
                let (give, given): (Sender<Begun>, _) = mpsc::channel();
                let sent = sent.clone();
                let worker = thread::spawn(move || {
                    for begun in given {
                        sent.0.lock().unwrap().push(number(begun.intent()));
                        begun.settle(Ok(()));
                        thread::yield_now();
                    }
                });
                (*queue, give, worker)
            });
            while let Some(begun) = batch.begin() {
                let queue = begun.intent().options().get_queue();
                let (_, give, _) = workers.iter().find(|(name, ..)| Some(*name) == queue).expect("a queue");
                give.send(begun).expect("the worker waits");
            }
            for (_, give, worker) in workers {
                drop(give);
                worker.join().expect("the worker is done");
            }
        })
    }
}

#[test]
fn a_fan_out_keeps_the_order_within_each_queue() {
    let (mail, audits) = (Numbers::default(), Numbers::default());
    let fan_out = FanOut { queues: [("mail", mail.clone()), ("audits", audits.clone())] };
    let enqueue_to = |queue: &'static str, n| step::enqueue_with(Options::new().queue(queue), n).map(drop).unwrap();
    let ended = scope().executor(fan_out).run_reported(|| {
        for n in 1..=100 {
            let call = || enqueue_to(if n % 3 == 0 { "audits" } else { "mail" }, n);
            if n % 5 == 0 { scope().run(call).unwrap() } else { call() }
        }
        step_local::enqueue(101).unwrap();
    });
    let report = ended.flush.unwrap();
    assert_eq!(report.counts().dispatched, 101);
    assert_eq!(reported(&report), up_to(101));
    let by_three = |wanted: bool| (1..=100).filter(|n| (n % 3 == 0) == wanted).collect::<Vec<u64>>();
    assert_eq!(mail.take(), by_three(false));
    assert_eq!(audits.take(), by_three(true));
    assert_eq!(take_trace(), ["local 101"]);
}

#[test]
fn a_batch_moved_to_another_thread_keeps_its_order() {
    struct Elsewhere(Recorder);
    impl Executor for Elsewhere {
        fn name(&self) -> &str {
            "elsewhere"
        }

        fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
            let (recorder, (done, wait)) = (self.0.clone(), oneshot::channel::<()>());
            let worker = thread::spawn(move || {
                while let Some(begun) = batch.begin() {
                    recorder.note(number(begun.intent()).to_string());
                    begun.settle(Ok(()));
                }
                drop(done);
            });
            Box::pin(async move {
                // Cancelled when the worker drops its end: that is its word.
                let _ = wait.await;
                worker.join().expect("the worker is done");
            })
        }
    }
    let recorder = Recorder::new();
    scope().executor(Elsewhere(recorder.clone())).run(|| up_to(50).into_iter().for_each(enqueue)).unwrap();
    assert_eq!(recorder.calls(), up_to(50).iter().map(u64::to_string).collect::<Vec<_>>());
}
