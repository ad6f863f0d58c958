//! The thread pool.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use airlock::{
    Deadline, DispatchError, DispatchErrorKind, Executor, Failure, FlushError, FlushReport, ScopeBuilder,
    ThreadPoolExecutor,
};
use airlock_tests::patience::{Gate, PATIENCE};
use serde::{Deserialize, Serialize};

/// An argument that tasks act through: what a test wants to see of them travels with it.
#[derive(Clone)]
pub(crate) struct Probe(pub(crate) Arc<dyn Fn(u32) -> Result<(), String> + Send + Sync>);

impl Probe {
    pub(crate) fn new(act: impl Fn(u32) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(act))
    }

    /// Sends each number to the receiver.
    pub(crate) fn sending() -> (Self, mpsc::Receiver<u32>) {
        let (sender, receiver) = mpsc::channel();
        let sender: Mutex<Sender<u32>> = Mutex::new(sender);
        (Self::new(move |n| sender.lock().unwrap().send(n).map_err(|error| error.to_string())), receiver)
    }
}

impl Serialize for Probe {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it only lives in this process"))
    }
}

#[airlock::task(name = "local.act")]
pub(crate) fn act(probe: Probe, n: u32) -> Result<(), String> {
    (probe.0)(n)
}

#[airlock::task(name = "local.act_later")]
pub(crate) async fn act_later(probe: Probe, n: u32) -> Result<(), String> {
    (probe.0)(n)
}

#[airlock::task(name = "local.elsewhere")]
pub(crate) fn elsewhere(n: u32);

pub(crate) fn flush(
    scope: ScopeBuilder,
    probe: &Probe,
    numbers: std::ops::Range<u32>,
) -> Result<FlushReport, FlushError> {
    let ended = scope.run_reported(|| {
        for n in numbers {
            act::enqueue(probe.clone(), n).unwrap();
        }
    });
    ended.flush
}

/// Collects failures.
pub(crate) fn failures() -> (Arc<Mutex<Vec<Failure>>>, impl Fn(Failure) + Send + Sync + 'static) {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&failures);
    (failures, move |failure| sink.lock().unwrap().push(failure))
}

pub(crate) fn shut_down(executor: &impl Executor) -> airlock::Unfinished {
    airlock_tests::patience::block_on(executor.shutdown(Deadline::after(PATIENCE)))
}

#[test]
fn tasks_run_on_other_threads_and_start_in_the_order_they_were_handed_over() {
    let pool = ThreadPoolExecutor::new().threads(1).named("one");
    let here = thread::current().id();
    let (sender, started) = mpsc::channel();
    let sender = Mutex::new(sender);
    let probe = Probe::new(move |n| {
        assert_ne!(thread::current().id(), here);
        assert_eq!(thread::current().name(), Some("one-0"));
        sender.lock().unwrap().send(n).map_err(|error| error.to_string())
    });
    let report = flush(airlock::scope().executor(pool.clone()), &probe, 0..1000).unwrap();
    assert_eq!((report.counts().dispatched, report.executor()), (1000, Some("one")));
    assert!(shut_down(&pool).is_empty());
    assert_eq!(started.try_iter().collect::<Vec<_>>(), (0..1000).collect::<Vec<_>>());
}

#[test]
fn a_flush_does_not_wait_for_the_tasks() {
    let gate = Gate::new();
    let pool = ThreadPoolExecutor::new().threads(2);
    let probe = Probe::new({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            Ok(())
        }
    });
    flush(airlock::scope().executor(pool.clone()), &probe, 0..10).unwrap();
    gate.await_waiting(2);
    gate.open();
    assert!(shut_down(&pool).is_empty());
}

#[test]
fn errors_and_panics_go_to_the_handler_with_the_task_and_where_it_was_enqueued() {
    let (failures, on_error) = failures();
    let pool = ThreadPoolExecutor::new().threads(2).on_error(on_error);
    let probe = Probe::new(|n| match n {
        0 => Err("no stamps".to_owned()),
        1 => panic!("out of {}", "paper"),
        _ => Ok(()),
    });
    flush(airlock::scope().executor(pool.clone()), &probe, 0..3).unwrap();
    assert!(shut_down(&pool).is_empty());
    let told: Vec<_> = failures.lock().unwrap().iter().map(ToString::to_string).collect();
    assert!(
        told.len() == 2 && told.iter().all(|line| line.starts_with("local.act (tests/in_process/threads.rs:")),
        "{told:?}"
    );
    assert!(told.iter().any(|line| line.ends_with("): the task failed: no stamps")), "{told:?}");
    assert!(told.iter().any(|line| line.ends_with("): the task failed: panicked: out of paper")), "{told:?}");
    assert!(failures.lock().unwrap().iter().all(|failure| failure.error.kind() == DispatchErrorKind::TaskFailed));
}

