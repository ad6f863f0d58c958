//! What is under way is bounded, whatever the size of the flush.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use airlock::{CeleryExecutor, Executor, Options};
use airlock_tests::servers::{DjangoDatabase, RabbitServer, RedisServer};

use crate::rabbit::queue_of_its_own;
use crate::sql_systems::System;
use crate::tasks::{flush, heavy};

const URL: &str = "AIRLOCK_TESTS_MEMORY_URL";
const QUEUE: &str = "AIRLOCK_TESTS_MEMORY_QUEUE";
const SIZE: &str = "AIRLOCK_TESTS_MEMORY_SIZE";

/// As many intents with texts of so many bytes, in a process of their own, take far less than all of their messages would.
#[track_caller]
fn takes_some_jobs_at_most(url: &str, queue: &str, (count, bytes): (usize, usize)) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "memory::flushes", "--ignored", "--nocapture"]);
    command.env(URL, url).env(QUEUE, queue).env(SIZE, format!("{count} {bytes}"));
    let output = command.output().expect("it runs");
    let said = String::from_utf8(output.stdout).expect("text");
    let grown = said.lines().find_map(|line| line.strip_prefix("grown "));
    let Some(grown) = grown.and_then(|grown| grown.parse::<usize>().ok()) else {
        panic!("{said}{}", String::from_utf8_lossy(&output.stderr));
    };
    let all = count * bytes / 1024;
    assert!(grown < all * 3 / 4, "{grown} KiB more than before the flush, and all texts are {all}");
}

/// Not a test of its own: what is measured is a process.
#[test]
#[ignore = "the other tests run it"]
#[allow(clippy::print_stdout, reason = "that is how it tells the other tests")]
fn flushes() {
    let [Ok(url), Ok(queue), Ok(size)] = [URL, QUEUE, SIZE].map(std::env::var) else { return };
    let executor: Arc<dyn Executor> = match url.split(':').next() {
        Some("sqlite") => System::DjangoQ.executor(&url),
        Some("postgres") => System::DjangoTasks.executor(&url),
        _ => Arc::new(CeleryExecutor::new(&url).expect("a URL").declare()),
    };
    let [count, bytes] =
        [0, 1].map(|at| size.split(' ').nth(at).and_then(|number| number.parse().ok()).expect("a number"));
    let (text, mut before) = ("x".repeat(bytes), 0);
    let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(120));
    let account = flush(scope, || {
        for number in 0..count as u64 {
            let options = Options::new().queue(queue.clone());
            heavy::enqueue_with(options, number, text.clone()).expect("there is a scope");
        }
        before = peak();
    });
    account.expect(&[("dispatched", count)]);
    println!("\ngrown {}", peak() - before);
}

/// The most that this process has had in memory, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Far more than may be under way: soon made for the suite, and of a hundred thousand for a long run.
fn size() -> (usize, usize) {
    if crate::tasks::rounds(1) > 1 { (100_000, 1_000) } else { (4_000, 10_000) }
}

#[test]
fn a_large_flush_takes_no_more_memory_than_its_intents_and_some_jobs_for_redis() {
    let server = RedisServer::start_with(&["--appendonly", "no"]);
    takes_some_jobs_at_most(&server.url(), "notes", size());
}

#[test]
fn a_large_flush_takes_no_more_memory_than_its_intents_and_some_jobs_for_rabbitmq() {
    takes_some_jobs_at_most(&RabbitServer::shared().url(), &queue_of_its_own(), size());
}

#[test]
fn a_large_flush_takes_no_more_memory_than_its_intents_and_some_rows_for_sqlite() {
    takes_some_jobs_at_most(DjangoDatabase::sqlite().url(), "notes", size());
}

#[test]
fn a_large_flush_takes_no_more_memory_than_its_intents_and_some_rows_for_postgres() {
    takes_some_jobs_at_most(DjangoDatabase::postgres().url(), "notes", size());
}
