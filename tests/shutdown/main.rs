//! `airlock::shutdown` drains everything that was used in its process, so that each test here has it for itself.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use airlock::{
    Batch, BoxFuture, Deadline, Executor, Fallback, InlineExecutor, Intent, Options, Retry, Route, Settings,
    ThreadPoolExecutor, TokioExecutor, Unfinished,
};
use airlock_tests::patience::{Gate, PATIENCE};

static GATE: Mutex<Option<Gate>> = Mutex::new(None);

#[airlock::task(name = "shutdown.waits")]
fn waits(n: u32) {
    let _ = n;
    let gate = GATE.lock().unwrap().clone();
    if let Some(gate) = gate {
        gate.pass();
    }
}

/// The gate that tasks wait at, for one test at a time.
fn alone() -> (MutexGuard<'static, ()>, Gate) {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let gate = Gate::new();
    *GATE.lock().unwrap() = Some(gate.clone());
    (alone, gate)
}

fn flush(executor: impl Executor, numbers: std::ops::Range<u32>) {
    airlock::scope().executor(executor).run(|| numbers.for_each(|n| drop(waits::enqueue(n)))).unwrap();
}

fn numbers(unfinished: &Unfinished) -> Vec<u32> {
    let mut numbers: Vec<_> = unfinished.intents.iter().map(|intent| intent.args::<waits>().unwrap().0).collect();
    numbers.sort_unstable();
    numbers
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
}

#[test]
fn every_executor_that_was_used_finishes_its_work() {
    let (_alone, gate) = alone();
    let runtime = runtime();
    flush(ThreadPoolExecutor::new().threads(1), 0..10);
    flush(Route::new().otherwise(TokioExecutor::on(runtime.handle().clone())), 10..20);
    gate.open();
    assert!(airlock::shutdown(Deadline::after(PATIENCE)).is_empty());
    assert!(airlock::shutdown(Deadline::NONE).is_empty());
}

#[test]
fn what_is_left_at_the_deadline_comes_back_also_from_executors_nobody_has_a_handle_of() {
    let (_alone, gate) = alone();
    let runtime = runtime();
    flush(ThreadPoolExecutor::new().threads(1), 0..3);
    flush(TokioExecutor::on(runtime.handle().clone()).concurrency(1), 3..6);
    gate.await_waiting(2);
    let unfinished = airlock::shutdown(Deadline::after(Duration::from_millis(20)));
    assert_eq!((numbers(&unfinished), unfinished.running), (vec![1, 2, 4, 5], 2));
    gate.open();
    assert!(airlock::shutdown(Deadline::after(PATIENCE)).is_empty());
}

#[test]
fn delayed_work_comes_back_at_once_if_it_starts_after_the_deadline() {
    let (_alone, gate) = alone();
    gate.open();
    let pool = ThreadPoolExecutor::new().threads(1);
    let later = Options::new().delay(Duration::from_secs(3600));
    airlock::scope().executor(pool).run(|| drop(waits::enqueue_with(later, 1))).unwrap();
    let unfinished = airlock::shutdown(Deadline::after(PATIENCE));
    assert_eq!((numbers(&unfinished), unfinished.running), (vec![1], 0));
}

#[test]
fn it_can_be_awaited_by_the_runtime_whose_tasks_it_waits_for() {
    #[airlock::task(name = "shutdown.later")]
    async fn later() {
        tokio::task::yield_now().await;
    }

    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let unfinished = runtime.block_on(async {
        let body = async { (0..10).for_each(|_| drop(later::enqueue())) };
        airlock::scope().executor(TokioExecutor::new().concurrency(2)).run_async(body).await.unwrap();
        airlock::shutdown_async(Deadline::after(PATIENCE)).await
    });
    assert!(unfinished.is_empty());
}

#[test]
fn an_executor_of_ones_own_takes_part_if_it_is_configured() {
    struct Own(Mutex<mpsc::Sender<()>>);

    impl Executor for Own {
        fn name(&self) -> &str {
            "own"
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            Box::pin(async move { drop(batch) })
        }

        fn shutdown<'a>(&'a self, _: Deadline) -> BoxFuture<'a, Unfinished> {
            Box::pin(async move {
                self.0.lock().unwrap().send(()).unwrap();
                let mut unfinished = Unfinished::default();
                unfinished.intents.push(waits::intent(7));
                unfinished
            })
        }
    }

    let _alone = alone();
    let (sender, asked) = mpsc::channel();
    let own = Route::new().named("own.*", Own(Mutex::new(sender))).otherwise(InlineExecutor::new());
    airlock::configure(Settings::new().executor(own));
    assert_eq!(numbers(&airlock::shutdown(Deadline::after(PATIENCE))), [7]);
    assert!(asked.try_recv().is_ok());
    airlock::reset_configuration();
}