#[test]
fn a_handler_that_panics_costs_no_thread() {
    let pool = ThreadPoolExecutor::new().threads(1).on_error(|_| panic!("and the handler too"));
    let (probe, ran) = Probe::sending();
    let failing = Probe::new(|_| Err("no".to_owned()));
    flush(airlock::scope().executor(pool.clone()), &failing, 0..3).unwrap();
    flush(airlock::scope().executor(pool.clone()), &probe, 7..8).unwrap();
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(7));
    assert!(shut_down(&pool).is_empty());
}

#[test]
fn async_tasks_run_each_on_a_thread_until_they_end() {
    let pool = ThreadPoolExecutor::new().threads(2);
    let (probe, ran) = Probe::sending();
    let ended = airlock::scope().executor(pool.clone()).run_reported(|| drop(act_later::enqueue(probe, 5)));
    assert_eq!(ended.flush.unwrap().counts().dispatched, 1);
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(5));
    assert!(shut_down(&pool).is_empty());
}

#[test]
fn a_task_without_a_body_is_refused_before_anything_runs() {
    let pool = ThreadPoolExecutor::new().threads(1);
    let (probe, ran) = Probe::sending();
    let ended = airlock::scope().executor(pool.clone()).run_reported(|| {
        act::enqueue(probe, 1).unwrap();
        elsewhere::enqueue(2).unwrap();
    });
    let error = ended.flush.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("rejected: it has no body in this program; give the scope an executor that sends it")
    );
    assert_eq!(error.into_intents().len(), 2);
    assert!(shut_down(&pool).is_empty());
    assert!(ran.try_recv().is_err());
}

#[test]
fn a_full_queue_waits_up_to_the_deadline_and_is_then_unavailable_with_nothing_unconfirmed() {
    let gate = Gate::new();
    let pool = ThreadPoolExecutor::new().threads(1).queue_limit(2).named("narrow");
    let probe = blocking(&gate);
    flush(airlock::scope().executor(pool.clone()), &probe, 0..1).unwrap();
    gate.await_waiting(1);
    let deadline = Duration::from_millis(100);
    let start = Instant::now();
    let error = flush(airlock::scope().executor(pool.clone()).deadline(deadline), &probe, 1..6).unwrap_err();
    assert!(start.elapsed() >= deadline);
    let counts = error.report().counts();
    assert_eq!((counts.dispatched, counts.failed, counts.unattempted, counts.unconfirmed), (2, 1, 2, 0));
    let text = error.to_string();
    assert!(
        text.contains("unavailable: thread pool `narrow` had no room until the flush ended (it holds 2, and"),
        "{text}"
    );
    gate.open();
    // They are all there still, and go out once there is room.
    assert_eq!(error.dispatch(&pool).unwrap().counts().dispatched, 3);
    assert!(shut_down(&pool).is_empty());
}

#[test]
fn a_flush_without_a_report_gives_back_the_same_intents() {
    let gate = Gate::new();
    let pool = ThreadPoolExecutor::new().threads(1).queue_limit(2);
    let probe = blocking(&gate);
    flush(airlock::scope().executor(pool.clone()), &probe, 0..1).unwrap();
    gate.await_waiting(1);
    let scope = airlock::scope().executor(pool.clone()).deadline(Duration::from_millis(20));
    let error = scope.run(|| (1..6).for_each(|n| drop(act::enqueue(probe.clone(), n)))).unwrap_err();
    let numbers: Vec<_> = error.undispatched().iter().map(|intent| intent.args::<act>().unwrap().1).collect();
    assert_eq!((numbers, error.report().counts().dispatched), (vec![3, 4, 5], 2));
    gate.open();
    let unfinished = shut_down(&pool);
    assert!(unfinished.is_empty());
    let error = error.dispatch(&pool).unwrap_err();
    assert_eq!(error.into_intents().len(), 3);
}

