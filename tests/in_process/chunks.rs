//! A flush gives over chunks: what is special about an intent in the middle of one is not lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use airlock::{Deadline, Executor, Options, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::{Gate, PATIENCE, block_on};

use crate::threads::{Probe, act, blocking, shut_down};

const AN_HOUR: Duration = Duration::from_secs(3600);

/// Both executors, with one worker; the runtime has to live as long as the second one.
fn both() -> (tokio::runtime::Runtime, [Arc<dyn Executor>; 2]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let tokio = TokioExecutor::on(runtime.handle().clone()).concurrency(1);
    (runtime, [Arc::new(ThreadPoolExecutor::new().threads(1)), Arc::new(tokio)])
}

/// What a shutdown hands back that does not wait.
fn handed_back(executor: &Arc<dyn Executor>) -> Vec<String> {
    let unfinished = block_on(executor.shutdown(Deadline::after(Duration::ZERO)));
    unfinished.intents.iter().map(|intent| intent.to_string()).collect()
}

#[test]
fn a_delay_of_the_attribute_holds_where_no_call_has_options() {
    #[airlock::task(name = "local.in_an_hour", delay = "1h")]
    fn in_an_hour(probe: Probe, n: u32) {
        drop((probe.0)(n));
    }

    let (_runtime, executors) = both();
    for executor in executors {
        let (probe, ran) = Probe::sending();
        let body = || {
            act::enqueue(probe.clone(), 0).unwrap();
            in_an_hour::enqueue(probe.clone(), 1).unwrap();
            act::enqueue(probe.clone(), 2).unwrap();
        };
        airlock::scope().executor(Arc::clone(&executor)).run(body).unwrap();
        assert_eq!([ran.recv_timeout(PATIENCE), ran.recv_timeout(PATIENCE)], [Ok(0), Ok(2)]);
        assert_eq!(handed_back(&executor), ["local.in_an_hour(probe=null, n=1)"]);
        assert!(ran.try_recv().is_err());
    }
}

#[test]
fn timings_come_with_each_intent_that_is_taken() {
    let (_runtime, executors) = both();
    for executor in executors {
        let (probe, _ran) = Probe::sending();
        let scope = airlock::scope().timings(true).executor(Arc::clone(&executor));
        let ended = scope.run_reported(|| {
            for n in 0..300 {
                act::enqueue(probe.clone(), n).unwrap();
            }
        });
        let report = ended.flush.unwrap();
        assert_eq!(report.entries().iter().filter(|entry| entry.time().is_some()).count(), 300);
        assert!(shut_down(&executor).is_empty());
    }
}

#[test]
fn delayed_work_between_other_work_is_taken_whole_and_in_order() {
    let (_runtime, executors) = both();
    for executor in executors {
        let (probe, ran) = Probe::sending();
        let body = || {
            for n in 0..600 {
                let options = if n % 3 == 1 { Options::new().delay(AN_HOUR) } else { Options::new() };
                act::enqueue_with(options, probe.clone(), n).unwrap();
            }
        };
        airlock::scope().executor(Arc::clone(&executor)).run(body).unwrap();
        let started: Vec<_> = (0..400).map(|_| ran.recv_timeout(PATIENCE).unwrap()).collect();
        assert_eq!(started, (0..600).filter(|n| n % 3 != 1).collect::<Vec<_>>());
        let late = (0..600).filter(|n| n % 3 == 1).map(|n| format!("local.act(probe=null, n={n})"));
        assert_eq!(handed_back(&executor), late.collect::<Vec<_>>());
    }
}

#[test]
fn delayed_work_that_waits_for_room_is_taken_when_its_time_has_come() {
    let pool = ThreadPoolExecutor::new().threads(1).delayed_limit(1);
    let (probe, ran) = Probe::sending();
    let enqueue = |delay| {
        let scope = airlock::scope().executor(pool.clone()).deadline(AN_HOUR);
        scope.run(|| drop(act::enqueue_with(Options::new().delay(delay), probe.clone(), 1))).unwrap();
    };
    enqueue(AN_HOUR);
    // There is no room among the delayed for an hour.
    let start = Instant::now();
    enqueue(Duration::from_millis(50));
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(1));
    assert!(start.elapsed() >= Duration::from_millis(50));
    let unfinished = block_on(pool.shutdown(Deadline::after(Duration::ZERO)));
    assert_eq!(unfinished.intents.len(), 1);
}

#[test]
fn a_shutdown_hands_back_whatever_waits_in_the_order_of_the_calls() {
    let (_runtime, executors) = both();
    for executor in executors {
        let gate = Gate::new();
        let probe = blocking(&gate);
        let flush = |numbers: std::ops::Range<u32>| {
            let body = || {
                for n in numbers {
                    let options = if n % 100 == 99 { Options::new().delay(AN_HOUR) } else { Options::new() };
                    act::enqueue_with(options, probe.clone(), n).unwrap();
                }
            };
            airlock::scope().executor(Arc::clone(&executor)).run(body).unwrap();
        };
        // Alone and by the hundred, one of each kind of run under way.
        flush(0..1);
        gate.await_waiting(1);
        (1..20).for_each(|n| flush(n..n + 1));
        flush(20..420);
        (420..440).for_each(|n| flush(n..n + 1));
        let expected: Vec<_> = (1..440).map(|n| format!("local.act(probe=null, n={n})")).collect();
        assert_eq!(handed_back(&executor), expected);
        gate.open();
    }
}

#[test]
fn what_waits_takes_little_memory_however_it_came() {
    let gate = Gate::new();
    let probe = blocking(&gate);
    let pool = ThreadPoolExecutor::new().threads(1);
    let scope = || airlock::scope().executor(pool.clone());
    scope().run(|| drop(act::enqueue(probe.clone(), 0))).unwrap();
    gate.await_waiting(1);
    let kept = |flushes: u32, each: u32, of: u32| {
        let measured = allocation_counter::measure(|| {
            for _ in 0..flushes {
                // The policy drops most of what was enqueued.
                let policy = move |intent: &airlock::Intent| intent.args::<act>().is_some_and(|args| args.1 < each);
                let body = || (0..of).for_each(|n| drop(act::enqueue(probe.clone(), n)));
                scope().policy(policy).run(body).unwrap();
            }
        });
        measured.bytes_current / i64::from(flushes * each)
    };
    // An intent and what it owns take 64 and 72 bytes.
    assert!(kept(2_000, 1, 1) < 300);
    assert!(kept(2, 100, 100_000) < 300);
    gate.open();
    assert!(block_on(pool.shutdown(Deadline::after(PATIENCE))).is_empty());
}
