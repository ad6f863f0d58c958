//! Destructors that panic, of arguments and of what a task holds.

use std::sync::Arc;
use std::time::Duration;

use airlock::{Executor, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::PATIENCE;

use crate::runtimes::runtime;
use crate::threads::{Probe, act, act_later, failures, shut_down};

/// Panics as it is dropped.
#[derive(serde::Serialize, serde::Deserialize)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the destructor of a task");
    }
}

#[test]
fn a_destructor_that_panics_ends_its_task_and_no_other() {
    #[airlock::task(name = "local.cut_off", timeout = "50ms")]
    async fn cut_off() {
        let _bomb = Bomb;
        std::future::pending::<()>().await;
    }

    let (runtime, pool) = (runtime(), ThreadPoolExecutor::new().threads(1));
    let (failures, on_error) = failures();
    let (also_failures, also_on_error) = crate::threads::failures();
    let executor = TokioExecutor::on(runtime.handle().clone()).concurrency(1).on_error(on_error);
    let pool = pool.on_error(also_on_error);
    for executor in [Arc::new(executor) as Arc<dyn Executor>, Arc::new(pool)] {
        let (probe, ran) = Probe::sending();
        for _ in 0..2 {
            let ended = airlock::scope().executor(Arc::clone(&executor)).run_reported(|| {
                cut_off::enqueue().unwrap();
                act_later::enqueue(probe.clone(), 1).unwrap();
                act::enqueue(probe.clone(), 2).unwrap();
            });
            assert_eq!(ended.flush.unwrap().counts().dispatched, 3);
            assert_eq!([ran.recv_timeout(PATIENCE), ran.recv_timeout(PATIENCE)], [Ok(1), Ok(2)]);
        }
        assert!(shut_down(&executor).is_empty());
    }
    for failures in [failures, also_failures] {
        let told: Vec<_> = failures.lock().unwrap().iter().map(|failure| failure.to_string()).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|told| told.ends_with("task failed: it took longer than its 50ms")), "{told:?}");
    }
}

/// An argument that says that it goes, and panics.
#[derive(Clone)]
struct Fuse(Probe);

impl serde::Serialize for Fuse {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> serde::Deserialize<'de> for Fuse {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it only lives in this process"))
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        let _ = (self.0.0)(0);
        panic!("the destructor of an argument");
    }
}

#[test]
fn arguments_that_panic_as_they_are_lost_cost_nothing_else() {
    #[airlock::task(name = "local.fused")]
    fn fused(fuse: Fuse) {
        let _ = fuse;
    }

    let runtime = runtime();
    let (held, gone) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let executor = TokioExecutor::on(runtime.handle().clone()).on_error(move |_| drop(held.lock()));
    let (probe, lost) = Probe::sending();
    let later = || airlock::Options::new().delay(Duration::from_millis(20));
    let enqueue = || (0..2).for_each(|_| drop(fused::enqueue_with(later(), Fuse(probe.clone()))));
    airlock::scope().executor(executor.clone()).run(enqueue).unwrap();
    drop(executor);
    runtime.end();
    assert_eq!([lost.recv_timeout(PATIENCE), lost.recv_timeout(PATIENCE)], [Ok(0), Ok(0)]);
    // The handler goes last.
    assert_eq!(gone.recv_timeout(PATIENCE), Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
}
