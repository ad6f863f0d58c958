//! SQL databases at their worst: a flush is there as a whole, or not at all.

use std::process::Command;
use std::time::Duration;

use airlock::DjangoTasksExecutor;
use airlock_tests::process::{Folder, until};
use airlock_tests::servers::{Database, DjangoDatabase, PostgresServer};

use crate::tasks::{Account, flush, note};

const DEADLINE: Duration = Duration::from_secs(2);
const COUNT: &str = "SELECT count(*) FROM django_tasks_database_dbtaskresult";

fn django(url: &str) -> DjangoTasksExecutor {
    DjangoTasksExecutor::new(url).expect("a URL")
}

fn notes(executor: DjangoTasksExecutor, deadline: Duration, count: u64) -> Account {
    flush(airlock::scope().executor(executor).deadline(deadline), || {
        (0..count).for_each(|number| drop(note::enqueue(number)));
    })
}

/// The table has all of it or nothing, as the account says.
#[track_caller]
fn agrees(account: &Account, there: u64, count: usize) {
    let (dispatched, unconfirmed) = (account.count("dispatched"), account.count("unconfirmed"));
    assert!(dispatched == 0 || dispatched == count, "{dispatched} of {count} dispatched: {:?}", account.texts);
    match (dispatched, unconfirmed) {
        (0, 0) => assert_eq!(there, 0, "{:?}", account.texts),
        (0, _) => assert!(there == 0 || there == count as u64, "{there} of {count} are there"),
        _ => assert_eq!(there, count as u64),
    }
}

#[test]
fn a_flush_waits_for_another_writer_of_sqlite_and_is_written_when_that_is_done() {
    let database = DjangoDatabase::sqlite();
    let mut other = database.open();
    other.run("BEGIN IMMEDIATE");
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| notes(django(database.url()), Duration::from_secs(30), 5000));
        other.run("CREATE TABLE meanwhile (id int)");
        assert!(!flush.is_finished());
        other.run("COMMIT");
        flush.join().expect("no panic").expect(&[("dispatched", 5000)]);
    });
    assert_eq!(database.open().number(COUNT), 5000);
}

#[test]
fn a_writer_that_keeps_sqlite_locked_costs_the_deadline_and_nothing_is_half_written() {
    let database = DjangoDatabase::sqlite();
    let executor = django(database.url());
    notes(executor.clone(), DEADLINE, 1).expect(&[("dispatched", 1)]);
    let mut other = database.open();
    other.run("BEGIN IMMEDIATE");
    let account = notes(executor.clone(), DEADLINE, 3000);
    account.took_at_most(DEADLINE);
    account.says("is locked by another writer and was not released in time (5);");
    assert_eq!(account.count("dispatched") + account.count("unconfirmed") + account.count("rejected"), 0);
    other.run("COMMIT");
    assert_eq!(database.open().number(COUNT), 1);
    // The next one goes through the same connection.
    notes(executor, DEADLINE, 10).expect(&[("dispatched", 10)]);
    assert_eq!(database.open().number(COUNT), 11);
}

#[test]
fn a_missing_table_is_told_with_the_command_that_makes_it() {
    let folder = Folder::fresh("empty");
    let url = format!("sqlite://{}/db.sqlite3", folder.path().display());
    Database::at(&url).run("CREATE TABLE other (id int)");
    let account = notes(django(&url), DEADLINE, 2500);
    account.expect(&[("rejected", 2500)]);
    account.says("has no table `django_tasks_database_dbtaskresult` as it should be (1); run `manage.py migrate`");

    let server = PostgresServer::shared();
    let account = notes(django(&server.url("postgres")), DEADLINE, 2500);
    account.expect(&[("rejected", 2500)]);
    account.says("(42P01); run `manage.py migrate`");
}

#[test]
fn files_that_are_no_databases_are_told() {
    let folder = Folder::fresh("none");
    let at = |name: &str| format!("sqlite://{}/{name}", folder.path().display());
    let account = notes(django(&at("missing.sqlite3")), DEADLINE, 10);
    account.expect(&[("rejected", 10)]);
    account.says("can't be opened (14); look at the path in the URL");
    assert!(!folder.path().join("missing.sqlite3").exists());
    std::fs::write(folder.path().join("text"), "no database, and longer than its header is".repeat(100))
        .expect("a file");
    let account = notes(django(&at("text")), DEADLINE, 10);
    account.expect(&[("rejected", 10)]);
    account.says("is damaged, or no SQLite database (26)");
}

#[test]
fn a_file_that_has_taken_the_place_of_another_is_the_one_written_to() {
    let (database, other) = (DjangoDatabase::sqlite(), DjangoDatabase::sqlite());
    let executor = django(database.url());
    notes(executor.clone(), DEADLINE, 1).expect(&[("dispatched", 1)]);
    let path = |database: &DjangoDatabase| database.url().trim_start_matches("sqlite://").to_owned();
    std::fs::rename(path(&other), path(&database)).expect("a file can take another's place");
    notes(executor, DEADLINE, 3).expect(&[("dispatched", 3)]);
    assert_eq!(database.open().number(COUNT), 3);
}

