//! How each fault is made.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use airlock_tests::process::Process;
use airlock_tests::servers::Database;

use super::shop::Shop;
use super::{DIES_AT, Fault, LEASE, MOST_PAGES, URL};

/// What workers on Postgres do, by what their statements are like: claim, record, renew, rescue.
const STEPS: [&str; 4] =
    ["WITH RECURSIVE heads%", "WITH given%SET%state = coalesce%", "WITH given%SET leased_until%", "WITH lost%"];

impl Shop {
    pub(super) fn start(&mut self, variable: Option<(&str, String)>) -> Process {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "faults::child::works", "--ignored", "--nocapture"]).env(URL, &self.home.url);
        command.envs(variable);
        self.started += 1;
        Process::start(&mut command, self.logs.path().join(self.started.to_string()))
    }

    pub(super) fn happen(&mut self, fault: Fault) {
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
            Fault::DiesInTask => {
                self.processes.iter_mut().for_each(Process::kill);
                for at in 0..2 {
                    let step = self.random.below(12).to_string();
                    self.processes[at] = self.start(Some((DIES_AT, step)));
                }
                let start = Instant::now();
                // There may be fewer.
                while start.elapsed() < LEASE && self.processes.iter_mut().any(|process| process.has_ended().is_none())
                {
                    self.watch(Duration::from_millis(10));
                }
                self.processes.iter_mut().for_each(Process::kill);
                self.start_all(None);
            }
            Fault::KilledAtStep => {
                let mut holder = Database::at(&self.home.url);
                holder.run("BEGIN; LOCK TABLE airlock_outbox IN EXCLUSIVE MODE");
                let step = self.random.one_of(&STEPS);
                let waits = format!(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '{step}'
                     AND wait_event_type = 'Lock'"
                );
                let start = Instant::now();
                // Not each of them comes.
                while self.database.number(&waits) == 0 && start.elapsed() < LEASE {
                    self.watch(Duration::from_millis(5));
                }
                let waiting = self.database.number(&waits);
                println!("killed while {waiting} workers wait at {step}");
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
                // There is no page left of what was deleted before.
                self.database.run("VACUUM");
                let pages = self.database.number("PRAGMA page_count") + self.random.below(3);
                self.start_all(Some((MOST_PAGES, pages.to_string())));
                let until = self.random.millis(300, 700);
                self.watch(until);
                self.was_full |=
                    self.processes.iter().any(|process| process.log().contains("has no space left on its disk"));
                // What a table had is free for others.
                self.database.run("CREATE TABLE room AS SELECT zeroblob(4000000) AS bytes; DROP TABLE room");
            }
        }
    }

    fn start_all(&mut self, variable: Option<(&str, String)>) {
        for at in 0..2 {
            self.processes[at] = self.start(variable.clone());
        }
    }

    /// Waits until a task runs, and a little longer.
    pub(super) fn aim(&mut self) {
        let start = Instant::now();
        while !self.look().is_running() && start.elapsed() < LEASE {
            thread::park_timeout(Duration::from_millis(1));
        }
        let until = self.random.millis(0, 20);
        self.watch(until);
    }
}
