//! A task that ends its process, as the system does when a process takes too much memory.

use std::process::Command;
use std::time::Duration;

use airlock::{Options, Outbox, OutboxState, Worker};
use airlock_tests::process::{Folder, Process};

use crate::home::{block_on, on_both};
use crate::tasks::{plain, unique};

const URL: &str = "AIRLOCK_TESTS_MEMORY_URL";

/// Ends the process that was started for it, and no other.
#[airlock::task(name = "known.takes_all_memory")]
fn takes_all_memory() {
    if std::env::var_os(URL).is_some() {
        std::process::abort();
    }
}

/// Not a test of its own: a process with a worker, and with that task.
#[test]
#[ignore = "another test runs it, and starts it again"]
fn works_until_a_task_ends_it() {
    let Ok(url) = std::env::var(URL) else { return };
    let outbox = Outbox::new(url).expect("a URL");
    let worker = Worker::new(outbox).concurrency(4).max_rescues(2).lease(Duration::from_millis(400));
    let _ = block_on(worker.poll(Duration::from_millis(20)).run_until(std::future::pending()));
}

on_both! {
    async fn promise_25_a_task_that_is_killed_for_its_memory_ends_dead_and_its_neighbours_done(home) {
        let test = unique();
        home.enqueue(|| {
            takes_all_memory::enqueue_with(Options::new().priority(9))?;
            (0..40).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop))
        });
        let folder = Folder::fresh("memory");
        let start = || {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.args(["--exact", "known::memory::works_until_a_task_ends_it", "--ignored"]).env(URL, &home.url);
            Process::start(&mut command, folder.path().join("log"))
        };
        let (mut process, mut started) = (start(), 1);
        home.until("all have ended", async || {
            if process.has_ended().is_some() {
                process = start();
                started += 1;
            }
            home.rows().await.iter().all(|row| ![OutboxState::Waiting, OutboxState::Running].contains(&row.state))
        })
        .await;
        let rows = home.rows().await;
        assert_eq!((rows[0].state, rows[0].attempts, rows[0].rescues, started), (OutboxState::Dead, 0, 3, 4));
        assert_eq!(rows[0].error.as_deref(), Some("too many workers were lost with it"));
        let neighbours = &rows[1..];
        assert!(neighbours.iter().all(|row| (row.state, row.attempts) == (OutboxState::Done, 1)), "{neighbours:?}");
        // Those that were lost with it twice ran alone after that.
        assert!(neighbours.iter().all(|row| row.rescues <= 2), "{neighbours:?}");
    }
}
