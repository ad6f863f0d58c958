//! A process that was forked from one that had sent.

use std::process::Command;

use airlock::LambdaExecutor;
use airlock_tests::aws;
use airlock_tests::servers::{Answer, HttpServer};

use crate::tasks::flush_notes;

const URL: &str = "AIRLOCK_TESTS_FORKED";

#[test]
fn a_forked_child_is_told_and_does_not_hang() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "forked::forks", "--ignored", "--nocapture"]).env(URL, server.url());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("parent: dispatched 1"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("child: unavailable 1") && said.contains("this process was forked"), "{said}");
    assert_eq!(server.requests().len(), 2);
}

/// Not a test of its own: it forks its process.
#[test]
#[ignore = "the other test runs it"]
#[allow(clippy::print_stdout, reason = "that is how it tells the other test")]
fn forks() {
    let Ok(url) = std::env::var(URL) else { return };
    let executor = LambdaExecutor::new(aws::client(&url)).functions_by(|_| Some("notes".to_owned()));
    let send = || flush_notes(executor.clone(), 1);
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
