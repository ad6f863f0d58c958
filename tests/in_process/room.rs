//! Flushes that wait for room, and what must not keep it from them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use airlock::{Deadline, Executor, Options, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::{Gate, PATIENCE, block_on, eventually};

use crate::threads::{Probe, act, blocking, flush, shut_down};

/// Panics when it is called, and says that it was.
struct Bomb(Arc<AtomicBool>);

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
        panic!("a waker");
    }
}

#[test]
fn wakers_that_panic_keep_no_room_from_other_flushes_and_cost_no_task() {
    let runtime = crate::runtimes::runtime();
    let pool = ThreadPoolExecutor::new().threads(1).queue_limit(1);
    let tokio = TokioExecutor::on(runtime.handle().clone()).concurrency(1).queue_limit(1);
    for executor in [Arc::new(pool) as Arc<dyn Executor>, Arc::new(tokio)] {
        let gate = Gate::new();
        let scope = || airlock::scope().executor(Arc::clone(&executor)).deadline(PATIENCE);
        flush(scope(), &blocking(&gate), 0..1).unwrap();
        gate.await_waiting(1);
        flush(scope(), &blocking(&gate), 1..2).unwrap();
        let (probe, ran) = Probe::sending();
        let flushing = |n| {
            let probe = probe.clone();
            let body = async move { drop(act::enqueue(probe, n)) };
            Box::pin(scope().run_reported_async(body))
        };
        let mut first = vec![flushing(2), flushing(3)];
        let called = Arc::new(AtomicBool::new(false));
        for flushing in &mut first {
            let waker = Waker::from(Arc::new(Bomb(Arc::clone(&called))));
            assert!(flushing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let last = thread::scope(|threads| {
            let last = threads.spawn(|| flush(scope(), &probe, 4..5).map(|report| report.counts().dispatched));
            gate.open();
            eventually("a waker panics", || called.load(Ordering::SeqCst));
            // The first ones were woken in vain, and take their turns all the same.
            let mut context = Context::from_waker(Waker::noop());
            eventually("there is room for both", || {
                first.retain_mut(|flushing| match flushing.as_mut().poll(&mut context) {
                    Poll::Ready(ended) => ended.flush.is_err(),
                    Poll::Pending => true,
                });
                first.is_empty()
            });
            last.join().unwrap()
        });
        assert_eq!(last.unwrap(), 1);
        let mut all = [(); 3].map(|()| ran.recv_timeout(PATIENCE).unwrap());
        all.sort_unstable();
        assert_eq!(all, [2, 3, 4]);
        assert!(shut_down(&executor).is_empty());
    }
}

/// Whether it was called.
#[derive(Default)]
struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn room_for_several_flushes_is_told_to_each_of_them() {
    let runtime = crate::runtimes::runtime();
    let pool = ThreadPoolExecutor::new().threads(1).queue_limit(3);
    let tokio = TokioExecutor::on(runtime.handle().clone()).concurrency(1).queue_limit(3);
    for executor in [Arc::new(pool) as Arc<dyn Executor>, Arc::new(tokio)] {
        let gate = Gate::new();
        let scope = || airlock::scope().executor(Arc::clone(&executor)).deadline(PATIENCE);
        let started = Arc::new(AtomicUsize::new(0));
        let blocking = Probe::new({
            let (gate, started) = (gate.clone(), Arc::clone(&started));
            move |_| {
                started.fetch_add(1, Ordering::SeqCst);
                gate.pass();
                Ok(())
            }
        });
        flush(scope(), &blocking, 0..1).unwrap();
        gate.await_waiting(1);
        flush(scope(), &blocking, 1..4).unwrap();
        let (probe, ran) = Probe::sending();
        let mut waiting: Vec<_> = (0..3)
            .map(|n| {
                let probe = probe.clone();
                let flushing = scope().run_async(async move { drop(act::enqueue(probe, n)) });
                (Box::pin(flushing), Arc::new(Called::default()))
            })
            .collect();
        for (flushing, called) in &mut waiting {
            let waker = Waker::from(Arc::clone(called));
            assert!(flushing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        gate.open();
        eventually("there is room for all of them", || started.load(Ordering::SeqCst) == 4);
        eventually("each of them is told", || waiting.iter().all(|(_, called)| called.0.load(Ordering::SeqCst)));
        // Whichever is polled first.
        for (flushing, _) in waiting.iter_mut().rev() {
            let ended = flushing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(ended, Poll::Ready(Ok(()))));
        }
        assert!(shut_down(&executor).is_empty());
        assert_eq!(ran.try_iter().collect::<Vec<_>>(), [2, 1, 0]);
    }
}

#[test]
fn flushes_that_give_up_while_they_wait_keep_no_room_from_those_that_wait_on() {
    const EACH: u32 = 500;
    let runtime = crate::runtimes::runtime();
    let pool = ThreadPoolExecutor::new().threads(2).queue_limit(1).delayed_limit(1);
    let tokio = TokioExecutor::on(runtime.handle().clone()).concurrency(2).queue_limit(1).delayed_limit(1);
    for executor in [Arc::new(pool) as Arc<dyn Executor>, Arc::new(tokio)] {
        let (probe, ran) = Probe::sending();
        let flush_one = |delay: Duration, deadline: Duration, n: u32| {
            let scope = airlock::scope().executor(Arc::clone(&executor)).deadline(deadline);
            let enqueue = || drop(act::enqueue_with(Options::new().delay(delay), probe.clone(), n));
            match scope.run_reported(enqueue).flush {
                Ok(report) => report.counts().dispatched,
                Err(error) => {
                    let unsent = error.undispatched().len();
                    drop(error.into_intents());
                    1 - unsent
                }
            }
        };
        let accepted: usize = thread::scope(|threads| {
            let flushing: Vec<_> = (0..8_u32)
                .map(|thread| {
                    let flush_one = &flush_one;
                    threads.spawn(move || {
                        // Half of them wait for room among the delayed, and half of all have no patience.
                        let delay = if thread % 2 == 0 { Duration::ZERO } else { Duration::from_micros(50) };
                        let is_patient = thread < 4;
                        let deadline = if is_patient { PATIENCE } else { Duration::from_micros(30) };
                        let accepted = (0..EACH).map(|n| flush_one(delay, deadline, n)).sum::<usize>();
                        assert!(!is_patient || accepted == EACH as usize, "{thread}: {accepted}");
                        accepted
                    })
                })
                .collect();
            flushing.into_iter().map(|flushing| flushing.join().unwrap()).sum()
        });
        assert!(block_on(executor.shutdown(Deadline::after(PATIENCE))).is_empty());
        assert_eq!(ran.try_iter().count(), accepted);
    }
}
