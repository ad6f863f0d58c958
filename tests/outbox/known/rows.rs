//! Rows that change while others look at them.

use std::process::Command;
use std::time::Duration;

use airlock::{CommitError, Options, OutboxState};
use airlock_tests::process::{Folder, Process};
use airlock_tests::servers::Database;
use sqlx::{Connection, PgConnection, SqlitePool};

use crate::crashes::URL;
use crate::home::{Home, block_on, on_both};
use crate::leases::strand;
use crate::tasks::{plain, ran, stuck, unique};

/// Its worker was not lost, and is about to commit, while another one looks for rows of lost workers.
fn a_row_that_ends_while_it_is_rescued(home: &Home, begin: &str) {
    let (mut holder, test) = (Database::at(&home.url), unique());
    home.enqueue(|| (1..=2).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
    strand(home, "1 = 1", 0);
    let ended = home.an_hour_ago();
    holder.run(&format!(
        "{begin}; UPDATE airlock_outbox SET state = 'done', leased_until = NULL, attempts = 1, ended = {ended} WHERE seq = 1"
    ));
    block_on(async {
        let story = async {
            if begin == "BEGIN" {
                home.until("the other one was rescued", async || ran(&test) == [2]).await;
            }
            tokio::task::block_in_place(|| holder.run("COMMIT"));
            // Another one, so that it is known to have looked once more.
            home.enqueue(|| plain::enqueue_with(Options::new().delay(Duration::from_secs(3600)), test.clone(), 3));
            strand(home, "seq = 3", 0);
            home.until("that was rescued", async || home.rows().await[2].rescues == 1).await;
            home.all_have_ended().await;
        };
        home.run_while(home.worker(), story).await;
        let mut ran = ran(&test);
        // Rescued together, they run side by side.
        ran.sort_unstable();
        assert_eq!(ran, [2, 3]);
        let row = home.rows().await.remove(0);
        assert_eq!((row.state, row.attempts, row.rescues), (OutboxState::Done, 1, 0));
    });
}

#[test]
fn promise_23_a_row_that_ends_while_it_is_rescued_stays_ended_on_sqlite() {
    a_row_that_ends_while_it_is_rescued(&Home::sqlite(), "BEGIN IMMEDIATE");
}

#[test]
fn promise_23_a_row_that_ends_while_it_is_rescued_stays_ended_on_postgres() {
    a_row_that_ends_while_it_is_rescued(&Home::postgres(), "BEGIN");
}

on_both! {
    async fn one_row_that_is_there_already_among_five_hundred_keeps_none_of_the_others_out(home) {
        let test = unique();
        let first = plain::intent(test.clone(), 250);
        let again = airlock::registry().decode(&serde_json::to_string(&first).expect("JSON")).expect("it is one");
        for intents in [vec![first], (0..250).map(|number| plain::intent(test.clone(), number)).chain([again])
            .chain((251..500).map(|number| plain::intent(test.clone(), number))).collect()] {
            let scope = airlock::scope().executor(home.outbox.clone()).enter();
            for intent in intents {
                airlock::Scope::current().expect("a scope").push(intent).expect("it is taken");
            }
            scope.flush().expect("it is written");
        }
        home.drain(home.worker()).await;
        let mut numbers = ran(&test);
        numbers.sort_unstable();
        assert_eq!(numbers, (0..500).collect::<Vec<_>>());
        assert_eq!(home.states().await, [(OutboxState::Done, 500)]);
    }
}

#[test]
fn promise_21_what_commits_after_a_later_one_was_drained_is_found() {
    let (home, test) = (Home::postgres(), unique());
    block_on(async {
        let sealed = |number| {
            let scope = airlock::scope().executor(home.outbox.clone()).open();
            scope.run(|| plain::enqueue(test.clone(), number)).expect("there is a scope");
            scope.seal().expect("nothing is refused")
        };
        let mut connection = PgConnection::connect(&home.url).await.expect("it can be opened");
        let mut transaction = connection.begin().await.expect("a transaction");
        home.outbox.insert(&mut *transaction, sealed(1)).await.expect("it is written");
        let story = async {
            // Its numbers are higher, in the order of insertion and in time.
            home.enqueue(|| plain::enqueue(test.clone(), 2));
            home.all_have_ended().await;
            assert_eq!(ran(&test), [2]);
            transaction.commit().await.expect("it is committed");
            home.until("it was found", async || ran(&test) == [2, 1]).await;
        };
        home.run_while(home.worker(), story).await;
        assert_eq!(home.states().await, [(OutboxState::Done, 2)]);
    });
}

#[test]
fn promise_21_a_snapshot_that_another_process_made_old_commits_nothing() {
    let (home, test) = (Home::sqlite(), unique());
    let folder = Folder::fresh("snapshot");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "crashes::works_until_it_is_killed", "--ignored"]).env(URL, &home.url);
    block_on(async {
        let pool = SqlitePool::connect(&home.url).await.expect("it can be opened");
        let scope = |number| {
            let scope = airlock::scope().executor(home.outbox.clone()).open();
            scope.run(|| plain::enqueue(test.clone(), number)).expect("there is a scope");
            scope
        };
        home.enqueue(|| stuck::enqueue(test.clone(), 1));
        let mut transaction = pool.begin().await.expect("a transaction");
        sqlx::raw_sql("SELECT * FROM airlock_outbox").execute(&mut *transaction).await.expect("it can be read");
        let worker = Process::start(&mut command, folder.path().join("log"));
        home.until("the other process has written", async || home.rows().await[0].state == OutboxState::Done).await;
        let error = scope(2).commit(transaction).await.expect_err("it is too old");
        assert!(matches!(error, CommitError::NotCommitted(_)), "{error}");
        let code = error.database().and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("517"), "SQLITE_BUSY_SNAPSHOT");
        drop(error.into_intents());
        let transaction = pool.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
        scope(3).commit(transaction).await.expect("it is committed");
        home.all_have_ended().await;
        assert_eq!(home.states().await, [(OutboxState::Done, 2)]);
        drop(worker);
    });
}
