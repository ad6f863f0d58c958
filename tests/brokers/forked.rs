//! A process that was forked from one with a connection.

use std::process::Command;
use std::time::Duration;

use airlock::{CeleryExecutor, DramatiqExecutor};
use airlock_tests::servers::RedisServer;

use crate::tasks::{flush, flush_notes, note};

const URL: &str = "AIRLOCK_TESTS_FORKED";

#[test]
fn a_forked_child_is_told_and_does_not_hang() {
    let server = RedisServer::start();
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", "forked::forks", "--ignored", "--nocapture"]).env(URL, server.url());
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("parent: dispatched 1"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("child: unavailable 1") && said.contains("this process was forked"), "{said}");
    assert_eq!(server.list("notes").len(), 2);
}

/// Each field of the hash is one message: with the same one, the second would take the place of the first.
#[test]
fn children_forked_before_the_first_hand_over_send_messages_of_their_own() {
    let server = RedisServer::start();
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", "forked::forks_first", "--ignored", "--nocapture"]).env(URL, server.url());
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.matches("child: dispatched 10").count(), 2, "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.command(&["HLEN", "dramatiq:notes.msgs"]), redis::Value::Int(20));
}

/// Not a test of its own: it forks its process.
#[test]
#[ignore = "the other test runs it"]
#[allow(clippy::print_stdout, reason = "that is how it tells the other test")]
fn forks_first() {
    let Ok(url) = std::env::var(URL) else { return };
    // The thread has drawn an id.
    drop(note::intent(0));
    let children = [(); 2].map(|()| match fork::fork() {
        Ok(fork::Fork::Child) => {
            let account = flush_notes(DramatiqExecutor::new(&url).expect("a URL"), 10);
            println!("child: dispatched {} {:?}", account.count("dispatched"), account.texts);
            std::process::exit(0);
        }
        Ok(fork::Fork::Parent(child)) => child,
        Err(_) => panic!("it can't fork"),
    });
    for child in children {
        let _ = fork::waitpid(child);
    }
}

/// Not a test of its own: it forks its process.
#[test]
#[ignore = "the other test runs it"]
#[allow(clippy::print_stdout, reason = "that is how it tells the other test")]
fn forks() {
    let Ok(url) = std::env::var(URL) else { return };
    let executor = CeleryExecutor::new(url).expect("a URL");
    let send = || {
        let scope = airlock::scope().executor(executor.clone()).deadline(Duration::from_secs(5));
        flush(scope, || {
            note::enqueue(1).expect("there is a scope");
        })
    };
    send().expect(&[("dispatched", 1)]);
    match fork::fork() {
        Ok(fork::Fork::Child) => {
            let account = send();
            println!("child: unavailable {} {:?}", account.count("unavailable"), account.texts);
            std::process::exit(0);
        }
        Ok(fork::Fork::Parent(child)) => {
            println!("parent: dispatched {}", send().count("dispatched"));
            let _ = fork::waitpid(child);
        }
        Err(_) => panic!("it can't fork"),
    }
}
