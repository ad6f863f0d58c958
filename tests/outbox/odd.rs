//! Rows, rights and files that are not as a worker expects them.

use std::time::{Duration, Instant};

use crate::home::{Home, block_on, on_both};
use crate::tasks::{fails, gate, gated, leaves_local, plain, ran, unique, waited_at};
use airlock::{Options, Outbox, OutboxFilter, OutboxState};
use airlock_tests::process::Folder;
use airlock_tests::servers::{Database, PostgresServer};

/// Rows that were changed by hand at the head of the queue, each in its own way.
fn spoil(home: &Home) {
    let ways: &[&str] = if home.url.starts_with("sqlite") {
        &[
            "due = -1, arguments = CAST(x'ff' AS TEXT)",
            "due = -2, id = CAST(x'feff' AS TEXT)",
            "due = -3, arguments = x'00'",
        ]
    } else {
        &["due = '-infinity'", "due = '-infinity', expires = '-infinity'", "due = '-infinity', arguments = 'none'"]
    };
    for (place, way) in ways.iter().enumerate() {
        home.run(&format!(
            "UPDATE airlock_outbox SET {way} WHERE seq = (SELECT seq FROM airlock_outbox ORDER BY seq LIMIT 1 OFFSET {place})"
        ));
    }
}

on_both! {
    async fn promise_25_rows_that_can_not_be_read_hold_up_no_other(home) {
        let test = unique();
        let never = Options::new().max_retries(0);
        home.enqueue(|| (0..6).try_for_each(|number| plain::enqueue_with(never.clone(), test.clone(), number).map(drop)));
        spoil(&home);
        let stats = home.outbox.stats().await.expect("stats of odd rows");
        assert_eq!(stats.count(OutboxState::Waiting), 6);
        assert_eq!(home.rows().await.len(), if home.url.starts_with("sqlite") { 5 } else { 6 }, "one has no id");
        let report = home.drain(home.worker().concurrency(1)).await;
        assert_eq!(report.rescued, 0, "each has its end at once");
        let mut ran = ran(&test);
        ran.retain(|number| *number > 2);
        assert_eq!(ran, [3, 4, 5]);
        let stats = home.outbox.stats().await.expect("stats");
        assert_eq!(stats.count(OutboxState::Waiting) + stats.count(OutboxState::Running), 0);
    }

    async fn an_end_that_is_refused_for_a_while_is_recorded_afterwards_and_its_task_runs_once(home) {
        let test = unique();
        home.enqueue(|| (0..8).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
        // One alone is refused, by a trigger of the application's.
        let (refuse, allow) = if home.url.starts_with("sqlite") {
            (
                "CREATE TRIGGER refuses BEFORE UPDATE ON airlock_outbox WHEN new.state = 'done' AND new.arguments LIKE '%3_'
                 BEGIN SELECT RAISE(ABORT, 'not now'); END",
                "DROP TRIGGER refuses",
            )
        } else {
            (
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
                 CREATE TRIGGER refuses BEFORE UPDATE ON airlock_outbox FOR EACH ROW
                 WHEN (new.state = 'done' AND new.arguments LIKE '%3_') EXECUTE FUNCTION refuse()",
                "DROP TRIGGER refuses ON airlock_outbox",
            )
        };
        home.run(refuse);
        let story = async {
            home.until("the others are done", async || {
                    home.states().await.contains(&(OutboxState::Done, 7))
                }).await;
            home.run(allow);
            home.all_have_ended().await;
        };
        let report = home.run_while(home.worker(), story).await;
        let mut ran = ran(&test);
        ran.sort_unstable();
        assert_eq!(ran, (0..8).collect::<Vec<_>>());
        assert_eq!((report.done, report.retried, report.rescued, report.stale), (8, 0, 0, 0));
    }

    async fn promise_23_a_row_that_a_trigger_keeps_from_being_claimed_does_not_run_and_holds_up_no_other(home) {
        let test = unique();
        home.enqueue(|| (0..8).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
        let (keep, leave) = if home.url.starts_with("sqlite") {
            (
                "CREATE TRIGGER keeps BEFORE UPDATE ON airlock_outbox WHEN new.state = 'running' AND new.arguments LIKE '%3_'
                 BEGIN SELECT RAISE(IGNORE); END",
                "DROP TRIGGER keeps",
            )
        } else {
            (
                "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
                 CREATE TRIGGER keeps BEFORE UPDATE ON airlock_outbox FOR EACH ROW
                 WHEN (new.state = 'running' AND new.arguments LIKE '%3_') EXECUTE FUNCTION keep()",
                "DROP TRIGGER keeps ON airlock_outbox",
            )
        };
        home.run(keep);
        let story = async {
            home.until("the others are done", async || {
                    home.states().await == [(OutboxState::Waiting, 1), (OutboxState::Done, 7)]
                }).await;
            assert!(!ran(&test).contains(&3));
            home.run(leave);
            home.all_have_ended().await;
        };
        let report = home.run_while(home.worker(), story).await;
        let mut ran = ran(&test);
        ran.sort_unstable();
        assert_eq!(ran, (0..8).collect::<Vec<_>>());
        assert_eq!((report.done, report.retried, report.stale), (8, 0, 0));
    }

    async fn rows_that_lie_between_those_of_another_queue_end_each_once_and_leave_those(home) {
        let test = unique();
        home.enqueue(|| (0..60).try_for_each(|number| {
            let queue = if number % 3 == 0 { "mine" } else { "theirs" };
            plain::enqueue_with(Options::new().queue(queue), test.clone(), number).map(drop)
        }));
        let all_done = home.until("mine are done", async || home.states().await.contains(&(OutboxState::Done, 20)));
        let report = home.run_while(home.worker().queues(["mine"]), all_done).await;
        assert_eq!((report.done, report.stale, report.rescued), (20, 0, 0));
        let mut ran = ran(&test);
        ran.sort_unstable();
        assert_eq!(ran, (0..60).step_by(3).collect::<Vec<_>>());
        assert_eq!(home.states().await, [(OutboxState::Waiting, 40), (OutboxState::Done, 20)]);
    }

    async fn rows_that_were_claimed_ahead_go_to_other_workers_when_the_task_before_them_is_slow(home) {
        let test = unique();
        let gate = gate(&test);
        // Quick ones first, so that it claims ahead, then one that is stuck before quick ones.
        home.enqueue(|| {
            (0..3000).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop))?;
            gated::enqueue(test.clone(), 9999)?;
            (3000..3300).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop))
        });
        let slow = home.worker().concurrency(1).lease(Duration::from_secs(600));
        let story = async {
            waited_at(&gate, 1).await;
            let other = home.worker().concurrency(1).lease(Duration::from_secs(600));
            let story = home.until("the rest has run", async || ran(&test).len() == 3300);
            home.run_while(other, story).await;
            gate.open();
            home.all_have_ended().await;
        };
        home.run_while(slow, story).await;
        let mut all = ran(&test);
        all.sort_unstable();
        assert_eq!(all, (0..3300).chain([9999]).collect::<Vec<_>>(), "each has run once");
    }

    async fn promise_25_a_row_that_can_not_be_rescued_holds_up_no_other(home) {
        let test = unique();
        home.enqueue(|| (0..4).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
        let ended = home.an_hour_ago();
        home.run(&format!("UPDATE airlock_outbox SET state = 'running', lease = 1, leased_until = {ended} WHERE arguments NOT LIKE '%3_'"));
        let refuse = if home.url.starts_with("sqlite") {
            "CREATE TRIGGER refuses BEFORE UPDATE ON airlock_outbox WHEN new.rescues > old.rescues AND new.arguments LIKE '%0_'
             BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        } else {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
             CREATE TRIGGER refuses BEFORE UPDATE ON airlock_outbox FOR EACH ROW
             WHEN (new.rescues > old.rescues AND new.arguments LIKE '%0_') EXECUTE FUNCTION refuse()"
        };
        home.run(refuse);
        let story = home.until("the others are done", async || home.states().await.contains(&(OutboxState::Done, 3)));
        let report = home.run_while(home.worker(), story).await;
        let mut ran = ran(&test);
        ran.sort_unstable();
        assert_eq!((ran, report.rescued, report.done), (vec![1, 2, 3], 2, 3));
        // What waits has not ended.
        assert!(home.rows().await.iter().all(|row| row.ended.is_some() == (row.state == OutboxState::Done)));
    }

    async fn a_worker_judges_the_rescues_of_its_own_queues_alone(home) {
        let test = unique();
        let to = |queue: &'static str| Options::new().queue(queue);
        home.enqueue(|| plain::enqueue_with(to("mine"), test.clone(), 1));
        home.enqueue(|| plain::enqueue_with(to("theirs"), test.clone(), 2));
        let ended = home.an_hour_ago();
        home.run(&format!("UPDATE airlock_outbox SET state = 'running', lease = 1, rescues = 1, leased_until = {ended}"));
        let worker = home.worker().queues(["mine"]).max_rescues(1);
        let story = home.until("its own row is judged", async || home.rows().await[0].state == OutboxState::Dead);
        let report = home.run_while(worker, story).await;
        assert_eq!((report.dead, report.rescued), (1, 0));
        let row = home.outbox.find(OutboxFilter::new().queue("theirs")).await.expect("rows").remove(0);
        assert_eq!((row.state, row.rescues), (OutboxState::Running, 1));
    }

    async fn what_a_task_leaves_for_its_own_process_is_waited_for_when_the_worker_ends(home) {
        let test = unique();
        home.enqueue(|| leaves_local::enqueue(test.clone()));
        let story = home.until("it is recorded", async || home.rows().await[0].state == OutboxState::Done);
        home.run_while(home.worker(), story).await;
        assert_eq!(ran(&test), [1, 2], "the task, and what it left");
    }

    async fn migrating_what_is_migrated_waits_for_no_one_who_writes(home) {
        let writes = "INSERT INTO airlock_outbox (id, task, queue, arguments)
            VALUES ('00000000-0000-4000-8000-000000000000', 'a', 'b', '[]')";
        let (begin, lock) = if home.url.starts_with("sqlite") {
            ("BEGIN IMMEDIATE", writes)
        } else {
            ("BEGIN", "LOCK TABLE airlock_outbox IN ACCESS EXCLUSIVE MODE")
        };
        let open = home.run_and_hold(&[begin, lock]);
        let start = Instant::now();
        home.outbox.migrate().await.expect("nothing is to be done");
        assert!(start.elapsed() < Duration::from_secs(3), "it waited for the lock");
        drop(open);
    }
}

