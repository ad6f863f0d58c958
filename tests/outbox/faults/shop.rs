//! The database of a shop, the processes that work for it, and the rounds that they go through.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use airlock_tests::patience::PATIENCE;
use airlock_tests::process::{Folder, Process, until};
use airlock_tests::servers::{Database, PostgresServer};

use super::child::BEGINS;
use super::orders;
use super::random::Random;
use super::snapshot::Snapshot;
use super::{Fault, LEASE, ORDERS, RECOVERY};
use crate::home::{Home, block_on};

/// The database of a shop, and the processes that work for it.
pub(super) struct Shop {
    pub(super) home: Home,
    pub(super) server: Option<PostgresServer>,
    pub(super) database: Database,
    pub(super) logs: Folder,
    pub(super) processes: Vec<Process>,
    pub(super) started: usize,
    pub(super) random: Random,
    /// Rows that have ended, and how.
    ended: BTreeMap<String, String>,
    /// The last row of the rounds before the one before.
    seen: u64,
    next_order: u64,
    slowest: Duration,
    /// A process has said that it had no room.
    pub(super) was_full: bool,
}

impl Shop {
    pub(super) fn open(home: Home, server: Option<PostgresServer>) -> Self {
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
            was_full: false,
        };
        for _ in 0..2 {
            let process = shop.start(None);
            shop.processes.push(process);
        }
        shop
    }

    /// Places orders, has the fault happen, and looks at all that comes of it.
    fn round(&mut self, fault: Fault) -> String {
        let (first, seen) = (self.next_order, self.last_row());
        self.next_order += ORDERS;
        let (url, outbox) = (self.home.url.clone(), self.home.outbox.clone());
        let mut random = Random::after(&mut self.random);
        if fault == Fault::Full {
            self.processes.iter_mut().for_each(Process::kill);
        }
        let placing = thread::spawn(move || {
            block_on(orders::place(&url, &outbox, first..first + ORDERS, &mut random));
            Instant::now()
        });
        if fault == Fault::Full {
            // Those who place orders would make the file larger.
            until("orders are placed", || placing.is_finished());
        } else {
            let moment = self.random.millis(0, 250);
            self.watch(moment);
            self.aim();
        }
        self.happen(fault);
        // How long a busy machine takes to start a process is not looked at.
        self.processes.iter_mut().for_each(|process| process.await_line(BEGINS));
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
        assert!(took <= LEASE + RECOVERY.mul_f64(crowd()), "too late: {told}");
        told
    }

    /// Looks again and again for so long.
    pub(super) fn watch(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.look();
            thread::park_timeout(Duration::from_millis(20).min(time));
        }
    }

    /// Looks at the rows of this round and the one before.
    pub(super) fn look(&mut self) -> Snapshot {
        let snapshot = Snapshot::after(self.seen, &mut self.database);
        snapshot.check(&mut self.ended);
        snapshot
    }

    fn last_row(&mut self) -> u64 {
        self.database.number("SELECT coalesce(max(seq), 0) FROM airlock_outbox")
    }

    /// As many rounds as the environment says, with all kinds of faults in turn.
    pub(super) fn rounds(mut self, faults: &[Fault]) {
        let rounds = std::env::var("AIRLOCK_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20);
        for round in 0..rounds {
            println!("{round} {}", self.round(faults[round % faults.len()]));
        }
        // Nothing of the first round has changed since.
        self.seen = 0;
        assert!(self.look().is_at_its_end());
        println!("the slowest recovery took {:?}", self.slowest);
        assert!(self.was_full || !faults.contains(&Fault::Full) || rounds < 20, "no disk was full");
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

/// How many processes share a processor, 1 on a machine that isn't busy with more: the time for a recovery is that of one.
fn crowd() -> f64 {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let running: f64 = load.split(' ').next().and_then(|running| running.parse().ok()).unwrap_or_default();
    (running / thread::available_parallelism().map_or(1.0, |processors| processors.get() as f64)).max(1.0)
}
