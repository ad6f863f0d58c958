//! Work with a time to start at, and a time after which it isn't worth it.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use airlock::testing::{Fault, FaultExecutor};
use airlock::{Deadline, DispatchErrorKind, Executor, Intent, Options, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::{Gate, PATIENCE, block_on};

use crate::promise_13_kinds::note;
use crate::threads::{Probe, act, failures, shut_down};

type Both = [(&'static str, Arc<dyn Executor>); 2];

/// Both executors, by a name for messages; the runtime has to live as long as the second one.
fn both() -> (tokio::runtime::Runtime, Both) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let tokio = TokioExecutor::on(runtime.handle().clone());
    (runtime, [("threads", Arc::new(ThreadPoolExecutor::new().threads(1))), ("tokio", Arc::new(tokio))])
}

fn enqueue_all(executor: &Arc<dyn Executor>, probe: &Probe, options: impl IntoIterator<Item = Options>) {
    let ended = airlock::scope().executor(Arc::clone(executor)).run_reported(|| {
        for (n, options) in (0..).zip(options) {
            act::enqueue_with(options, probe.clone(), n).unwrap();
        }
    });
    ended.flush.unwrap();
}

#[test]
fn delayed_work_starts_when_it_is_its_time_and_not_before() {
    let (_runtime, executors) = both();
    for (name, executor) in executors {
        let (sender, started) = mpsc::channel();
        let sender = Mutex::new(sender);
        let probe =
            Probe::new(move |n| sender.lock().unwrap().send((n, Instant::now())).map_err(|error| error.to_string()));
        let start = Instant::now();
        let delay = |millis| Options::new().delay(Duration::from_millis(millis));
        enqueue_all(&executor, &probe, [delay(60), delay(20), Options::new(), delay(0)]);
        let mut started: Vec<_> = (0..4).map(|_| started.recv_timeout(PATIENCE).unwrap()).collect();
        // On a busy machine they may all be late, and then run side by side.
        started.sort_unstable();
        for (index, millis) in [60, 20, 0, 0].into_iter().enumerate() {
            let (n, at) = started[index];
            assert_eq!(n as usize, index, "{name}");
            assert!(at - start >= Duration::from_millis(millis), "{name}: {n}");
        }
        assert!(shut_down(&executor).is_empty());
    }
}

#[test]
fn an_eta_in_the_past_is_now() {
    let (_runtime, executors) = both();
    for (_, executor) in executors {
        let (probe, ran) = Probe::sending();
        enqueue_all(&executor, &probe, [Options::new().eta(SystemTime::UNIX_EPOCH)]);
        assert_eq!(ran.recv_timeout(PATIENCE), Ok(0));
    }
}

#[test]
fn what_has_expired_when_its_turn_comes_is_dropped_and_reported_with_the_intent() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (failed, on_error) = failures();
    let pool = ThreadPoolExecutor::new().threads(1).on_error(on_error);
    let (failed_there, on_error) = failures();
    let tokio = TokioExecutor::on(runtime.handle().clone()).concurrency(1).on_error(on_error);
    let both: [(Arc<dyn Executor>, _); 2] = [(Arc::new(pool), failed), (Arc::new(tokio), failed_there)];
    for (executor, failures) in both {
        let gate = Gate::new();
        let (sender, ran) = mpsc::channel();
        let sender = Mutex::new(sender);
        let probe = Probe::new({
            let gate = gate.clone();
            move |n| {
                gate.pass();
                sender.lock().unwrap().send(n).map_err(|error| error.to_string())
            }
        });
        let soon = Duration::from_millis(1);
        let long = Duration::from_secs(3600);
        let expiring = [
            Options::new(),
            Options::new().expires_in(soon),
            Options::new().expires_at(SystemTime::now()),
            Options::new().expires_in(long),
        ];
        enqueue_all(&executor, &probe, expiring);
        gate.await_waiting(1);
        let expired = Instant::now() + soon;
        airlock_tests::patience::eventually("the second one has expired", || Instant::now() > expired);
        gate.open();
        assert!(shut_down(&executor).is_empty());
        assert_eq!(ran.try_iter().collect::<Vec<_>>(), [0, 3]);
        let failures = failures.lock().unwrap();
        let numbers: Vec<_> =
            failures.iter().map(|failure| failure.intent.as_ref().and_then(Intent::args::<act>).unwrap().1).collect();
        assert_eq!(numbers, [1, 2]);
        for failure in &*failures {
            assert_eq!(failure.error.kind(), DispatchErrorKind::Rejected);
            assert!(failure.to_string().ends_with("rejected: it expired before its turn came"), "{failure}");
        }
    }
}

#[test]
fn durations_count_from_the_first_hand_over_also_when_it_is_handed_over_again() {
    let down = FaultExecutor::new().then(1, Fault::Unavailable);
    let options = Options::new().delay(Duration::from_secs(3600)).expires_in(Duration::from_secs(7200));
    let before = SystemTime::now();
    let ended = airlock::scope().executor(down.clone()).run_reported(|| drop(note::enqueue_with(options, 0)));
    let error = ended.flush.unwrap_err();
    let handed_over = error.undispatched()[0].handed_over().unwrap();
    assert!(handed_over >= before - Duration::from_millis(1) && handed_over <= SystemTime::now());
    let earlier = SystemTime::UNIX_EPOCH;
    let start = error.undispatched()[0].starts_at(earlier).unwrap();
    assert_eq!(start, handed_over + Duration::from_secs(3600));
    error.dispatch(&down).unwrap();
    let intent = &down.accepted()[0];
    assert_eq!(intent.handed_over(), Some(handed_over));
    assert_eq!(intent.starts_at(SystemTime::now()), Some(start));
    assert_eq!(intent.expires_at(SystemTime::now()), Some(handed_over + Duration::from_secs(7200)));
}

#[test]
fn before_the_first_hand_over_durations_count_from_now_and_times_are_times() {
    #[airlock::task(name = "local.reminds", delay = "5m", expires = "1h")]
    fn reminds() {}

    let now = SystemTime::now();
    let intent = reminds::intent();
    assert_eq!(intent.handed_over(), None);
    assert_eq!(intent.starts_at(now), Some(now + Duration::from_secs(300)));
    assert_eq!(intent.expires_at(now), Some(now + Duration::from_secs(3600)));
    let down = FaultExecutor::new();
    airlock::scope().executor(down.clone()).run(|| drop(reminds::enqueue())).unwrap();
    assert!(down.accepted()[0].handed_over().is_some());
    let fixed = now + Duration::from_secs(10);
    assert_eq!(note::intent(0).starts_at(now), None);
    let options = Options::new().eta(fixed).expires_in(Duration::MAX);
    airlock::scope().executor(down.clone()).run(|| drop(note::enqueue_with(options, 0))).unwrap();
    let intent = &down.accepted()[1];
    assert_eq!(intent.starts_at(now), Some(fixed));
    assert!(intent.expires_at(now).unwrap() > now + Duration::from_secs(1 << 32));
}

#[test]
fn delayed_work_has_room_of_its_own_and_no_more() {
    let pool = ThreadPoolExecutor::new().threads(1).queue_limit(1).delayed_limit(3);
    let (probe, ran) = Probe::sending();
    let later = || Options::new().delay(Duration::from_secs(3600));
    let scope = airlock::scope().executor(pool.clone()).deadline(Duration::from_millis(50));
    let ended = scope.run_reported(|| {
        for n in 0..5 {
            act::enqueue_with(later(), probe.clone(), n).unwrap();
        }
    });
    let error = ended.flush.unwrap_err();
    assert_eq!((error.report().counts().dispatched, error.undispatched().len()), (3, 2));
    assert!(error.to_string().contains("(it holds 1, and 3 delayed)"), "{error}");
    drop(error.into_intents());
    // They keep nothing out that runs now.
    airlock::scope().executor(pool).run(|| drop(act::enqueue(probe, 9))).unwrap();
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(9));
}

