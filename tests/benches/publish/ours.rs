//! Flushes.

use std::time::Duration;

use airlock::{
    CeleryExecutor, DjangoQExecutor, DjangoTasksExecutor, DramatiqExecutor, Executor, HueyExecutor, Intent, SecretKey,
};

#[airlock::task(name = "tests.order_paid")]
fn order_paid(order: u64, customer: String, express: bool);

pub(crate) fn celery(url: &str) -> CeleryExecutor {
    CeleryExecutor::new(url).unwrap()
}

pub(crate) fn dramatiq(url: &str) -> DramatiqExecutor {
    DramatiqExecutor::new(url).unwrap()
}

pub(crate) fn huey(url: &str) -> HueyExecutor {
    HueyExecutor::new(url).unwrap()
}

pub(crate) fn django_q(url: &str) -> DjangoQExecutor {
    DjangoQExecutor::new(url, SecretKey::new("of no concern").unwrap()).unwrap()
}

pub(crate) fn django_tasks(url: &str) -> DjangoTasksExecutor {
    DjangoTasksExecutor::new(url).unwrap()
}

/// One of those that are flushed.
pub(crate) fn intent(order: u64) -> Intent {
    order_paid::intent(order, "customer@example.org".to_owned(), true)
}

/// One flush with so many intents.
pub(crate) fn flush(executor: &(impl Executor + Clone), count: usize) {
    airlock::scope()
        .executor(executor.clone())
        .deadline(Duration::from_secs(60))
        .run(|| {
            for order in 0..count as u64 {
                order_paid::enqueue(order, "customer@example.org".to_owned(), true)?;
            }
            Ok::<(), airlock::Error>(())
        })
        .unwrap();
}

/// So many flushes with one intent each.
pub(crate) fn flushes(executor: &(impl Executor + Clone), count: usize) {
    (0..count).for_each(|_| flush(executor, 1));
}