#[test]
fn a_worker_goes_on_with_the_file_that_has_replaced_its_database() {
    let home = Home::sqlite();
    block_on(async {
        let test = unique();
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        let story = async {
            home.until("the first has run", async || ran(&test) == [1]).await;
            home.all_have_ended().await;
            // As a backup is put back: another file under the name.
            let path = home.url.trim_start_matches("sqlite://").to_owned();
            let copy = format!("{path}.copy");
            home.run(&format!("VACUUM INTO '{copy}'"));
            for old in [format!("{path}-wal"), format!("{path}-shm")] {
                let _ = std::fs::remove_file(old);
            }
            std::fs::rename(&copy, &path).expect("it is replaced");
            let again = Outbox::new(&home.url).expect("a URL");
            let scope = airlock::scope().executor(again).enter();
            plain::enqueue(test.clone(), 2).expect("there is a scope");
            scope.flush().expect("it is written");
            home.until("the second has run", async || ran(&test) == [1, 2]).await;
            home.all_have_ended().await;
        };
        home.run_while(home.worker(), story).await;
    });
}

#[test]
#[should_panic(expected = "leave `queues` out for all of them")]
fn a_worker_of_no_queue_is_refused_as_it_is_made() {
    let _ = Home::sqlite().worker().queues(Vec::<String>::new());
}