#[test]
fn what_was_accepted_before_is_rejected_as_there_already() {
    for database in [DjangoDatabase::sqlite(), DjangoDatabase::postgres()] {
        let executor = django(database.url());
        let mut sent = Vec::new();
        let account = flush(airlock::scope().executor(executor.clone()), || {
            note::enqueue(1).expect("there is a scope");
            sent = airlock::Scope::current().expect("a scope").intents();
        });
        account.expect(&[("dispatched", 1)]);
        let stored = serde_json::to_string(&sent[0]).expect("it can be stored");
        let account = flush(airlock::scope().executor(executor), || {
            let again = airlock::registry().decode(&stored).expect("it can be read");
            airlock::Scope::current().expect("a scope").push(again).expect("another intent");
            note::enqueue(2).expect("there is a scope");
        });
        account.expect(&[("rejected", 2)]);
        account.says("has a task of the same id already");
        assert_eq!(database.open().number(COUNT), 1);
    }
}

#[test]
fn wrong_passwords_and_databases_of_postgres_are_told_to_nobody() {
    let server = PostgresServer::shared();
    let wrong = server.url("postgres").replace(":p0stgres@", ":wr0ng@");
    for (url, says) in
        [(wrong, "refuses user and password (28P01);"), (server.url("nowhere"), "has no such database (3D000);")]
    {
        let account = notes(django(&url), DEADLINE, 3);
        account.expect(&[("rejected", 3)]);
        account.says(says);
        let texts = account.texts.concat();
        assert!(!texts.contains("wr0ng") && !texts.contains("p0stgres"), "{texts}");
    }
}

#[test]
fn a_postgres_that_is_down_stopped_or_killed_leaves_all_or_nothing() {
    let mut server = PostgresServer::start();
    let url = DjangoDatabase::on(&server);
    let executor = django(&url);
    notes(executor.clone(), DEADLINE, 1).expect(&[("dispatched", 1)]);

    // Stopped: nobody answers.
    server.signal("STOP");
    let account = notes(executor.clone(), DEADLINE, 3000);
    account.took_at_most(DEADLINE);
    assert_eq!(account.count("dispatched") + account.count("unconfirmed"), 0, "{:?}", account.texts);
    server.signal("CONT");
    notes(executor.clone(), Duration::from_secs(20), 1).expect(&[("dispatched", 1)]);
    assert_eq!(Database::at(&url).number(COUNT), 2);

    // Killed in the middle of a flush, at another moment each time.
    for round in 0..crate::tasks::rounds(3) {
        Database::at(&url).run("TRUNCATE django_tasks_database_dbtaskresult");
        let account = std::thread::scope(|scope| {
            let flush = scope.spawn(|| notes(executor.clone(), Duration::from_secs(5), 20_000));
            let mut look = Database::at(&url);
            let some = crate::tasks::random(round) % 3_000_000;
            let size = "SELECT pg_relation_size('django_tasks_database_dbtaskresult')";
            until("some of it is written", || flush.is_finished() || look.number(size) > some);
            server.kill();
            flush.join().expect("no panic")
        });
        server.restart();
        agrees(&account, Database::at(&url).number(COUNT), 20_000);
    }

    // Down, and there again.
    server.kill();
    let account = notes(executor.clone(), DEADLINE, 1000);
    account.expect(&[("unavailable", 1), ("unattempted", 999)]);
    account.says("no connection to 127.0.0.1");
    account.took_at_most(DEADLINE);
    server.restart();
    Database::at(&url).run("TRUNCATE django_tasks_database_dbtaskresult");
    notes(executor, Duration::from_secs(20), 1000).expect(&[("dispatched", 1000)]);
    assert_eq!(Database::at(&url).number(COUNT), 1000);
}

#[test]
fn flushes_of_many_threads_take_turns() {
    let database = DjangoDatabase::postgres();
    let executor = django(database.url());
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| notes(executor.clone(), Duration::from_secs(30), 50).expect(&[("dispatched", 50)]));
        }
    });
    assert_eq!(database.open().number(COUNT), 1000);
}

/// A file system of two megabytes, which only root can make.
struct Small(Folder);

impl Small {
    fn mount() -> Self {
        let folder = Folder::fresh("small");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(folder.path()).status();
        assert!(mounted.is_ok_and(|status| status.success()), "a small file system can't be mounted; run as root");
        Self(folder)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_unavailable_and_nothing_is_half_written() {
    let (small, database) = (Small::mount(), DjangoDatabase::sqlite());
    let path = small.0.path().join("db.sqlite3");
    std::fs::copy(database.url().trim_start_matches("sqlite://"), &path).expect("it is small enough");
    let url = format!("sqlite://{}", path.display());
    let executor = django(&url);
    let account = notes(executor.clone(), Duration::from_secs(20), 20_000);
    account.says("has no space left on its disk (13)");
    assert!(account.count("unavailable") > 0);
    assert_eq!(account.count("dispatched") + account.count("unconfirmed") + account.count("rejected"), 0);
    assert_eq!(Database::at(&url).number(COUNT), 0);
    // There is room for a few, and the connection is as good as before.
    notes(executor, Duration::from_secs(20), 10).expect(&[("dispatched", 10)]);
    assert_eq!(Database::at(&url).number(COUNT), 10);
}
