//! Tasks on a tokio runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::runtimes::runtime;
use crate::threads::{Probe, act, act_later, elsewhere, failures, flush, shut_down};
use airlock::{Deadline, Executor, TokioExecutor};
use airlock_tests::patience::{Gate, PATIENCE};

#[tokio::test]
async fn the_current_runtime_runs_async_and_plain_tasks() {
    let executor = TokioExecutor::new();
    let (probe, ran) = Probe::sending();
    let ended = airlock::scope().executor(executor.clone()).run_reported_async(async {
        act_later::enqueue(probe.clone(), 1).unwrap();
        act::enqueue(probe, 2).unwrap();
    });
    let report = ended.await.flush.unwrap();
    assert_eq!((report.counts().dispatched, report.executor()), (2, Some("tokio")));
    assert!(executor.shutdown(Deadline::after(PATIENCE)).await.is_empty());
    let mut all: Vec<_> = ran.try_iter().collect();
    all.sort_unstable();
    assert_eq!(all, [1, 2]);
}

#[tokio::test]
async fn a_task_of_the_runtime_may_use_the_runtime() {
    #[airlock::task(name = "local.sleeps")]
    async fn sleeps(probe: Probe) -> Result<(), String> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        (probe.0)(0)
    }

    let executor = TokioExecutor::new();
    let (probe, ran) = Probe::sending();
    let body = async { drop(sleeps::enqueue(probe)) };
    airlock::scope().executor(executor.clone()).run_async(body).await.unwrap();
    assert!(executor.shutdown(Deadline::after(PATIENCE)).await.is_empty());
    assert_eq!(ran.try_recv(), Ok(0));
}

#[test]
fn with_a_handle_it_works_from_a_sync_flush_outside_any_runtime() {
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone());
    let (probe, ran) = Probe::sending();
    let ended = airlock::scope().executor(executor.clone()).run_reported(|| {
        act_later::enqueue(probe.clone(), 1).unwrap();
        act::enqueue(probe, 2).unwrap();
    });
    assert_eq!(ended.flush.unwrap().counts().dispatched, 2);
    assert!(shut_down(&executor).is_empty());
    assert_eq!(ran.try_iter().sum::<u32>(), 3);
}

#[test]
fn without_a_runtime_it_refuses_and_says_what_to_do() {
    let (probe, _ran) = Probe::sending();
    let error = flush(airlock::scope().executor(TokioExecutor::new()), &probe, 0..2).unwrap_err();
    assert!(error.to_string().ends_with("rejected: there is no tokio runtime here; flush inside one, or give it one with `TokioExecutor::on(handle)`"), "{error}");
    assert_eq!(error.into_intents().len(), 2);
}

#[tokio::test]
async fn a_task_without_a_body_is_refused() {
    let body = async { drop(elsewhere::enqueue(1)) };
    let error = airlock::scope().executor(TokioExecutor::new()).run_async(body).await.unwrap_err();
    assert!(error.to_string().contains("it has no body in this program"));
    drop(error.into_intents());
}

