//! Connections that are given up half-way, or taken away.

use std::time::Duration;

use airlock::OutboxState;
use airlock_tests::servers::Database;
use sqlx::PgPool;
use tokio::sync::oneshot;

use crate::home::{Home, block_on, on_both};
use crate::leases::end_leases;
use crate::tasks::{note_run, plain, ran, unique};

/// Transactions that no client goes on with.
const FORGOTTEN: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()";

/// Asks on a thread of its own.
pub(super) fn number(home: &Home, query: &str) -> u64 {
    std::thread::scope(|threads| threads.spawn(|| Database::at(&home.url).number(query)).join()).expect("it answers")
}

/// Waits until no connection is in a transaction.
async fn none_is_open(home: &Home) {
    if home.url.starts_with("sqlite") {
        // It waits for a lock that is held, and fails after five seconds.
        home.run("BEGIN IMMEDIATE; ROLLBACK");
    } else {
        home.until("no transaction is open", async || number(home, FORGOTTEN) == 0).await;
    }
}

on_both! {
    async fn a_flush_that_is_dropped_as_its_transaction_begins_leaves_none_open(home) {
        let test = unique();
        for micros in 0..40 {
            let scope = airlock::scope().executor(home.outbox.clone()).open();
            scope.run(|| plain::enqueue(test.clone(), micros)).expect("there is a scope");
            // Whatever it has come to.
            let _ = tokio::time::timeout(Duration::from_micros(micros * 50), scope.flush_async()).await;
        }
        none_is_open(&home).await;
        // What is said to be written now is there for others.
        let before = home.rows().await.len();
        home.enqueue(|| plain::enqueue(test.clone(), 100));
        assert_eq!(home.rows().await.len(), before + 1);
    }

    async fn a_worker_that_is_dropped_half_way_leaves_no_transaction_open(home) {
        let test = unique();
        for round in 0..15 {
            home.enqueue(|| (0..10).try_for_each(|number| plain::enqueue(test.clone(), round * 10 + number).map(drop)));
            let worker = home.worker().lease(Duration::from_secs(600));
            let _ = tokio::time::timeout(Duration::from_millis(round * 3), worker.run_until(std::future::pending())).await;
        }
        none_is_open(&home).await;
        end_leases(&home);
        home.drain(home.worker()).await;
        assert_eq!(home.states().await, [(OutboxState::Done, 150)]);
    }
}

#[test]
fn a_migration_that_is_cancelled_while_it_waits_for_another_leaves_no_lock() {
    let home = Home::postgres();
    let mut holder = Database::at(&home.url);
    // Where the table is there, nothing is waited for.
    holder.run("DROP TABLE airlock_outbox, airlock_outbox_schema");
    holder.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({})", 0x61_6972_6c6f_636b_i64));
    let locks = |granted: bool| {
        let of =
            "locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        number(&home, &format!("SELECT count(*) FROM pg_locks WHERE {of} AND granted = {granted}"))
    };
    block_on(async {
        let outbox = home.outbox.clone();
        let migration = tokio::spawn(async move { outbox.migrate().await });
        home.until("it waits", async || locks(false) == 1).await;
        migration.abort();
        assert!(migration.await.expect_err("it is cancelled").is_cancelled());
        tokio::task::block_in_place(|| holder.run("COMMIT"));
        home.outbox.migrate().await.expect("nothing is in the way");
        home.until("there is no lock", async || locks(true) + locks(false) == 0).await;
        none_is_open(&home).await;
    });
}

#[test]
fn a_listener_that_was_terminated_listens_again() {
    let (home, test) = (Home::postgres(), unique());
    block_on(async {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = home.worker().poll(Duration::from_secs(3600)).listen();
        let worker = tokio::spawn(worker.run_until(async { drop(stopped.await) }));
        let listeners = || {
            let listening = "datname = current_database() AND query LIKE 'LISTEN%'";
            let query = format!("SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE {listening}");
            number(&home, &query)
        };
        home.until("it listens", async || listeners() != 0).await;
        let first = listeners();
        home.run(&format!("SELECT pg_terminate_backend({first})"));
        home.until("it listens again", async || ![0, first].contains(&listeners())).await;
        // As another process does.
        home.run(
            "INSERT INTO airlock_outbox (id, task, queue, arguments) VALUES (gen_random_uuid(), 'plain', 'default', '[\"\", 2]');
             NOTIFY airlock_outbox",
        );
        home.all_have_ended().await;
        drop(stop);
        worker.await.expect("no panic").expect("it starts");
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        assert_eq!(home.states().await, [(OutboxState::Waiting, 1), (OutboxState::Done, 1)]);
    });
}

#[test]
fn arguments_of_a_mebibyte_are_announced_and_run() {
    let home = Home::postgres();
    let outbox = home.outbox.clone().notify(true);
    let home = home.with(outbox);
    let (test, long) = (unique(), "x".repeat(1 << 20));
    block_on(async {
        let worker = home.worker().poll(Duration::from_secs(3600)).listen();
        let story = async {
            home.enqueue(|| measured::enqueue(test.clone(), long.clone()));
            let scope = airlock::scope().executor(home.outbox.clone()).open();
            scope.run(|| measured::enqueue(test.clone(), long.clone())).expect("there is a scope");
            let pool = PgPool::connect(&home.url).await.expect("it can be opened");
            let report = scope.commit(pool.begin().await.expect("a transaction")).await.expect("it is committed");
            assert_eq!(report.counts().written, 1);
            home.all_have_ended().await;
        };
        home.run_while(worker, story).await;
        assert_eq!(ran(&test), [1 << 20, 1 << 20]);
    });
}

#[airlock::task(name = "known.measured")]
fn measured(test: String, long: String) {
    note_run(test, long.len() as u64);
}
