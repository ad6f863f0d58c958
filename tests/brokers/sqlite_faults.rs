//! SQLite at its worst: a flush is there as a whole, or not at all.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use airlock::HueyExecutor;
use airlock_tests::process::{Folder, until};
use airlock_tests::servers::{Database, DjangoDatabase};

use crate::sql_systems::{DEADLINE, PATIENT, System, each, notes, nothing_left};
use crate::tasks::{flush, heavy, note};

#[test]
fn a_flush_waits_for_another_writer_of_sqlite_and_is_written_when_that_is_done() {
    each(|system| {
        let database = DjangoDatabase::sqlite();
        let mut other = database.open();
        other.run("BEGIN IMMEDIATE");
        std::thread::scope(|scope| {
            let flush = scope.spawn(|| notes(system.executor(database.url()), PATIENT, 5000));
            other.run("CREATE TABLE meanwhile (id int)");
            assert!(!flush.is_finished());
            other.run("COMMIT");
            flush.join().expect("no panic").expect(&[("dispatched", 5000)]);
        });
        assert_eq!(system.count(database.url()), 5000);
    });
}

#[test]
fn the_first_flush_waits_for_a_lock_on_sqlite_as_every_later_one_does() {
    let database = DjangoDatabase::sqlite();
    let short = Duration::from_millis(10);
    let mut other = database.open();
    // No other connection may even read: neither the pages nor what a connection asks for as it begins.
    other.run("BEGIN EXCLUSIVE");
    std::thread::scope(|scope| {
        let executor = HueyExecutor::new(database.url()).expect("a URL").connect_timeout(short);
        let start = Instant::now();
        let flush = scope.spawn(|| notes(Arc::new(executor), PATIENT, 300));
        until("a connection would have been given up", || start.elapsed() > short * 20);
        assert!(!flush.is_finished());
        other.run("COMMIT");
        flush.join().expect("no panic").expect(&[("dispatched", 300)]);
    });
    // A later flush has no more time than it says, and the first one neither.
    other.run("BEGIN EXCLUSIVE");
    let account = notes(Arc::new(HueyExecutor::new(database.url()).expect("a URL")), DEADLINE, 300);
    account.took_at_most(DEADLINE);
    account.says("is locked by another connection");
    nothing_left(&account);
}

#[test]
fn a_flush_waits_for_a_reader_of_sqlite_with_its_commit() {
    each(|system| {
        let database = DjangoDatabase::sqlite();
        let (mut reader, mut another) = (database.open(), database.open());
        reader.run("BEGIN");
        let _ = reader.number("SELECT count(*) FROM sqlite_master");
        another.run("PRAGMA busy_timeout = 0");
        std::thread::scope(|scope| {
            let flush = scope.spawn(|| notes(system.executor(database.url()), PATIENT, 300));
            // A connection that waits with a commit lets no other read any more.
            until("it waits", || !another.works("SELECT count(*) FROM sqlite_master"));
            assert!(!flush.is_finished());
            reader.run("COMMIT");
            flush.join().expect("no panic").expect(&[("dispatched", 300)]);
        });
        assert_eq!(system.count(database.url()), 300);
    });
}

#[test]
fn a_writer_that_keeps_sqlite_locked_costs_the_deadline_and_nothing_is_half_written() {
    each(|system| {
        let database = DjangoDatabase::sqlite();
        let executor = system.executor(database.url());
        notes(executor.clone(), PATIENT, 1).expect(&[("dispatched", 1)]);
        let mut other = database.open();
        other.run("BEGIN IMMEDIATE");
        let account = notes(executor.clone(), DEADLINE, 300);
        account.took_at_most(DEADLINE);
        account.says("is locked by another connection and was not released in time (5);");
        nothing_left(&account);
        assert_eq!(account.count("rejected"), 0);
        other.run("COMMIT");
        assert_eq!(system.count(database.url()), 1);
        // The next one goes through the same connection.
        notes(executor, PATIENT, 10).expect(&[("dispatched", 10)]);
        assert_eq!(system.count(database.url()), 11);
    });
}

#[test]
fn a_reader_that_keeps_sqlite_from_committing_costs_the_deadline_and_it_is_known_that_nothing_was_written() {
    each(|system| {
        // Without a write-ahead log, readers are in the way of a commit.
        let database = DjangoDatabase::sqlite();
        let executor = system.executor(database.url());
        notes(executor.clone(), PATIENT, 1).expect(&[("dispatched", 1)]);
        let mut reader = database.open();
        reader.run("BEGIN");
        let _ = reader.number("SELECT count(*) FROM sqlite_master");
        let account = notes(executor.clone(), DEADLINE, 300);
        account.took_at_most(DEADLINE);
        account.says("is read by another connection, which did not end in time (5);");
        nothing_left(&account);
        reader.run("COMMIT");
        assert_eq!(system.count(database.url()), 1);
        notes(executor, PATIENT, 10).expect(&[("dispatched", 10)]);
        assert_eq!(system.count(database.url()), 11);
    });
}

#[test]
fn a_flush_that_is_larger_than_the_cache_of_sqlite_waits_for_a_reader_with_its_commit_alone() {
    let database = DjangoDatabase::sqlite();
    let executor = System::Huey.executor(database.url());
    notes(executor.clone(), PATIENT, 1).expect(&[("dispatched", 1)]);
    let mut reader = database.open();
    reader.run("BEGIN");
    let _ = reader.number("SELECT count(*) FROM sqlite_master");
    // 18 MiB, where the cache holds 16.
    let text = "x".repeat(1 << 20);
    let account = flush(airlock::scope().executor(executor.clone()).deadline(3 * DEADLINE), || {
        for number in 0..18 {
            heavy::enqueue(number, text.clone()).expect("there is a scope");
        }
    });
    account.took_at_most(3 * DEADLINE);
    account.says("is read by another connection, which did not end in time (5);");
    nothing_left(&account);
    reader.run("COMMIT");
    assert_eq!(System::Huey.count(database.url()), 1);
    notes(executor, PATIENT, 10).expect(&[("dispatched", 10)]);
    assert_eq!(System::Huey.count(database.url()), 11);
}