#[test]
fn no_more_tasks_run_at_once_than_it_was_told_and_they_start_in_order() {
    let runtime = runtime();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(3);
    let probe = Probe::new({
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        move |_| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    flush(airlock::scope().executor(executor.clone()), &probe, 0..1000).unwrap();
    assert!(shut_down(&executor).is_empty());
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");

    let one = TokioExecutor::on(runtime.handle().clone()).concurrency(1);
    let (probe, ran) = Probe::sending();
    let ended = airlock::scope().executor(one.clone()).run_reported(|| {
        for n in 0..500 {
            if n % 3 == 0 { act::enqueue(probe.clone(), n) } else { act_later::enqueue(probe.clone(), n) }.unwrap();
        }
    });
    assert_eq!(ended.flush.unwrap().counts().dispatched, 500);
    assert!(shut_down(&one).is_empty());
    assert_eq!(ran.try_iter().collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
}

#[test]
fn errors_and_panics_go_to_the_handler() {
    let runtime = runtime();
    let (failures, on_error) = failures();
    let executor = TokioExecutor::on(runtime.handle().clone()).on_error(on_error);
    let probe = Probe::new(|n| match n {
        0 => Err("no stamps".to_owned()),
        1 => panic!("out of paper"),
        _ => Ok(()),
    });
    let ended = airlock::scope().executor(executor.clone()).run_reported(|| {
        for n in 0..3 {
            act::enqueue(probe.clone(), n).unwrap();
            act_later::enqueue(probe.clone(), n).unwrap();
        }
    });
    ended.flush.unwrap();
    assert!(shut_down(&executor).is_empty());
    let told: Vec<_> = failures.lock().unwrap().iter().map(ToString::to_string).collect();
    for text in [
        "local.act (tests",
        "local.act_later (tests",
        "the task failed: no stamps",
        "the task failed: panicked: out of paper",
    ] {
        assert_eq!(told.iter().filter(|line| line.contains(text)).count(), 2, "{text} in {told:?}");
    }
}

#[test]
fn a_full_queue_is_unavailable_after_the_deadline() {
    let (runtime, gate) = (runtime(), Gate::new());
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(1).queue_limit(2).named("narrow");
    let probe = Probe::new({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            Ok(())
        }
    });
    flush(airlock::scope().executor(executor.clone()), &probe, 0..1).unwrap();
    gate.await_waiting(1);
    let scope = airlock::scope().executor(executor.clone()).deadline(Duration::from_millis(50));
    let error = flush(scope, &probe, 1..6).unwrap_err();
    let counts = error.report().counts();
    assert_eq!((counts.dispatched, counts.failed, counts.unattempted, counts.unconfirmed), (2, 1, 2, 0));
    assert!(error.to_string().contains("unavailable: tokio executor `narrow` had no room"), "{error}");
    gate.open();
    assert_eq!(error.dispatch(&executor).unwrap().counts().dispatched, 3);
    assert!(shut_down(&executor).is_empty());
}

#[test]
fn a_shutdown_hands_back_what_had_not_started() {
    let (runtime, gate) = (runtime(), Gate::new());
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(2);
    let probe = Probe::new({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            Ok(())
        }
    });
    flush(airlock::scope().executor(executor.clone()), &probe, 0..6).unwrap();
    gate.await_waiting(2);
    let unfinished = airlock_tests::patience::block_on(executor.shutdown(Deadline::after(Duration::from_millis(20))));
    let numbers: Vec<_> = unfinished.intents.iter().map(|intent| intent.args::<act>().unwrap().1).collect();
    assert_eq!((unfinished.running, numbers), (2, vec![2, 3, 4, 5]));
    gate.open();
    let error = flush(airlock::scope().executor(executor), &probe, 0..1).unwrap_err();
    assert!(error.to_string().ends_with("unavailable: tokio executor was shut down; it takes nothing more"), "{error}");
    drop(error.into_intents());
}

#[test]
fn what_comes_just_as_the_last_worker_finds_nothing_is_not_left_lying() {
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(1);
    let (probe, ran) = Probe::sending();
    let hand_over = |n| {
        let ended = airlock::scope().executor(executor.clone()).run_reported(|| act_later::enqueue(probe.clone(), n));
        ended.flush.unwrap();
    };
    // The second comes sooner or later after the first: now and then just as the worker looks for more.
    for n in 0..10_000 {
        hand_over(0);
        (0..n % 500).for_each(|_| std::hint::spin_loop());
        hand_over(1);
        assert_eq!([ran.recv_timeout(PATIENCE), ran.recv_timeout(PATIENCE)], [Ok(0), Ok(1)]);
    }
}

#[test]
fn tasks_that_never_yield_leave_the_runtime_to_others_in_between() {
    #[airlock::task(name = "local.spins")]
    async fn spins(probe: Probe, n: u32) -> Result<(), String> {
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_micros(100) {
            std::hint::spin_loop();
        }
        (probe.0)(n)
    }

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(1);
    let done = Arc::new(AtomicUsize::new(0));
    let probe = Probe::new({
        let done = Arc::clone(&done);
        move |_| {
            done.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    });
    let ended = airlock::scope().executor(executor.clone()).run_reported(|| {
        (0..200).for_each(|n| drop(spins::enqueue(probe.clone(), n)));
    });
    ended.flush.unwrap();
    runtime.block_on(async {
        // It is polled once before the tasks begin, and then each time they make room.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!((1..200).contains(&done.load(Ordering::SeqCst)), "{done:?}");
        assert!(executor.shutdown(Deadline::after(PATIENCE)).await.is_empty());
    });
    assert_eq!(done.load(Ordering::SeqCst), 200);
}

#[test]
fn dropping_the_last_handle_loses_nothing() {
    let runtime = runtime();
    let (probe, ran) = Probe::sending();
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(1);
    flush(airlock::scope().executor(executor), &probe, 0..100).unwrap();
    assert_eq!((0..100).map(|_| ran.recv_timeout(PATIENCE).unwrap()).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
}
