//! An outbox and its worker beside hand-written statements on the same table, in one run: the budgets of its design.
//!
//! ```text
//! cargo bench -p airlock-tests --features amqp,celery,outbox,postgres,redis,sqlite,testing --bench outbox [-- PART ...]
//! ```
//!
//! Parts: `insert`, `drain`, `pick_up`, `claims` (with up to a million rows in the table), `memory`, `relay` (to Celery,
//! beside the direct flush); all of them unless some are named. `sqlite` or `postgres` leaves the other database out.
//! Medians of interleaved rounds. Nothing is asserted.

#![allow(clippy::print_stdout, reason = "a program for people")]

mod claims;
mod drain;
mod insert;
mod memory;
mod pick_up;
mod relay;

use airlock::Outbox;
use airlock_tests::process::Folder;
use airlock_tests::servers::{Database, PostgresServer};

#[airlock::task]
async fn nothing(_number: u64) {}

/// A database with the table, and what it is called.
#[derive(Debug)]
struct Place {
    name: &'static str,
    url: String,
    outbox: Outbox,
}

impl Place {
    fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite")
    }

    /// Runs statements on a thread of their own, as this is called on a runtime.
    fn run(&self, statements: &str) {
        std::thread::scope(|threads| threads.spawn(|| Database::at(&self.url).run(statements)).join())
            .expect("they work");
    }

    /// Leaves no row.
    fn empty(&self) {
        self.run(if self.is_sqlite() { "DELETE FROM airlock_outbox" } else { "TRUNCATE airlock_outbox" });
    }

    /// One flush of so many rows.
    fn enqueue(&self, rows: u64) {
        let scope = airlock::scope().executor(self.outbox.clone()).deadline(std::time::Duration::from_secs(60)).enter();
        for number in 0..rows {
            nothing::enqueue(number).expect("there is a scope");
        }
        scope.flush().expect("it is written");
    }
}

fn main() {
    if pick_up::is_child() {
        return pick_up::run_child();
    }
    let (databases, parts): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .partition(|argument| ["sqlite", "postgres"].contains(&argument.as_str()));
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let folder = Folder::fresh("bench");
    let sqlite = format!("sqlite://{}/bench.db", folder.path().display());
    Database::at(&sqlite).run("PRAGMA journal_mode = WAL");
    let server = PostgresServer::start();
    for (name, url) in [("SQLite", sqlite), ("Postgres", server.database("template1"))] {
        if !databases.is_empty() && !databases.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
            continue;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let outbox = Outbox::new(&url).expect("a URL");
        let place = Place { name, url, outbox };
        runtime.expect("a runtime").block_on(async {
            place.outbox.migrate().await.expect("the table is made");
            if is_wanted("insert") {
                insert::measure(&place).await;
            }
            if is_wanted("drain") {
                drain::measure(&place).await;
            }
            if is_wanted("pick_up") {
                pick_up::measure(&place).await;
            }
            if is_wanted("claims") {
                claims::measure(&place).await;
            }
            if is_wanted("memory") {
                memory::measure(&place).await;
            }
        });
    }
    if is_wanted("relay") {
        relay::measure();
    }
}

/// The one in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
