//! Programs of several versions beside each other. This one is the older of them where a row names a task that it doesn't
//! know, and the newer where a row has an older name.

use std::time::Duration;

use airlock::{Backoff, OutboxState};

use crate::home::{Home, on_both};
use crate::tasks::{note_run, plain, ran, unique};

#[airlock::task(name = "versions.renamed", aliases = ["versions.former"])]
fn renamed(test: String, number: u64) {
    note_run(test, number);
}

/// As it was.
#[airlock::task(name = "versions.shipped")]
fn shipped(test: String, number: u64) {
    note_run(test, number);
}

/// As it is, with a parameter more.
#[airlock::task(name = "versions.shipped_express")]
fn shipped_express(test: String, number: u64, express: bool) {
    note_run(test, number + u64::from(express));
}

/// As it would be with a default for that.
#[airlock::task(name = "versions.shipped_usually")]
fn shipped_usually(test: String, number: u64, #[default = true] express: bool) {
    note_run(test, number + u64::from(express));
}

/// What a program of another version has written.
fn write(home: &Home, number: u32, task: &str, arguments: &str) {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    home.run(&format!(
        "INSERT INTO airlock_outbox (id, task, queue, priority, arguments) VALUES ('{id}', '{task}', 'default', 9, '{arguments}')"
    ));
}

on_both! {
    async fn what_a_newer_program_writes_stays_for_its_workers(home) {
        let test = unique();
        write(&home, 1, "versions.not_here", "[1]");
        write(&home, 2, "versions.not_here", "[2]");
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        home.run_while(home.worker(), home.until("the other one is done", async || {
            home.rows().await[2].state == OutboxState::Done
        })).await;
        let rows = home.rows().await;
        assert!(rows[..2].iter().all(|row| (row.state, row.attempts, row.rescues) == (OutboxState::Waiting, 0, 0)));
        assert_eq!(home.outbox.stats().await.expect("stats").unknown, [("versions.not_here".to_owned(), 2)]);
    }

    async fn what_an_older_program_writes_runs_under_its_former_name(home) {
        let test = unique();
        write(&home, 1, "versions.former", &format!("[\"{test}\", 1]"));
        home.enqueue(|| renamed::enqueue(test.clone(), 2));
        home.drain(home.worker().concurrency(1)).await;
        assert_eq!(ran(&test), [1, 2]);
        // Each under the name it was written with.
        assert_eq!(home.rows().await.iter().map(|row| row.task.as_str()).collect::<Vec<_>>(), ["versions.former", "versions.renamed"]);
    }

    async fn a_parameter_without_a_default_fails_on_the_older_program_and_runs_on_the_newer(home) {
        let test = unique();
        // The newer program's, on the older one: that fails, and is tried again later.
        write(&home, 1, "versions.shipped", &format!("{{\"test\": \"{test}\", \"number\": 1, \"express\": true}}"));
        let hours = Backoff::exponential(Duration::from_secs(7200), Duration::from_secs(7200));
        let failed = home.until("it has failed", async || home.rows().await[0].attempts == 1);
        let report = home.run_while(home.worker().backoff(hours), failed).await;
        assert_eq!((report.retried, report.dead, ran(&test)), (1, 0, vec![]));
        let row = home.rows().await.remove(0);
        let error = row.error.unwrap_or_default();
        assert!(error.contains("express"), "{error}");
        // The newer one has it when its pause is over: the same row, under what is the same name there.
        let now = home.an_hour_ago();
        home.run(&format!("UPDATE airlock_outbox SET task = 'versions.shipped_express', due = {now}"));
        home.drain(home.worker()).await;
        assert_eq!(ran(&test), [2]);
        let row = home.rows().await.remove(0);
        assert_eq!((row.state, row.attempts, row.error), (OutboxState::Done, 2, None));
    }

    async fn what_an_older_program_writes_fails_without_a_default_and_runs_with_one(home) {
        let test = unique();
        write(&home, 1, "versions.shipped_express", &format!("{{\"test\": \"{test}\", \"number\": 1}}"));
        write(&home, 2, "versions.shipped_usually", &format!("{{\"test\": \"{test}\", \"number\": 10}}"));
        let report = home.drain(home.worker().max_retries(2)).await;
        assert_eq!((report.done, report.retried, report.dead, ran(&test)), (1, 2, 1, vec![11]));
        let error = home.rows().await[0].error.clone().unwrap_or_default();
        assert!(error.contains("express"), "{error}");
    }
}
