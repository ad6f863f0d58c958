//! State parameters, in tasks that run off the caller's path.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use airlock::{Executor, ScopeBuilder, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::{Gate, PATIENCE};

use crate::runtimes::runtime;
use crate::threads::shut_down;

/// What tasks are given: where they say what they did, and what holds them until the scope is long gone.
struct Shop {
    told: Sender<(u32, bool)>,
    gate: Gate,
    street: bool,
}

#[airlock::task(name = "state.sell")]
fn sell(#[state] shop: &Shop, n: u32) {
    shop.gate.pass();
    shop.told.send((n, shop.street)).unwrap();
}

#[airlock::task(name = "state.sell_later")]
async fn sell_later(#[state] shop: &Shop, n: u32) {
    shop.told.send((n, shop.street)).unwrap();
}

fn shop(street: bool) -> (Shop, Receiver<(u32, bool)>, Gate) {
    let ((told, receiver), gate) = (channel(), Gate::new());
    (Shop { told, gate: gate.clone(), street }, receiver, gate)
}

fn sell_two(scope: ScopeBuilder) -> Result<(), airlock::FlushError> {
    scope.run(|| {
        sell_later::enqueue(1).unwrap();
        sell::enqueue(2).unwrap();
    })
}

fn check(executor: impl Executor + Clone) {
    let (shop_a, told, gate) = shop(true);
    sell_two(airlock::scope().executor(executor.clone()).state(shop_a)).unwrap();
    // The scope has ended, and its state lives as long as its tasks.
    gate.open();
    let mut sold = [told.recv_timeout(PATIENCE).unwrap(), told.recv_timeout(PATIENCE).unwrap()];
    sold.sort_unstable();
    assert_eq!(sold, [(1, true), (2, true)]);
    // Dropped with its last task.
    assert_eq!(told.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));

    // Of a scope inside, captured: its own state counts, as it would inline.
    let (outer, told_outer, gate_outer) = shop(true);
    let (inner, told_inner, gate_inner) = shop(false);
    gate_outer.open();
    gate_inner.open();
    let scope = airlock::scope().executor(executor.clone()).state(outer);
    scope.run(|| sell_two(airlock::scope().state(inner)).map_err(airlock::Error::from)).unwrap();
    let mut sold = [told_inner.recv_timeout(PATIENCE).unwrap(), told_inner.recv_timeout(PATIENCE).unwrap()];
    sold.sort_unstable();
    assert_eq!(sold, [(1, false), (2, false)]);
    assert_eq!(told_outer.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));

    // Without it nothing escapes, and the error says what is missing.
    let error = sell_two(airlock::scope().executor(executor.clone())).unwrap_err();
    assert!(error.to_string().contains("state.sell_later") && error.to_string().contains("Shop"), "{error}");
    assert_eq!(error.into_intents().len(), 2);
    assert!(shut_down(&executor).is_empty());
}

#[test]
fn tasks_on_threads_have_the_state_of_the_scope_that_enqueued_them() {
    check(ThreadPoolExecutor::new().threads(2));
}

#[test]
fn tasks_of_a_runtime_have_the_state_of_the_scope_that_enqueued_them() {
    let runtime = runtime();
    check(TokioExecutor::on(runtime.handle().clone()));
}

#[test]
fn delayed_tasks_have_it_too() {
    let (shop, told, gate) = shop(true);
    gate.open();
    let pool = ThreadPoolExecutor::new().threads(1);
    let delay = airlock::Options::new().delay(Duration::from_millis(20));
    let scope = airlock::scope().executor(pool.clone()).state(shop);
    // On a thread that is gone when it is time.
    thread::spawn(move || scope.run(|| drop(sell::enqueue_with(delay, 3))).unwrap()).join().unwrap();
    assert_eq!(told.recv_timeout(PATIENCE), Ok((3, true)));
    assert!(shut_down(&pool).is_empty());
}