#[test]
fn limits_on_sqlite_that_are_no_numbers_are_none() {
    let home = Home::sqlite();
    block_on(async {
        let test = unique();
        home.enqueue(|| fails::enqueue(test.clone(), 1));
        home.run("UPDATE airlock_outbox SET max_retries = 'several', timeout_ms = x'01'");
        home.drain(home.worker()).await;
        assert_eq!(ran(&test), [1, 2], "it is tried again as often as others are");
    });
}

/// A row whose queue and header are not ASCII.
fn runs_in_another_encoding(home: &Home) {
    block_on(async {
        let test = unique();
        let options = Options::new().queue("größe").header("für", "Zoë");
        home.enqueue(|| plain::enqueue_with(options, test.clone(), 7));
        let report = home.drain(home.worker()).await;
        assert_eq!((report.done, report.rescued), (1, 0));
        assert_eq!(ran(&test), [7]);
    });
}

#[test]
fn rows_of_a_sqlite_database_in_utf_16_run() {
    let folder = Folder::in_memory("outbox");
    let url = format!("sqlite://{}/shop.db", folder.path().display());
    Database::at(&url).run("PRAGMA encoding = 'UTF-16le'; PRAGMA journal_mode = WAL");
    runs_in_another_encoding(&Home::at(url, Some(folder), None));
}

#[test]
fn rows_of_a_postgres_database_in_latin_1_run() {
    let server = PostgresServer::shared();
    Database::at(&server.database("template1"))
        .run("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
    let url = PostgresServer::trusted(&server.url("latin"));
    runs_in_another_encoding(&Home::at(url, None, Some(server)));
}
