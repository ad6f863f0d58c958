//! Runtimes that end, and what was on them or waited for them.

use airlock::{Deadline, DispatchErrorKind, Executor, TokioExecutor};
use airlock_tests::patience::{PATIENCE, eventually};

use crate::runtimes::runtime;
use crate::threads::{Probe, act, act_later, failures, flush, shut_down};

#[test]
fn a_runtime_that_ends_drops_what_runs_as_unconfirmed_and_leaves_what_waits_to_be_handed_back() {
    #[airlock::task(name = "local.never_ends")]
    async fn never_ends(probe: Probe) {
        let _ = (probe.0)(0);
        std::future::pending::<()>().await;
    }

    let runtime = runtime();
    let (failures, on_error) = failures();
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(1).on_error(on_error);
    let (probe, ran) = Probe::sending();
    let ended = airlock::scope().executor(executor.clone()).run_reported(|| {
        never_ends::enqueue(probe.clone()).unwrap();
        act::enqueue(probe.clone(), 1).unwrap();
        act::enqueue(probe.clone(), 2).unwrap();
    });
    assert_eq!(ended.flush.unwrap().counts().dispatched, 3);
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(0));
    drop(runtime);
    eventually("the dropped task is reported", || !failures.lock().unwrap().is_empty());
    let told: Vec<_> = failures.lock().unwrap().iter().map(|failure| failure.error.kind()).collect();
    assert_eq!(told, [DispatchErrorKind::Unconfirmed]);
    // Nothing more is accepted for a runtime that is gone.
    let error = flush(airlock::scope().executor(executor.clone()), &probe, 0..1).unwrap_err();
    assert!(error.to_string().ends_with("unavailable: the runtime of tokio executor has ended"), "{error}");
    drop(error.into_intents());
    assert_eq!(shut_down(&executor).intents.len(), 2);
}

/// An executor whose runtime has ended while it had nothing to do.
fn deserted() -> (TokioExecutor, Probe, std::sync::mpsc::Receiver<u32>) {
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone());
    let (probe, ran) = Probe::sending();
    flush(airlock::scope().executor(executor.clone()), &probe, 0..1).unwrap();
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(0));
    runtime.end();
    (executor, probe, ran)
}

#[test]
fn a_runtime_that_ended_while_nothing_ran_takes_nothing_more() {
    let (executor, probe, ran) = deserted();
    for _ in 0..2 {
        let error = flush(airlock::scope().executor(executor.clone()), &probe, 0..3).unwrap_err();
        assert!(error.to_string().ends_with("unavailable: the runtime of tokio executor has ended"), "{error}");
        assert_eq!(error.into_intents().len(), 3);
    }
    assert!(shut_down(&executor).is_empty());
    assert!(ran.try_recv().is_err());
    // Nor does one that had ended before it was ever used.
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone());
    runtime.end();
    let error = flush(airlock::scope().executor(executor), &probe, 0..1).unwrap_err();
    assert!(error.to_string().ends_with("the runtime of tokio executor has ended"), "{error}");
    drop(error.into_intents());
}

#[test]
fn a_shutdown_that_waits_for_a_runtime_hands_back_what_waits_when_the_runtime_ends() {
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone());
    let (probe, ran) = Probe::sending();
    let later = airlock::Options::new().delay(PATIENCE / 2);
    let ended = airlock::scope().executor(executor.clone()).run_reported(|| act::enqueue_with(later, probe, 0));
    assert_eq!(ended.flush.unwrap().counts().dispatched, 1);
    let start = std::time::Instant::now();
    let mut waiting = Box::pin(executor.shutdown(Deadline::after(PATIENCE)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    let unfinished = std::thread::scope(|threads| {
        let waits = threads.spawn(|| airlock_tests::patience::block_on(waiting));
        runtime.end();
        waits.join().unwrap()
    });
    assert_eq!((unfinished.intents.len(), unfinished.running), (1, 0));
    assert!(start.elapsed() < PATIENCE / 2);
    assert!(ran.try_recv().is_err());
}

#[test]
fn what_one_runtime_leaves_is_done_by_another_that_is_there() {
    #[airlock::task(name = "local.holds_on")]
    async fn holds_on(probe: Probe) {
        let _ = (probe.0)(0);
        std::future::pending::<()>().await;
    }

    let executor = TokioExecutor::new().concurrency(1);
    let (there, ends) = (runtime(), runtime());
    let (probe, ran) = Probe::sending();
    let flush_on = |runtime: &tokio::runtime::Runtime, enqueue: &dyn Fn()| {
        let _on = runtime.enter();
        airlock::scope().executor(executor.clone()).run(enqueue).unwrap();
    };
    flush_on(&there, &|| drop(act_later::enqueue(probe.clone(), 1)));
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(1));
    // Else it might go on with what is meant for the other one.
    eventually("its worker has ended, and what watches the runtime is left", || there.metrics().num_alive_tasks() == 1);
    flush_on(&ends, &|| {
        holds_on::enqueue(probe.clone()).unwrap();
        act_later::enqueue(probe.clone(), 2).unwrap();
    });
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(0));
    drop(ends);
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(2));
    assert!(shut_down(&executor).is_empty());
}

#[test]
fn an_executor_keeps_no_runtime_busy_once_it_is_gone() {
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone());
    let (probe, ran) = Probe::sending();
    flush(airlock::scope().executor(executor.clone()), &probe, 0..1).unwrap();
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(0));
    drop(executor);
    eventually("its tasks end", || runtime.metrics().num_alive_tasks() == 0);
}

#[test]
fn an_executor_without_a_runtime_of_its_own_goes_on_in_the_next_one() {
    let executor = TokioExecutor::new();
    for n in 0..3 {
        let runtime = runtime();
        let (probe, ran) = Probe::sending();
        runtime.block_on(async {
            let body = async { drop(act_later::enqueue(probe, n)) };
            airlock::scope().executor(executor.clone()).run_async(body).await.unwrap();
        });
        assert_eq!(ran.recv_timeout(PATIENCE), Ok(n));
    }
}
