//! What workers survive: the end of their process, of their connections and of the database, and rows that can't be run.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use airlock::OutboxState;
use airlock_tests::process::{Folder, Process};
use airlock_tests::servers::PostgresServer;
use tokio::sync::oneshot;

use crate::home::{Home, block_on, on_both};
use crate::tasks::{STUCK, leaves, plain, ran, stuck, unique};

pub(crate) const URL: &str = "AIRLOCK_TESTS_OUTBOX";

on_both! {
    async fn promise_25_rows_that_can_not_be_read_cost_themselves_alone(home) {
        let test = unique();
        let ids = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000003"];
        home.run(&format!(
            "INSERT INTO airlock_outbox (id, task, queue, priority, arguments, options, max_retries) VALUES
             ('{}', 'plain', 'default', 9, 'no JSON', NULL, 0),
             ('{}', 'plain', 'default', 9, '{{\"test\": 1, \"number\": 2}}', NULL, 0),
             ('{}', 'plain', 'default', 9, '[]', '{{\"unknown\": 1}}', 0)",
            ids[0], ids[1], ids[2],
        ));
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        home.drain(home.worker()).await;
        assert_eq!((ran(&test), home.states().await), (vec![1], vec![(OutboxState::Done, 1), (OutboxState::Dead, 3)]));
        for row in home.rows().await.iter().filter(|row| row.state == OutboxState::Dead) {
            assert!(row.error.as_ref().is_some_and(|error| error.starts_with("the row can't be read: ")), "{:?}", row.error);
        }
    }

    async fn promise_25_one_run_whose_follow_up_is_refused_keeps_none_of_its_group_from_being_recorded(home) {
        let (well, badly) = (unique(), format!("poison {}", unique()));
        home.run(if home.url.starts_with("sqlite") {
            "CREATE TRIGGER refuses BEFORE INSERT ON airlock_outbox WHEN new.task = 'plain' AND new.arguments LIKE '%poison%'
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        } else {
            "ALTER TABLE airlock_outbox ADD CHECK (task <> 'plain' OR arguments NOT LIKE '%poison%')"
        });
        home.enqueue(|| {
            (0..40).try_for_each(|_| leaves::enqueue(well.clone(), 1, true).map(drop))?;
            leaves::enqueue(badly.clone(), 1, true)?;
            (0..40).try_for_each(|_| leaves::enqueue(well.clone(), 1, true).map(drop))
        });
        let report = home.drain(home.worker()).await;
        assert_eq!((ran(&well).len(), ran(&badly).len()), (80, 0));
        assert_eq!((report.done, report.dead, report.stale), (160, 1, 0));
    }

    async fn promise_21_what_is_inserted_runs_if_and_only_if_its_transaction_commits(home) {
        let (well, badly) = (unique(), unique());
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn(home.worker().poll(Duration::from_secs(3600)).run_until(async { drop(stopped.await) }));
        home.insert(&badly, false).await;
        home.insert(&well, true).await;
        // It has heard that something was written, and looks until that is committed.
        home.until("it has run", async || ran(&well) == [1]).await;
        drop(stop);
        worker.await.expect("no panic").expect("it starts");
        assert_eq!((ran(&badly), home.rows().await.len()), (vec![], 1));
    }

    async fn promise_21_what_a_scope_commits_runs_and_what_is_not_committed_never_does(home) {
        let (well, badly) = (unique(), unique());
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn(home.worker().poll(Duration::from_secs(3600)).run_until(async { drop(stopped.await) }));
        home.commit(&badly, true).await;
        home.commit(&well, false).await;
        home.until("it has run", async || ran(&well) == [1]).await;
        drop(stop);
        worker.await.expect("no panic").expect("it starts");
        assert_eq!((ran(&badly), home.rows().await.len()), (vec![], 1));
    }

    async fn promise_23_what_a_killed_process_had_runs_in_another_and_is_done_once(home) {
        let test = unique();
        home.enqueue(|| (0..20).try_for_each(|number| stuck::enqueue(test.clone(), number).map(drop)));
        let folder = Folder::fresh("killed");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "crashes::works_until_it_is_killed", "--ignored"]).env(URL, &home.url).env(STUCK, "yes");
        let mut process = Process::start(&mut command, folder.path().join("log"));
        let running = async || home.rows().await.iter().filter(|row| row.state == OutboxState::Running).count();
        home.until("it has four", async || running().await >= 4).await;
        process.kill();
        let report = home.drain(home.worker()).await;
        let (mut numbers, rows) = (ran(&test), home.rows().await);
        numbers.sort_unstable();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
        assert!(rows.iter().all(|row| (row.state, row.attempts) == (OutboxState::Done, 1)));
        let rescued = rows.iter().filter(|row| row.rescues == 1).count();
        assert!(rescued >= 4 && report.rescued as usize == rescued, "{rescued} {report}");
    }
}

/// Not a test of its own: a process with a worker whose tasks never end.
#[test]
#[ignore = "another test runs it, and kills it"]
fn works_until_it_is_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let outbox = airlock::Outbox::new(url).expect("a URL");
    let worker = airlock::Worker::new(outbox).concurrency(4).lease(Duration::from_secs(1));
    let _ = block_on(worker.run_until(std::future::pending()));
}

#[test]
fn promise_25_a_worker_goes_on_when_its_connections_are_ended() {
    let home = Home::postgres();
    let test = unique();
    block_on(async {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn(home.worker().run_until(async { drop(stopped.await) }));
        for round in 0..5 {
            home.enqueue(|| (0..40).try_for_each(|number| plain::enqueue(test.clone(), round * 40 + number).map(drop)));
            home.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'airlock' AND datname = current_database()");
        }
        home.all_have_ended().await;
        drop(stop);
        worker.await.expect("no panic").expect("it starts");
        assert_eq!(ran(&test).into_iter().collect::<BTreeSet<_>>(), (0..200).collect());
        assert_eq!(home.states().await, [(OutboxState::Done, 200)]);
    });
}

#[test]
fn promise_25_a_worker_goes_on_after_a_restart_of_postgres() {
    let mut server = PostgresServer::start();
    let home = Home::at(PostgresServer::trusted(&server.database("template1")), None, None);
    let test = unique();
    block_on(async {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn(home.worker().run_until(async { drop(stopped.await) }));
        home.enqueue(|| (0..20).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
        tokio::task::block_in_place(|| server.restart());
        home.enqueue(|| (20..40).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
        home.all_have_ended().await;
        drop(stop);
        worker.await.expect("no panic").expect("it starts");
        assert_eq!(ran(&test).into_iter().collect::<BTreeSet<_>>(), (0..40).collect());
        assert_eq!(home.states().await, [(OutboxState::Done, 40)]);
    });
}

#[test]
fn a_worker_that_listens_hears_at_once_of_what_another_process_commits() {
    let home = Home::postgres();
    let test = unique();
    block_on(async {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = home.worker().poll(Duration::from_secs(3600)).listen();
        let worker = tokio::spawn(worker.run_until(async { drop(stopped.await) }));
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        home.until("the worker works", async || ran(&test) == [1]).await;
        // As another process does: by hand, with what its outbox would send.
        home.run("INSERT INTO airlock_outbox (id, task, queue, arguments) VALUES (gen_random_uuid(), 'plain', 'default', '[\"\", 2]')");
        home.until("it is told until it listens", async || {
            home.run("NOTIFY airlock_outbox");
            home.states().await == [(OutboxState::Done, 2)]
        })
        .await;
        drop(stop);
        worker.await.expect("no panic").expect("it starts");
    });
}
