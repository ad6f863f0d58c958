//! Redis at its best: what is flushed is in the queue, in order, from any thread and any runtime.

use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use airlock::CeleryExecutor;
use airlock_tests::servers::RedisServer;

use crate::tasks::{HERE, both_ways, flush, flush_notes, here, numbers};

fn celery(server: &RedisServer) -> CeleryExecutor {
    CeleryExecutor::new(server.url()).expect("a URL")
}

#[test]
fn a_flush_is_in_the_queue_in_order() {
    let server = RedisServer::start();
    let account = flush_notes(celery(&server), 10_000);
    assert_eq!(account.count("dispatched"), 10_000, "{:?}", account.texts);
    assert_eq!(numbers(&server.list("notes")), (0..10_000).rev().collect::<Vec<_>>());
}

#[test]
fn tasks_with_a_body_are_sent_and_local_ones_run_here() {
    let server = RedisServer::start();
    let account = flush(airlock::scope().executor(celery(&server)), || {
        here::enqueue(1).expect("there is a scope");
        both_ways::enqueue(2).expect("there is a scope");
        here::enqueue(3).expect("there is a scope");
    });
    account.expect(&[("dispatched", 3)]);
    assert_eq!(numbers(&server.list("notes")), [2]);
    assert_eq!(*HERE.lock().expect("no panic"), [1, 3]);
}

#[test]
fn one_executor_works_after_the_runtime_that_used_it_first_is_gone() {
    let server = RedisServer::start();
    let executor = celery(&server);
    let flush = |executor: CeleryExecutor| assert_eq!(flush_notes(executor, 3).count("dispatched"), 3);

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { flush(executor.clone()) });
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { flush(executor.clone()) });
    drop(runtime);
    flush(executor.clone());
    thread::scope(|scope| drop(scope.spawn(|| flush(executor.clone()))));
    assert_eq!(server.list("notes").len(), 12);
    assert_eq!(server.connections_made(), 1);
}

#[test]
fn a_thousand_flushes_at_once_share_one_connection() {
    let server = RedisServer::start();
    let executor = celery(&server);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let flushes: Vec<_> = (0..1_000)
            .map(|number| {
                let executor = executor.clone();
                let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(30));
                tokio::spawn(scope.run_async(async move {
                    crate::tasks::note::enqueue(number)?;
                    Ok::<(), airlock::Error>(())
                }))
            })
            .collect();
        for flush in flushes {
            flush.await.expect("no panic").expect("it is sent");
        }
    });
    let mut sent = numbers(&server.list("notes"));
    sent.sort_unstable();
    assert_eq!(sent, (0..1_000).collect::<Vec<_>>());
    assert_eq!(server.connections_made(), 1);
}

#[test]
fn an_executor_in_a_static_needs_nothing_around_it() {
    static SERVER: LazyLock<RedisServer> = LazyLock::new(RedisServer::start);
    static CELERY: LazyLock<CeleryExecutor> = LazyLock::new(|| celery(&SERVER));
    assert_eq!(flush_notes(CELERY.clone(), 1).count("dispatched"), 1);
    // A static isn't dropped.
    SERVER.signal("KILL");
}

#[test]
fn a_connection_ends_with_the_last_executor_that_shares_it() {
    let server = RedisServer::start();
    let executor = celery(&server);
    flush_notes(executor.clone(), 1).expect(&[("dispatched", 1)]);
    assert_eq!(server.connections_made(), 1);
    drop(executor);
    airlock_tests::process::until("the connection has ended", || server.connections_made() == 0);
}