/// An executor of one's own that ends in a bad way.
#[derive(Clone, Copy)]
enum Bad {
    Hangs,
    Panics,
    PanicsAtOnce,
    /// Hangs, and panics when it is dropped.
    PanicsAtTheEnd,
}

impl Executor for Bad {
    fn name(&self) -> &str {
        "bad"
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move { drop(batch) })
    }

    fn shutdown<'a>(&'a self, _: Deadline) -> BoxFuture<'a, Unfinished> {
        struct Bomb;

        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("the end went wrong");
            }
        }

        match self {
            Self::Hangs => Box::pin(std::future::pending()),
            Self::Panics => Box::pin(async { panic!("it went wrong") }),
            Self::PanicsAtOnce => panic!("it went wrong at once"),
            Self::PanicsAtTheEnd => Box::pin(async {
                let _bomb = Bomb;
                std::future::pending().await
            }),
        }
    }
}

const BAD: [Bad; 4] = [Bad::Hangs, Bad::Panics, Bad::PanicsAtOnce, Bad::PanicsAtTheEnd];

/// A deadline that is well past before anybody's patience ends, and what a shutdown may take with it.
const SOON: Duration = Duration::from_millis(100);

#[test]
fn an_executor_of_ones_own_that_hangs_or_panics_keeps_back_nothing_of_the_others() {
    for bad in BAD {
        type Make = fn(Bad, ThreadPoolExecutor) -> Arc<dyn Executor>;
        let made: [Make; 4] = [
            |bad, pool| Arc::new(Route::new().named("bad.*", bad).otherwise(pool)),
            |bad, pool| Arc::new(Fallback::new(pool, Retry::new(bad))),
            |bad, pool| Arc::new(Retry::new(Fallback::new(Box::new(bad) as Box<dyn Executor>, Arc::new(pool)))),
            // The configured one hangs, and the pool was only used.
            |bad, _| Arc::new(bad),
        ];
        for make in made {
            let (_alone, gate) = alone();
            let pool = ThreadPoolExecutor::new().threads(1);
            flush(pool.clone(), 0..3);
            gate.await_waiting(1);
            airlock::configure(Settings::new().executor(make(bad, pool)));
            let start = Instant::now();
            let unfinished = airlock::shutdown(Deadline::after(SOON));
            airlock::reset_configuration();
            assert!(start.elapsed() < SOON + Duration::from_secs(10));
            assert_eq!((numbers(&unfinished), unfinished.running), (vec![1, 2], 1));
            gate.open();
            assert!(airlock::shutdown(Deadline::after(PATIENCE)).is_empty());
        }
    }
}

#[test]
fn what_went_wrong_at_a_shutdown_is_in_the_log() {
    // Another thread must not be the first at what logs: without a log there, it would be taken for silent.
    let _alone = alone();
    for (bad, told) in BAD.into_iter().zip([
        "cut off at the deadline",
        "it went wrong",
        "it went wrong at once",
        "cut off at the deadline",
    ]) {
        let route = Route::new().named("bad.*", bad).otherwise(InlineExecutor::new());
        let shut_down = || airlock_tests::patience::block_on(route.shutdown(Deadline::after(SOON)));
        let (unfinished, log) = airlock_tests::log::logged(shut_down);
        assert!(unfinished.is_empty());
        assert!(log.contains(r#"executor="bad""#) && log.contains(told), "{log}");
    }
}

#[test]
fn an_executor_around_another_gets_back_what_that_had_left() {
    /// As somebody might count or log.
    struct Around(ThreadPoolExecutor);

    impl Executor for Around {
        fn name(&self) -> &str {
            "around"
        }

        fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
            self.0.dispatch(batch)
        }

        fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
            Box::pin(async move { self.0.shutdown(deadline).await })
        }
    }

    let (_alone, gate) = alone();
    let pool = ThreadPoolExecutor::new().threads(1);
    flush(pool.clone(), 0..3);
    gate.await_waiting(1);
    let route = Route::new().otherwise(Around(pool));
    let unfinished = airlock_tests::patience::block_on(route.shutdown(Deadline::after(SOON)));
    assert_eq!((numbers(&unfinished), unfinished.running), (vec![1, 2], 1));
    gate.open();
    assert!(airlock::shutdown(Deadline::after(PATIENCE)).is_empty());
}