/// Can be encoded once: when it is judged, and not when it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize)]
struct Fickle {
    #[serde(skip)]
    was_encoded: Arc<AtomicBool>,
}

impl serde::Serialize for Fickle {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.was_encoded.swap(true, Ordering::Relaxed) {
            return Err(serde::ser::Error::custom("once is enough"));
        }
        serializer.serialize_unit()
    }
}

#[airlock::task(name = "tests.fickle")]
fn fickle(value: Fickle);

#[test]
fn what_can_not_be_encoded_any_more_takes_the_rest_of_its_flush_back() {
    each(|system| {
        let database = DjangoDatabase::sqlite();
        let executor = system.executor(database.url());
        let account = flush(airlock::scope().executor(executor.clone()).deadline(PATIENT), || {
            (0..3000).for_each(|number| drop(note::enqueue(number)));
            fickle::enqueue(Fickle::default()).expect("there is a scope");
            note::enqueue(3000).expect("there is a scope");
        });
        account.says("got only a part of the flush before it ended; nothing of it was committed");
        assert_eq!((account.count("rejected"), account.ends[3000].1), (1, "rejected"), "{:?}", account.texts);
        nothing_left(&account);
        assert_eq!(system.count(database.url()), 0);
        notes(executor, PATIENT, 10).expect(&[("dispatched", 10)]);
    });
}

#[test]
fn a_file_without_the_table_is_told_with_what_makes_it() {
    let folder = Folder::fresh("empty");
    let url = format!("sqlite://{}/db.sqlite3", folder.path().display());
    Database::at(&url).run("CREATE TABLE other (id int)");
    each(|system| {
        let account = notes(system.executor(&url), PATIENT, 2500);
        account.expect(&[("rejected", 2500)]);
        let (table, remedy) = (system.table(&url), system.remedy(&url));
        account.says(&format!("has no table `{table}` as it should be (1); {remedy}"));
    });
}

#[test]
fn files_that_are_no_databases_are_told() {
    each(|system| {
        let folder = Folder::fresh("none");
        let at = |name: &str| format!("sqlite://{}/{name}", folder.path().display());
        let account = notes(system.executor(&at("missing.sqlite3")), PATIENT, 10);
        account.expect(&[("rejected", 10)]);
        account.says("can't be opened (14); look at the path in the URL");
        assert!(!folder.path().join("missing.sqlite3").exists());
        std::fs::write(folder.path().join("text"), "no database, and longer than its header is".repeat(100))
            .expect("a file");
        let account = notes(system.executor(&at("text")), PATIENT, 10);
        account.expect(&[("rejected", 10)]);
        account.says("is damaged, or no SQLite database (26)");
    });
}

#[test]
fn a_file_that_has_taken_the_place_of_another_is_the_one_written_to() {
    let (database, other) = (DjangoDatabase::sqlite(), DjangoDatabase::sqlite());
    let executor = System::Huey.executor(database.url());
    notes(executor.clone(), PATIENT, 1).expect(&[("dispatched", 1)]);
    let path = |database: &DjangoDatabase| database.url().trim_start_matches("sqlite://").to_owned();
    std::fs::rename(path(&other), path(&database)).expect("a file can take another's place");
    notes(executor, PATIENT, 3).expect(&[("dispatched", 3)]);
    assert_eq!(System::Huey.count(database.url()), 3);
}

/// A file system of two megabytes, which only root can make, with a database.
struct Small(Folder);

impl Small {
    fn mount() -> Self {
        let folder = Folder::fresh("small");
        mount(&folder, "size=2m");
        let path = folder.path().join("db.sqlite3");
        let database = DjangoDatabase::sqlite();
        std::fs::copy(database.url().trim_start_matches("sqlite://"), path).expect("it is small enough");
        Self(folder)
    }

    fn url(&self) -> String {
        format!("sqlite://{}/db.sqlite3", self.0.path().display())
    }

    fn make_read_only(&self) {
        mount(&self.0, "remount,ro");
    }
}

fn mount(folder: &Folder, options: &str) {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).status();
    assert!(mounted.is_ok_and(|status| status.success()), "a small file system can't be mounted; run as root");
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_unavailable_and_nothing_is_half_written() {
    each(|system| {
        let small = Small::mount();
        let url = small.url();
        let executor = system.executor(&url);
        let account = notes(executor.clone(), PATIENT, 20_000);
        account.says("has no space left on its disk (13)");
        assert!(account.count("unavailable") > 0);
        nothing_left(&account);
        assert_eq!(account.count("rejected"), 0);
        assert_eq!(system.count(&url), 0);
        // There is room for a few, and the connection is as good as before.
        notes(executor, PATIENT, 10).expect(&[("dispatched", 10)]);
        assert_eq!(system.count(&url), 10);
    });
}

#[test]
fn a_file_that_can_only_be_read_is_told() {
    each(|system| {
        let small = Small::mount();
        small.make_read_only();
        let account = notes(system.executor(&small.url()), PATIENT, 3000);
        account.expect(&[("rejected", 3000)]);
        account.says("can't be written to (8); let this process write to the file and its folder");
    });
}
