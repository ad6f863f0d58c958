//! Runners such as nextest give each test a process of its own, and run several at a time.

use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// How many at a time.
const SIDE_BY_SIDE: usize = 4;

#[test]
fn each_test_of_the_kit_passes_in_a_process_of_its_own() {
    let this = std::env::current_exe().unwrap();
    let listed = Command::new(&this).args(["--list", "--format", "terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let tests = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    let tests: Vec<_> = tests.filter(|test| !test.starts_with("processes::")).collect();
    assert!(tests.len() > 30, "{tests:?}");
    let (waiting, failed) = (Mutex::new(tests), Mutex::new(Vec::new()));
    thread::scope(|threads| {
        for _ in 0..SIDE_BY_SIDE {
            threads.spawn(|| {
                let next = || waiting.lock().unwrap().pop();
                while let Some(test) = next() {
                    // As nextest does.
                    let ran = Command::new(&this).args(["--exact", test, "--nocapture"]).env("NEXTEST", "1").output();
                    let ran = ran.unwrap();
                    if !ran.status.success() || !String::from_utf8_lossy(&ran.stdout).contains("1 passed") {
                        failed.lock().unwrap().push(format!("{test}: {}", String::from_utf8_lossy(&ran.stderr)));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