#[test]
fn a_pool_that_is_configured_and_used_gives_back_each_intent_once() {
    let (_alone, gate) = alone();
    let pool = ThreadPoolExecutor::new().threads(1);
    airlock::configure(Settings::new().executor(pool));
    airlock::scope().run(|| (0..4).for_each(|n| drop(waits::enqueue(n)))).unwrap();
    gate.await_waiting(1);
    let unfinished = airlock::shutdown(Deadline::after(Duration::from_millis(20)));
    assert_eq!((numbers(&unfinished), unfinished.running), (vec![1, 2, 3], 1));
    airlock::reset_configuration();
    gate.open();
    assert!(airlock::shutdown(Deadline::after(PATIENCE)).is_empty());
}

#[test]
fn what_a_dead_runtime_left_is_told_and_given_to_on_lost_when_nobody_asks_for_it() {
    let (_alone, gate) = alone();
    let lost: Arc<Mutex<Vec<Intent>>> = Arc::default();
    let sink = Arc::clone(&lost);
    airlock::configure(Settings::new().on_lost(move |lost| sink.lock().unwrap().extend(lost.into_intents())));
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(1).named("short");
    flush(executor.clone(), 0..1);
    gate.await_waiting(1);
    // Delayed for so long that no runtime will have it.
    let later = Options::new().delay(Duration::from_millis(50));
    airlock::scope().executor(executor.clone()).run(|| drop(waits::enqueue_with(later, 8))).unwrap();
    runtime.shutdown_background();
    gate.open();
    drop(executor);
    airlock_tests::patience::eventually("it is lost and told", || !lost.lock().unwrap().is_empty());
    assert_eq!(lost.lock().unwrap()[0].args::<waits>(), Some(&(8,)));
    airlock::reset_configuration();
}

/// Says so when it is dropped, once it is let.
struct Slow(Gate, mpsc::Sender<()>);

impl Drop for Slow {
    fn drop(&mut self) {
        self.0.pass();
        let _ = self.1.send(());
    }
}

#[test]
fn on_lost_and_destructors_that_take_their_time_hold_up_no_deadline() {
    let (_alone, gate) = alone();
    let (told, lost) = mpsc::channel();
    let told = Mutex::new(told);
    let waits_for = gate.clone();
    airlock::configure(Settings::new().on_lost(move |lost| {
        waits_for.pass();
        told.lock().unwrap().send(lost.into_intents().len()).unwrap();
    }));
    let (dropped, drops) = mpsc::channel();
    let slow = Mutex::new(Slow(gate.clone(), dropped));
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone()).on_error(move |_| drop(slow.lock()));
    let later = Options::new().delay(Duration::from_millis(50));
    airlock::scope().executor(executor.clone()).run(|| drop(waits::enqueue_with(later, 8))).unwrap();
    drop(runtime);
    // The alarm of the delayed intent is all that holds it now, and what is left of it when that goes off.
    drop(executor);
    gate.await_waiting(1);
    let pool = ThreadPoolExecutor::new().threads(1);
    let later = Options::new().delay(Duration::from_secs(3600));
    airlock::scope().executor(pool.clone()).run(|| drop(waits::enqueue_with(later, 9))).unwrap();
    flush(pool.clone(), 1..2);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let unfinished = pool.shutdown(Deadline::after(Duration::from_millis(20)));
        sender.send(airlock_tests::patience::block_on(unfinished)).unwrap();
    });
    let unfinished = receiver.recv_timeout(PATIENCE).expect("a deadline that is kept");
    assert_eq!((numbers(&unfinished), unfinished.running), (vec![9], 1));
    gate.open();
    assert_eq!(lost.recv_timeout(PATIENCE), Ok(1));
    assert_eq!(drops.recv_timeout(PATIENCE), Ok(()));
    airlock::reset_configuration();
}
