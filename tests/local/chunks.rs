//! A flush gives over chunks: what is special about an intent in the middle of one is not lost.

use std::sync::Arc;
use std::time::Duration;

use airlock::{Deadline, Executor, Options, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::{PATIENCE, block_on};

use crate::threads::{Probe, act, shut_down};

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
    enqueue(Duration::from_millis(50));
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(1));
    let unfinished = block_on(pool.shutdown(Deadline::after(Duration::ZERO)));
    assert_eq!(unfinished.intents.len(), 1);
}
