//! RabbitMQ at its best: what is flushed is in the queue, in order, and confirmed.

use std::thread;
use std::time::Duration;

use airlock::{CeleryExecutor, DramatiqExecutor};
use airlock_tests::servers::RabbitServer;

use crate::rabbit::{bodies, drain, queue_of_its_own};
use crate::tasks::{flush, note};

fn celery(server: &RabbitServer) -> CeleryExecutor {
    // Several servers start beside each other here.
    CeleryExecutor::new(server.url()).expect("a URL").declare().connect_timeout(Duration::from_secs(30))
}

fn notes(executor: impl airlock::Executor, queue: &str, numbers: std::ops::Range<u64>) -> crate::tasks::Account {
    let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(60));
    flush(scope, || {
        for number in numbers {
            note::enqueue_with(airlock::Options::new().queue(queue.to_owned()), number).expect("there is a scope");
        }
    })
}

#[test]
fn a_flush_is_in_the_queue_in_order() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    notes(celery(&server), &queue, 0..10_000).expect(&[("dispatched", 10_000)]);
    let expected: Vec<_> = (0..10_000).map(|number| format!("[[],{{\"number\":{number}}},")).collect();
    let bodies = bodies(&server.url(), &queue);
    assert_eq!(bodies.len(), expected.len());
    assert!(bodies.iter().zip(&expected).all(|(body, start)| body.starts_with(start)));
}

#[test]
fn one_executor_works_after_the_runtime_that_used_it_first_is_gone() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    let executor = celery(&server);
    let flush = || notes(executor.clone(), &queue, 0..3).expect(&[("dispatched", 3)]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { flush() });
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { flush() });
    drop(runtime);
    thread::scope(|scope| drop(scope.spawn(flush)));
    assert_eq!(drain(&server.url(), &queue).len(), 9);
}

#[test]
fn a_thousand_flushes_at_once_are_all_confirmed_over_one_connection() {
    // Of its own: its connections are counted.
    let (server, queue) = (RabbitServer::start(), queue_of_its_own());
    let executor = celery(&server);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let flushes: Vec<_> = (0..1_000)
            .map(|number| {
                let queue = queue.clone();
                let scope = airlock::scope().executor(executor.clone()).deadline(Duration::from_secs(60));
                tokio::spawn(scope.run_async(async move {
                    note::enqueue_with(airlock::Options::new().queue(queue), number)?;
                    Ok::<(), airlock::Error>(())
                }))
            })
            .collect();
        for flush in flushes {
            flush.await.expect("no panic").expect("it is sent");
        }
    });
    let connections = server.control(&["list_connections", "--quiet", "--no-table-headers", "pid"]);
    assert_eq!(connections.trim().lines().count(), 1, "{connections}");
    assert_eq!(drain(&server.url(), &queue).len(), 1_000);
}

#[test]
fn dramatiq_has_its_three_queues() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    let executor = DramatiqExecutor::new(server.url()).expect("a URL").declare();
    let executor = executor.connect_timeout(Duration::from_secs(30));
    notes(executor.clone(), &queue, 0..5).expect(&[("dispatched", 5)]);
    let scope = airlock::scope().executor(executor);
    let later = airlock::Options::new().queue(queue.clone()).delay(Duration::from_secs(60));
    let account = flush(scope, || {
        note::enqueue_with(later, 5).expect("there is a scope");
    });
    account.expect(&[("dispatched", 1)]);
    assert_eq!(drain(&server.url(), &queue).len(), 5);
    assert_eq!(drain(&server.url(), &format!("{queue}.DQ")).len(), 1);
    assert_eq!(drain(&server.url(), &format!("{queue}.XQ")).len(), 0);
}

#[test]
fn delays_that_rabbitmq_spends_need_their_exchanges_and_lie_in_the_queue_of_their_highest_bit() {
    let (server, queue) = (RabbitServer::shared(), queue_of_its_own());
    let executor = CeleryExecutor::new(server.url()).expect("a URL").native_delayed_delivery();
    let executor = executor.connect_timeout(Duration::from_secs(30));
    let one_now_and_one_in_ten_minutes = |executor: CeleryExecutor| {
        flush(airlock::scope().executor(executor).deadline(Duration::from_secs(60)), || {
            for delay in [600, 0] {
                let options = airlock::Options::new().queue(queue.clone()).delay(Duration::from_secs(delay));
                note::enqueue_with(options, delay).expect("there is a scope");
            }
        })
    };
    crate::rabbit::declare(&server.url(), &queue);
    // No other test of this server has them declared. What needs none of them is not held up.
    let account = one_now_and_one_in_ten_minutes(executor.clone());
    let ends: Vec<_> = account.ends.iter().map(|(_, end)| *end).collect();
    assert_eq!(ends, ["rejected", "dispatched"], "{:?}", account.texts);
    account.says("no exchange 'celery_delayed_27'");
    account.says("start a worker of Celery 5.5 or later that has a quorum queue, or use `declare()`");
    assert_eq!(drain(&server.url(), &queue).len(), 1);
    crate::rabbit::delete(&server.url(), &queue);

    one_now_and_one_in_ten_minutes(executor.declare()).expect(&[("dispatched", 2)]);
    assert_eq!(drain(&server.url(), &queue).len(), 1);
    let waiting = drain(&server.url(), "celery_delayed_9");
    assert_eq!(waiting.len(), 1);
    // The whole seconds that were left, bit by bit, and the queue.
    let key = waiting[0].delivery.routing_key.as_str();
    let bits = key.strip_suffix(&queue).expect("it ends with the queue").replace('.', "");
    assert_eq!(bits.len(), 28);
    assert!((512..=600).contains(&u64::from_str_radix(&bits, 2).expect("bits")), "{key}");
}
