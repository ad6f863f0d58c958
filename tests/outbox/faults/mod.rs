//! Faults at random moments: workers are killed and stopped, connections cut, the server ended, the disk filled, while
//! orders are placed and their tasks run.

mod child;
mod orders;
mod random;
mod snapshot;

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use airlock_tests::patience::PATIENCE;
use airlock_tests::process::{Folder, Process};
use airlock_tests::servers::{Database, PostgresServer};

use crate::home::{Home, block_on};
use random::Random;
use snapshot::Snapshot;

const LEASE: Duration = Duration::from_secs(1);

/// Once what failed works again, all is to be at its end a lease and this much later.
const RECOVERY: Duration = Duration::from_secs(2);

/// The database of a process with workers.
const URL: &str = "AIRLOCK_TESTS_FAULTS_URL";

/// How large SQLite's file may become for it, in pages.
const MOST_PAGES: &str = "AIRLOCK_TESTS_FAULTS_PAGES";

/// How many orders a round places.
const ORDERS: u64 = 12;

/// What workers on Postgres do, by how their statements begin: claim, record, renew, rescue.
const STEPS: [&str; 4] = ["WITH RECURSIVE heads", "WITH ends", "WITH held", "WITH lost"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// A process is killed, and another one started.
    Killed,
    /// All of them are.
    AllKilled,
    /// The same, while one of them waits for what it has asked of the database.
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

/// The database of a shop, and the processes that work for it.
struct Shop {
    home: Home,
    server: Option<PostgresServer>,
    database: Database,
    logs: Folder,
    processes: Vec<Process>,
    started: usize,
    random: Random,
    /// Rows that have ended, and how.
    ended: BTreeMap<String, String>,
    /// The last row of the rounds before the one before.
    seen: u64,
    next_order: u64,
    slowest: Duration,
}

impl Shop {
    fn open(home: Home, server: Option<PostgresServer>) -> Self {
        let mut database = Database::at(&home.url);
        database.run(
            "CREATE TABLE shop_orders (id bigint PRIMARY KEY);
             CREATE TABLE shop_runs
                (run text PRIMARY KEY, id text, placed bigint, attempt bigint, lease bigint, process bigint)",
        );
        let random = Random::seeded(if server.is_some() { "postgres" } else { "sqlite" });
        let logs = Folder::fresh("faults");
        let (processes, ended) = (Vec::new(), BTreeMap::new());
        let slowest = Duration::ZERO;
        let mut shop = Self {
            home,
            server,
            database,
            logs,
            processes,
            started: 0,
            random,
            ended,
            seen: 0,
            next_order: 1,
            slowest,
        };
        for _ in 0..2 {
            let process = shop.start(None);
            shop.processes.push(process);
        }
        shop
    }

    fn start(&mut self, most_pages: Option<u64>) -> Process {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "faults::child::works", "--ignored", "--nocapture"]).env(URL, &self.home.url);
        if let Some(pages) = most_pages {
            command.env(MOST_PAGES, pages.to_string());
        }
        self.started += 1;
        Process::start(&mut command, self.logs.path().join(self.started.to_string()))
    }

    /// Places orders, has the fault happen, and looks at all that comes of it.
    fn round(&mut self, fault: Fault) -> String {
        let (first, seen) = (self.next_order, self.last_row());
        self.next_order += ORDERS;
        let (url, outbox) = (self.home.url.clone(), self.home.outbox.clone());
        let mut random = Random::after(&mut self.random);
        let placing = thread::spawn(move || {
            block_on(orders::place(&url, &outbox, first..first + ORDERS, &mut random));
            Instant::now()
        });
        let until = self.random.millis(0, 250);
        self.watch(until);
        self.aim();
        self.happen(fault);
        let healed = Instant::now();
        let recovering = healed.max(placing.join().expect("orders are placed"));
        while !self.look().is_at_its_end() {
            assert!(recovering.elapsed() < PATIENCE, "not at its end: {:#?}", self.look().unfinished());
            thread::park_timeout(Duration::from_millis(10));
        }
        let took = recovering.elapsed();
        let end = self.look();
        let orders = end.check_end(first, &mut self.database);
        self.seen = seen;
        self.slowest = self.slowest.max(took);
        let told = format!("{fault:?}: {orders} orders, {} leases lost, at its end after {took:?}", end.rescues());
        assert!(took <= LEASE + RECOVERY, "too late: {told}");
        told
    }

    fn happen(&mut self, fault: Fault) {
        let at = usize::try_from(self.random.below(2)).expect("0 or 1");
        match fault {
            Fault::Killed => {
                self.processes[at].kill();
                let until = self.random.millis(0, 300);
                self.watch(until);
                self.processes[at] = self.start(None);
            }
            Fault::AllKilled => {
                self.processes.iter_mut().for_each(Process::kill);
                let until = self.random.millis(0, 300);
                self.watch(until);
                self.start_all(None);
            }
            Fault::KilledAtStep => {
                let mut holder = Database::at(&self.home.url);
                holder.run("BEGIN; LOCK TABLE airlock_outbox IN EXCLUSIVE MODE");
                let step = self.random.one_of(&STEPS);
                let waits = format!(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '{step}%'
                     AND wait_event_type = 'Lock'"
                );
                let start = Instant::now();
                // Not each of them comes.
                while self.database.number(&waits) == 0 && start.elapsed() < LEASE {
                    self.watch(Duration::from_millis(5));
                }
                self.processes.iter_mut().for_each(Process::kill);
                drop(holder);
                self.start_all(None);
            }
            Fault::Stopped => {
                self.processes[at].signal("STOP");
                let until = LEASE + self.random.millis(50, 300);
                self.watch(until);
                self.processes[at].signal("CONT");
            }
            Fault::OneStoppedOtherKilled => {
                self.processes[at].signal("STOP");
                let until = LEASE.mul_f64(0.8) + self.random.millis(0, 200);
                self.watch(until);
                self.processes[1 - at].kill();
                self.processes[1 - at] = self.start(None);
                let until = self.random.millis(50, 300);
                self.watch(until);
                self.processes[at].signal("CONT");
            }
            Fault::Cut => {
                for _ in 0..3 {
                    self.database.run(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                         WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.7",
                    );
                    let until = self.random.millis(0, 100);
                    self.watch(until);
                }
            }
            Fault::Restarted => {
                self.server.as_mut().expect("it is Postgres").restart();
                self.database = Database::at(&self.home.url);
            }
            Fault::Full => {
                self.processes.iter_mut().for_each(Process::kill);
                let pages = self.database.number("PRAGMA page_count") + self.random.below(3);
                self.start_all(Some(pages));
                let until = self.random.millis(300, 700);
                self.watch(until);
                // What a table had is free for others.
                self.database.run("CREATE TABLE room AS SELECT zeroblob(4000000) AS bytes; DROP TABLE room");
            }
        }
    }

    fn start_all(&mut self, most_pages: Option<u64>) {
        for at in 0..2 {
            self.processes[at] = self.start(most_pages);
        }
    }

    /// Waits until a task runs, and a little longer.
    fn aim(&mut self) {
        let start = Instant::now();
        while !self.look().is_running() && start.elapsed() < LEASE {
            thread::park_timeout(Duration::from_millis(1));
        }
        let until = self.random.millis(0, 20);
        self.watch(until);
    }

    /// Looks again and again for so long.
    fn watch(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.look();
            thread::park_timeout(Duration::from_millis(20).min(time));
        }
    }

    /// Looks at the rows of this round and the one before.
    fn look(&mut self) -> Snapshot {
        let snapshot = Snapshot::after(self.seen, &mut self.database);
        snapshot.check(&mut self.ended);
        snapshot
    }

    fn last_row(&mut self) -> u64 {
        self.database.number("SELECT coalesce(max(seq), 0) FROM airlock_outbox")
    }

    /// As many rounds as the environment says, with all kinds of faults in turn.
    fn rounds(mut self, faults: &[Fault]) {
        let rounds = std::env::var("AIRLOCK_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20);
        for round in 0..rounds {
            println!("{round} {}", self.round(faults[round % faults.len()]));
        }
        // Nothing of the first round has changed since.
        self.seen = 0;
        assert!(self.look().is_at_its_end());
        println!("the slowest recovery took {:?}", self.slowest);
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if thread::panicking() {
            for process in &self.processes {
                println!("process {}:\n{}", process.pid(), process.log());
            }
        }
    }
}

#[test]
fn promise_23_whatever_happens_to_workers_on_sqlite_each_row_ends_once() {
    Shop::open(Home::sqlite(), None).rounds(&[
        Fault::Killed,
        Fault::Stopped,
        Fault::Full,
        Fault::AllKilled,
        Fault::OneStoppedOtherKilled,
    ]);
}

#[test]
fn promise_23_whatever_happens_to_workers_on_postgres_each_row_ends_once() {
    let server = PostgresServer::start();
    let home = Home::at(PostgresServer::trusted(&server.database("template1")), None, None);
    let killed = [Fault::Killed, Fault::AllKilled, Fault::KilledAtStep];
    let others = [Fault::Stopped, Fault::Cut, Fault::Restarted, Fault::OneStoppedOtherKilled];
    let faults = [killed.as_slice(), &others].concat();
    Shop::open(home, Some(server)).rounds(&faults);
}
