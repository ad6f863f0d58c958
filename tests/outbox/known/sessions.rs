//! What an administrator sets for all connections.

use std::time::{Duration, Instant};

use airlock::OutboxState;
use airlock_tests::servers::Database;

use crate::home::{Home, block_on};
use crate::tasks::{gate, waited_at};
use crate::tasks::{gated, plain, ran, unique};

/// Those that connect from now on have it.
fn set(home: &Home, setting: &str) {
    let (_, database) = home.url.rsplit_once('/').expect("a database");
    home.run(&format!("ALTER DATABASE {database} SET {setting}"));
}

#[test]
fn promise_25_statement_and_idle_timeouts_cost_no_run() {
    let (home, test) = (Home::postgres(), unique());
    let mut holder = Database::at(&home.url);
    set(&home, "statement_timeout = 200");
    set(&home, "idle_session_timeout = 150");
    set(&home, "idle_in_transaction_session_timeout = 150");
    let gate = gate(&test);
    home.enqueue(|| gated::enqueue(test.clone(), 1));
    block_on(async {
        let story = async {
            waited_at(&gate, 1).await;
            let start = Instant::now();
            home.until("idle connections were ended", async || start.elapsed() > Duration::from_millis(400)).await;
            home.enqueue(|| plain::enqueue(test.clone(), 2));
            home.until("it works all the same", async || ran(&test) == [2]).await;
            home.until("that is recorded", async || home.rows().await[1].state == OutboxState::Done).await;
            // What ends now can't be recorded before the statement has taken too long, twice.
            tokio::task::block_in_place(|| holder.run("BEGIN; LOCK TABLE airlock_outbox IN ACCESS EXCLUSIVE MODE"));
            gate.open();
            let start = Instant::now();
            home.until("it was too long", async || start.elapsed() > Duration::from_millis(700)).await;
            assert_eq!(ran(&test), [2, 1]);
            tokio::task::block_in_place(|| holder.run("COMMIT"));
            home.all_have_ended().await;
        };
        let report = home.run_while(home.worker(), story).await;
        assert_eq!(report.to_string(), "2 done");
        let rows = home.rows().await;
        assert!(rows.iter().all(|row| (row.attempts, row.rescues) == (1, 0)), "{rows:?}");
    });
}

#[test]
fn a_claim_takes_no_more_than_it_is_asked_for_whatever_the_planner_thinks() {
    let (home, test) = (Home::postgres(), unique());
    // As far as the planner knows, the table is empty.
    home.run("ALTER TABLE airlock_outbox SET (autovacuum_enabled = false); ANALYZE airlock_outbox");
    home.run(&format!(
        "INSERT INTO airlock_outbox (id, task, queue, priority, arguments)
         SELECT gen_random_uuid(), 'gated', 'queue ' || (n % 3), n % 4, '[\"{test}\", 1]' FROM generate_series(1, 5000) n"
    ));
    let gate = gate(&test);
    block_on(async {
        let plans = [
            "jit = off",
            "enable_nestloop = off",
            "enable_hashjoin = off",
            "enable_mergejoin = off",
            "enable_indexscan = off",
        ];
        for (round, plan) in plans.into_iter().enumerate() {
            set(&home, plan);
            let worker = home.worker().concurrency(3).lease(Duration::from_secs(600));
            let expected = 3 * (round + 1);
            tokio::select! {
                ended = worker.run_until(std::future::pending()) => panic!("it ended: {ended:?}"),
                () = waited_at(&gate, expected) => {}
            }
            let running = home.rows().await.iter().filter(|row| row.state == OutboxState::Running).count();
            assert_eq!(running, expected, "{plan}");
        }
        gate.open();
    });
}