#[test]
fn a_flush_that_waits_for_room_goes_on_as_soon_as_there_is_some() {
    let gate = Gate::new();
    let pool = ThreadPoolExecutor::new().threads(1).queue_limit(1);
    let probe = blocking(&gate);
    flush(airlock::scope().executor(pool.clone()), &probe, 0..1).unwrap();
    gate.await_waiting(1);
    thread::scope(|scope| {
        let flushes: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| flush(airlock::scope().executor(pool.clone()).deadline(PATIENCE), &probe, 0..50)))
            .collect();
        gate.open();
        for flush in flushes {
            assert_eq!(flush.join().unwrap().unwrap().counts().dispatched, 50);
        }
    });
    assert!(shut_down(&pool).is_empty());
}

#[test]
fn a_shutdown_finishes_what_it_can_until_the_deadline_and_hands_back_the_rest_in_order() {
    let gate = Gate::new();
    let pool = ThreadPoolExecutor::new().threads(2);
    let probe = blocking(&gate);
    flush(airlock::scope().executor(pool.clone()), &probe, 0..10).unwrap();
    gate.await_waiting(2);
    let unfinished = airlock_tests::patience::block_on(pool.shutdown(Deadline::after(Duration::from_millis(50))));
    assert_eq!(unfinished.running, 2);
    let numbers: Vec<_> = unfinished.intents.iter().map(|intent| intent.args::<act>().unwrap().1).collect();
    assert_eq!(numbers, (2..10).collect::<Vec<_>>());
    // What is given back can go another way.
    gate.open();
    for intent in unfinished.intents {
        intent.call().unwrap();
    }
}

#[test]
fn after_a_shutdown_everything_is_unavailable_and_a_second_shutdown_has_nothing() {
    let pool = ThreadPoolExecutor::new().threads(1);
    let (probe, _ran) = Probe::sending();
    flush(airlock::scope().executor(pool.clone()), &probe, 0..3).unwrap();
    assert!(shut_down(&pool).is_empty());
    let error = flush(airlock::scope().executor(pool.clone()), &probe, 0..3).unwrap_err();
    assert!(error.to_string().ends_with("unavailable: thread pool was shut down; it takes nothing more"), "{error}");
    assert_eq!((error.undispatched().len(), error.report().counts().unattempted), (3, 2));
    drop(error.into_intents());
    assert!(shut_down(&pool).is_empty());
}

#[test]
fn dropping_the_last_handle_waits_for_nothing_and_loses_nothing() {
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
    let pool = ThreadPoolExecutor::new().threads(1);
    flush(airlock::scope().executor(pool), &probe, 0..5).unwrap();
    drop(probe);
    gate.open();
    assert_eq!((0..5).map(|_| ran.recv_timeout(PATIENCE).unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    // The threads end with the last of it, and drop what they had.
    assert_eq!(ran.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn a_task_may_flush_to_the_pool_it_runs_on() {
    static POOL: LazyLock<ThreadPoolExecutor> = LazyLock::new(|| ThreadPoolExecutor::new().threads(1));

    #[airlock::task(name = "local.goes_on")]
    fn goes_on(probe: Probe, steps: u32) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if steps == 0 {
            return Ok((probe.0)(0)?);
        }
        airlock::scope()
            .executor(POOL.clone())
            .run(|| goes_on::enqueue(probe, steps - 1).map(drop).map_err(airlock::Error::from))?;
        Ok(())
    }

    let (probe, ran) = Probe::sending();
    airlock::scope().executor(POOL.clone()).run(|| drop(goes_on::enqueue(probe, 3))).unwrap();
    assert_eq!(ran.recv_timeout(PATIENCE), Ok(0));
}

#[test]
fn one_pool_in_a_static_serves_many_threads() {
    static POOL: LazyLock<ThreadPoolExecutor> = LazyLock::new(ThreadPoolExecutor::new);

    let (probe, ran) = Probe::sending();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| flush(airlock::scope().executor(POOL.clone()), &probe, 0..100).unwrap());
        }
    });
    assert_eq!((0..400).map(|_| ran.recv_timeout(PATIENCE).unwrap()).sum::<u32>(), 4 * (0..100).sum::<u32>());
}

