//! Faults at random moments: workers are killed and stopped, connections cut, the server ended, the disk filled, while
//! orders are placed and their tasks run.

#![allow(clippy::print_stdout, reason = "a failure shows the rounds before it, and a process says when it begins")]

mod child;
mod happen;
mod orders;
mod random;
mod shop;
mod snapshot;

use std::time::Duration;

use airlock_tests::servers::PostgresServer;

use crate::home::Home;
use shop::Shop;

const LEASE: Duration = Duration::from_secs(1);

/// Once what failed works again, all is to be at its end a lease and this much later.
const RECOVERY: Duration = Duration::from_secs(2);

/// The database of a process with workers.
const URL: &str = "AIRLOCK_TESTS_FAULTS_URL";

/// How large SQLite's file may become for it, in pages.
const MOST_PAGES: &str = "AIRLOCK_TESTS_FAULTS_PAGES";

/// At which step of its tasks a process ends.
const DIES_AT: &str = "AIRLOCK_TESTS_FAULTS_DIES_AT";

/// How many orders a round places.
const ORDERS: u64 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// A process is killed, and another one started.
    Killed,
    /// All of them are.
    AllKilled,
    /// A process ends in the middle of a task: before it has noted its run, after that, or with all that it leaves.
    DiesInTask,
    /// All of them are killed while one of them waits for what it has asked of the database.
    KilledAtStep,
    /// A process is stopped for longer than its leases, and goes on.
    Stopped,
    /// The same, and the other one is killed meanwhile.
    OneStoppedOtherKilled,
    /// The server ends connections.
    Cut,
    /// The server is killed, and started again.
    Restarted,
    /// The disk is full for a process, until there is room again.
    Full,
}

#[test]
fn promise_23_whatever_happens_to_workers_on_sqlite_each_row_ends_once() {
    let killed = [Fault::Killed, Fault::DiesInTask, Fault::AllKilled];
    let others = [Fault::Stopped, Fault::Full, Fault::OneStoppedOtherKilled];
    Shop::open(Home::sqlite(), None).rounds(&[killed, others].concat());
}

#[test]
fn promise_23_whatever_happens_to_workers_on_postgres_each_row_ends_once() {
    let server = PostgresServer::start();
    let home = Home::at(PostgresServer::trusted(&server.database("template1")), None, None);
    let killed = [Fault::Killed, Fault::AllKilled, Fault::KilledAtStep, Fault::DiesInTask];
    let others = [Fault::Stopped, Fault::Cut, Fault::Restarted, Fault::OneStoppedOtherKilled];
    let faults = [killed.as_slice(), &others].concat();
    Shop::open(home, Some(server)).rounds(&faults);
}