#[test]
fn a_shutdown_does_not_wait_for_what_starts_after_its_deadline_and_does_for_the_rest() {
    let (_runtime, executors) = both();
    for (name, executor) in executors {
        let (probe, ran) = Probe::sending();
        let delay = |time| Options::new().delay(time);
        enqueue_all(&executor, &probe, [delay(Duration::from_secs(3600)), delay(Duration::from_millis(30))]);
        let start = Instant::now();
        let unfinished = block_on(executor.shutdown(Deadline::after(PATIENCE)));
        assert!(start.elapsed() < PATIENCE, "{name}");
        assert_eq!(ran.try_iter().collect::<Vec<_>>(), [1], "{name}");
        assert_eq!((unfinished.intents.len(), unfinished.running), (1, 0), "{name}");
        assert_eq!(unfinished.intents[0].args::<act>().unwrap().1, 0);
    }
}

#[test]
fn delayed_work_outlives_the_last_handle() {
    let (runtime, executors) = both();
    for (name, executor) in executors {
        let (probe, ran) = Probe::sending();
        enqueue_all(&executor, &probe, [Options::new().delay(Duration::from_millis(20))]);
        drop((executor, probe));
        assert_eq!(ran.recv_timeout(PATIENCE), Ok(0), "{name}");
    }
    drop(runtime);
}

#[test]
fn a_delay_beyond_all_calendars_is_refused_before_anything_runs() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let executors: [Arc<dyn Executor>; 4] = [
        Arc::new(ThreadPoolExecutor::new()),
        Arc::new(ThreadPoolExecutor::new().ignore_unsupported()),
        Arc::new(TokioExecutor::on(runtime.handle().clone())),
        Arc::new(TokioExecutor::on(runtime.handle().clone()).ignore_unsupported()),
    ];
    for executor in executors {
        let ended = airlock::scope().executor(executor).run_reported(|| {
            note::enqueue(0).unwrap();
            note::enqueue_with(Options::new().delay(Duration::MAX), 1).unwrap();
        });
        let error = ended.flush.unwrap_err();
        assert!(error.to_string().contains("`delay` ends after the year 9998"), "{error}");
        assert_eq!(error.undispatched().len(), 2);
    }
}