#[test]
fn a_flush_dropped_while_it_waits_for_room_is_known_not_to_have_been_accepted() {
    let gate = Gate::new();
    let pool = ThreadPoolExecutor::new().threads(1).queue_limit(1);
    let probe = blocking(&gate);
    flush(airlock::scope().executor(pool.clone()), &probe, 0..1).unwrap();
    gate.await_waiting(1);
    let body = async {
        for n in 1..4 {
            act::enqueue(probe.clone(), n).unwrap();
        }
    };
    let mut flushing = Box::pin(airlock::scope().executor(pool.clone()).deadline(PATIENCE).run_reported_async(body));
    assert!(flushing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let (_, log) = airlock_tests::log::logged(|| drop(flushing));
    assert!(log.contains(r#"what="not dispatched" intents=2"#) && !log.contains("unconfirmed"), "{log}");
    gate.open();
    assert!(shut_down(&pool).is_empty());
}

#[test]
fn as_many_threads_wake_as_there_is_work_for() {
    let pool = ThreadPoolExecutor::new().threads(4);
    for _ in 0..300 {
        let gate = Gate::new();
        flush(airlock::scope().executor(pool.clone()), &blocking(&gate), 0..4).unwrap();
        gate.await_waiting(4);
        gate.open();
    }
    assert!(shut_down(&pool).is_empty());
}

#[test]
fn a_flush_that_waits_for_room_hears_of_a_shutdown_at_once() {
    for delay in [Duration::ZERO, Duration::from_secs(3600)] {
        let gate = Gate::new();
        let pool = ThreadPoolExecutor::new().threads(1).queue_limit(1).delayed_limit(1);
        let probe = blocking(&gate);
        flush(airlock::scope().executor(pool.clone()), &probe, 0..1).unwrap();
        gate.await_waiting(1);
        let body = async {
            for n in 1..4 {
                act::enqueue_with(airlock::Options::new().delay(delay), probe.clone(), n).unwrap();
            }
        };
        let mut flushing =
            Box::pin(airlock::scope().executor(pool.clone()).deadline(PATIENCE).run_reported_async(body));
        let flag = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&flag));
        assert!(flushing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let unfinished = airlock_tests::patience::block_on(pool.shutdown(Deadline::after(Duration::ZERO)));
        assert_eq!((unfinished.intents.len(), unfinished.running), (1, 1));
        assert!(flag.0.load(Ordering::SeqCst), "{delay:?}");
        let Poll::Ready(ended) = flushing.as_mut().poll(&mut Context::from_waker(&waker)) else {
            panic!("it still waits")
        };
        let error = ended.flush.unwrap_err();
        assert!(error.to_string().contains("thread pool was shut down; it takes nothing more"), "{error}");
        assert_eq!(error.into_intents().len(), 2);
        gate.open();
    }
}

/// Whether it was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_queue_takes_memory_only_as_it_fills() {
    let probe = Probe::new(|_| Ok(()));
    let runtime = crate::runtimes::runtime();
    let tokio = airlock::TokioExecutor::on(runtime.handle().clone()).queue_limit(usize::MAX);
    let pool = ThreadPoolExecutor::new().threads(1).queue_limit(usize::MAX).delayed_limit(usize::MAX);
    for executor in [Arc::new(pool) as Arc<dyn Executor>, Arc::new(tokio)] {
        let measured = allocation_counter::measure(|| {
            flush(airlock::scope().executor(Arc::clone(&executor)), &probe, 0..1).unwrap();
        });
        assert!(measured.bytes_max < 100_000, "{measured:?}");
        assert!(shut_down(&executor).is_empty());
    }
}

/// Tasks that wait at the gate.
pub(crate) fn blocking(gate: &Gate) -> Probe {
    let gate = gate.clone();
    Probe::new(move |_| {
        gate.pass();
        Ok(())
    })
}

#[test]
#[should_panic(expected = "a thread pool needs a thread; use 1 or more")]
fn a_pool_without_a_thread_is_a_mistake() {
    let _ = ThreadPoolExecutor::new().threads(0);
}

#[test]
fn an_error_of_the_pool_has_a_kind_that_can_be_retried() {
    let pool = ThreadPoolExecutor::new().threads(1);
    let (probe, _ran) = Probe::sending();
    assert!(shut_down(&pool).is_empty());
    let error = flush(airlock::scope().executor(pool), &probe, 0..1).unwrap_err();
    let kinds: Vec<_> = error.report().entries().iter().map(|entry| entry.outcome().to_string()).collect();
    assert!(kinds[0].starts_with(&DispatchError::unavailable("x").to_string()), "{kinds:?}");
    drop(error.into_intents());
}
