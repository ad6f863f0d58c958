//! Brokers that are down, full or blocked, connections that are cut, and a database that is restarted.

use std::thread;
use std::time::Duration;

use airlock::{Executor, OutboxState};
use airlock_tests::process::until;
use airlock_tests::servers::{PostgresServer, RabbitServer, RedisServer};
use tokio::sync::oneshot;

use super::{Orders, QUEUE, block_on, celery, in_rabbit, in_redis};
use crate::proxy::Proxy;
use crate::rabbit;
use crate::tasks::{random, rounds};

/// Runs a relay on a thread of its own while the story is told, and until all rows have ended.
fn while_relaying(mut orders: Orders, executor: impl Executor, story: impl FnOnce(&mut Orders)) -> Orders {
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = orders.relay(executor);
    let relaying = thread::spawn(move || block_on(worker.run_until(async { drop(stopped.await) })));
    story(&mut orders);
    until("all rows have ended", || orders.count(OutboxState::Waiting) + orders.count(OutboxState::Running) == 0);
    drop(stop);
    let report = relaying.join().expect("no panic").expect("it starts");
    assert_eq!((report.retried, report.dead), (0, 0), "{report}");
    orders
}

#[test]
fn promise_26_a_redis_that_is_killed_for_a_while_costs_no_attempt_and_the_backlog_drains() {
    let mut server = RedisServer::start();
    let mut orders = Orders::sqlite();
    orders.place(4000, true);
    let orders = while_relaying(orders, celery(&server.url()), |orders| {
        until("some are done", || orders.done() > 500);
        server.kill();
        orders.note_doubt();
        orders.place(2000, true);
        orders.place(100, false);
        thread::sleep(Duration::from_millis(1500));
        assert_eq!(orders.count(OutboxState::Dead), 0);
        server.restart();
    });
    orders.assert_arrived(in_redis(&server));
}

#[test]
fn promise_26_a_password_that_the_broker_does_not_know_yet_ends_no_row() {
    let server = RedisServer::start_with(&["--requirepass", "old"]);
    let mut orders = Orders::sqlite();
    orders.place(3000, true);
    let url = format!("redis://:new@127.0.0.1:{}/0", server.port());
    let orders = while_relaying(orders, celery(&url), |orders| {
        let refused = || {
            let waiting = airlock::OutboxFilter::new().state(OutboxState::Waiting).limit(10_000);
            let rows = block_on(orders.outbox.find(waiting)).expect("rows");
            rows.iter().any(|row| row.error.as_deref().is_some_and(|error| error.contains("password")))
        };
        until("it is refused", refused);
        assert_eq!((orders.count(OutboxState::Dead), orders.done()), (0, 0));
        let _ = server.command(&["ACL", "SETUSER", "default", ">new"]);
    });
    orders.assert_arrived(in_redis(&server));
}

#[test]
fn a_redis_that_is_full_gets_the_rest_when_there_is_room_again() {
    let server = RedisServer::start_with(&["--maxmemory", "4mb", "--maxmemory-policy", "noeviction"]);
    let mut orders = Orders::sqlite();
    orders.place(8000, true);
    let orders = while_relaying(orders, celery(&server.url()), |orders| {
        let refused = || {
            let waiting = airlock::OutboxFilter::new().state(OutboxState::Waiting).limit(10_000);
            let rows = block_on(orders.outbox.find(waiting)).expect("rows");
            rows.iter().any(|row| row.error.as_deref().is_some_and(|error| error.contains("memory")))
        };
        until("it is full", refused);
        assert!(orders.done() < 8000);
        let _ = server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    });
    orders.assert_arrived(in_redis(&server));
}

#[test]
fn promise_26_a_connection_to_redis_that_is_cut_after_any_byte_costs_nothing() {
    let server = RedisServer::start_with(&["--appendfsync", "no"]);
    for round in 0..rounds(8) {
        let _ = server.command(&["FLUSHDB"]);
        let mut orders = Orders::sqlite();
        orders.place(1500, true);
        orders.place(10, false);
        // Each message takes some 800 bytes.
        let proxy = Proxy::stumbling(server.port(), random(round) % (1500 * 800));
        orders.drain(celery(&proxy.redis_url()));
        // What is under way when a connection ends is asked for again.
        let ids: Vec<_> = orders.committed.iter().cloned().collect();
        orders.in_doubt.extend(ids.into_iter().map(|id| (id, 1)));
        orders.assert_arrived(in_redis(&server));
    }
}

#[test]
fn promise_26_a_rabbitmq_that_is_killed_blocked_and_full_gets_everything() {
    let mut server = RabbitServer::start();
    let executor = celery(&server.url());
    let mut orders = Orders::sqlite();
    orders.place(2000, true);
    orders = while_relaying(orders, executor.clone(), |orders| {
        until("some are done", || orders.done() > 100);
        server.kill();
        orders.note_doubt();
        orders.place(1000, true);
        orders.place(100, false);
        server.restart();
    });
    // What was written to a server without memory is unconfirmed, and waits.
    let _ = server.control(&["set_vm_memory_high_watermark", "absolute", "1MB"]);
    orders = while_relaying(orders, executor, |orders| {
        orders.place(500, true);
        thread::sleep(Duration::from_millis(300));
        orders.note_doubt();
        assert_eq!(orders.count(OutboxState::Dead), 0);
        let _ = server.control(&["set_vm_memory_high_watermark", "0.4"]);
        orders.note_doubt();
    });
    orders.assert_arrived(in_rabbit(&server));
    // A queue that refuses what is too much for it.
    rabbit::delete(&server.url(), QUEUE);
    rabbit::declare_for(&server.url(), QUEUE, 700);
    let mut orders = Orders::sqlite();
    orders.place(1000, true);
    let mut taken = Vec::new();
    let executor = airlock::CeleryExecutor::new(server.url()).expect("a URL");
    let orders = while_relaying(orders, executor, |orders| {
        until("it is full", || orders.done() >= 700);
        taken.extend(rabbit::all_ids(&server.url(), QUEUE));
    });
    taken.extend(rabbit::all_ids(&server.url(), QUEUE));
    orders.assert_arrived(taken);
}

#[test]
fn a_restart_of_the_database_loses_nothing_and_sends_twice_only_what_was_not_recorded() {
    let mut server = PostgresServer::start();
    let mut orders = Orders::at(PostgresServer::trusted(&server.database("template1")), None, None);
    let broker = RedisServer::start_with(&["--appendfsync", "no"]);
    orders.place(4000, true);
    let orders = while_relaying(orders, celery(&broker.url()), |orders| {
        until("some are done", || orders.done() > 0);
        server.kill();
        server.restart();
        orders.note_doubt();
        orders.place(1000, true);
    });
    orders.assert_arrived(in_redis(&broker));
}
