//! Postgres at its worst: a flush is there as a whole, or not at all.

use airlock_tests::process::until;
use airlock_tests::servers::{Database, DjangoDatabase, PostgresServer};

use crate::proxy::{Proxy, Then};
use crate::sql_systems::{DEADLINE, PATIENT, SYSTEMS, System, agrees, each, notes, nothing_left};
use crate::tasks::{flush, note, random, rounds};

#[test]
fn a_database_without_the_table_is_told_with_what_makes_it() {
    let server = PostgresServer::shared();
    let url = server.url("postgres");
    each(|system| {
        let account = notes(system.executor(&url), PATIENT, 2500);
        account.expect(&[("rejected", 2500)]);
        let (table, remedy) = (system.table(&url), system.remedy(&url));
        account.says(&format!("has no table `{table}` as it should be (42P01); {remedy}"));
    });
}

#[test]
fn what_was_accepted_before_is_rejected_as_there_already() {
    for database in [DjangoDatabase::sqlite(), DjangoDatabase::postgres()] {
        let executor = System::DjangoTasks.executor(database.url());
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
        assert_eq!(System::DjangoTasks.count(database.url()), 1);
    }
}

#[test]
fn wrong_passwords_and_databases_of_postgres_are_told_to_nobody() {
    let server = PostgresServer::shared();
    let wrong = server.url("postgres").replace(":p0stgres@", ":wr0ng@");
    each(|system| {
        for (url, says) in
            [(&wrong, "refuses user and password (28P01);"), (&server.url("nowhere"), "has no such database (3D000);")]
        {
            let account = notes(system.executor(url), PATIENT, 3);
            account.expect(&[("rejected", 3)]);
            account.says(says);
            let texts = account.texts.concat();
            assert!(!texts.contains("wr0ng") && !texts.contains("p0stgres"), "{texts}");
        }
    });
}

#[test]
fn a_postgres_that_is_down_stopped_or_killed_leaves_all_or_nothing() {
    const MANY: u64 = 10_000;
    let mut server = PostgresServer::start();
    let url = DjangoDatabase::on(&server);
    let executors = SYSTEMS.map(|system| (system, system.executor(&url)));
    let executor = |system| executors.iter().find(|(known, _)| *known == system).expect("all are there").1.clone();
    let tables = SYSTEMS.map(|system| system.table(&url));
    let empty = || Database::at(&url).run(&format!("TRUNCATE {}", tables.join(", ")));
    each(|system| notes(executor(system), PATIENT, 1).expect(&[("dispatched", 1)]));

    // Stopped: it does not answer.
    server.signal("STOP");
    each(|system| {
        let account = notes(executor(system), DEADLINE, 3000);
        account.took_at_most(DEADLINE);
        nothing_left(&account);
    });
    server.signal("CONT");
    each(|system| {
        notes(executor(system), PATIENT, 1).expect(&[("dispatched", 1)]);
        assert_eq!(system.count(&url), 2);
    });

    // Killed in the middle of their flushes, at another moment each time.
    let sizes = tables.map(|table| format!("pg_relation_size('{table}')"));
    let sizes = format!("SELECT {}", sizes.join(" + "));
    for round in 0..rounds(3) {
        empty();
        let some = random(round) % 6_000_000;
        let accounts = std::thread::scope(|scope| {
            let flush = |system| {
                let executor = executor(system);
                move || notes(executor, DEADLINE * 2, MANY)
            };
            let flushes = SYSTEMS.map(|system| (system, scope.spawn(flush(system))));
            let mut look = Database::at(&url);
            let are_done = || flushes.iter().all(|(_, flush)| flush.is_finished());
            until("some of it is written", || are_done() || look.number(&sizes) > some);
            server.kill();
            flushes.map(|(system, flush)| (system, flush.join().expect("no panic")))
        });
        server.restart();
        for (system, account) in &accounts {
            agrees(account, system.count(&url), MANY as usize);
        }
    }

    // Down, and there again.
    server.kill();
    each(|system| {
        let account = notes(executor(system), DEADLINE, 1000);
        nothing_left(&account);
        account.says("no connection to 127.0.0.1");
        account.took_at_most(DEADLINE);
    });
    server.restart();
    empty();
    each(|system| {
        notes(executor(system), PATIENT, 1000).expect(&[("dispatched", 1000)]);
        assert_eq!(system.count(&url), 1000);
    });
}

#[test]
fn a_connection_to_postgres_that_is_cut_anywhere_leaves_all_or_nothing() {
    const MANY: u64 = 3000;
    let server = PostgresServer::shared();
    each(|system| {
        let database = DjangoDatabase::postgres();
        let whole = {
            let proxy = Proxy::start(server.port(), None);
            let account = notes(system.executor(&proxy.postgres_url(database.url())), PATIENT, MANY);
            account.expect(&[("dispatched", MANY as usize)]);
            proxy.passed()
        };
        for round in 0..rounds(5) {
            database.empty(&mut database.open());
            let proxy = Proxy::start(server.port(), Some(random(round) % whole));
            let account = notes(system.executor(&proxy.postgres_url(database.url())), DEADLINE, MANY);
            agrees(&account, system.count(database.url()), MANY as usize);
        }
    });
}

#[test]
fn a_commit_whose_answer_is_lost_is_unconfirmed_whether_it_was_carried_out_or_not() {
    let server = PostgresServer::shared();
    each(|system| {
        let ended = "was asked to commit it, and the connection ended before the answer";
        for (then, there, says) in [
            (Then::Cut, 300, ended),
            (Then::Lose, 0, ended),
            (Then::Stay, 300, "was asked to commit it, and no answer came in time"),
        ] {
            let database = DjangoDatabase::postgres();
            let proxy = Proxy::falling_silent(server.port(), COMMIT, then);
            let deadline = if then == Then::Stay { DEADLINE * 2 } else { PATIENT };
            let account = notes(system.executor(&proxy.postgres_url(database.url())), deadline, 300);
            account.expect(&[("unconfirmed", 300)]);
            account.says(says);
            until("the server is done with it", || system.count(database.url()) == there);
        }
    });
}

/// As Postgres' protocol has it: a query of eleven bytes.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

#[test]
fn a_table_that_is_locked_costs_the_deadline_and_no_connection_stays_behind() {
    each(|system| {
        let database = DjangoDatabase::postgres();
        let (executor, table) = (system.executor(database.url()), system.table(database.url()));
        notes(executor.clone(), PATIENT, 1).expect(&[("dispatched", 1)]);
        let mut other = database.open();
        other.run(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
        let account = notes(executor.clone(), DEADLINE, 300);
        account.took_at_most(DEADLINE);
        account.says("gave up waiting for others that hold the table (55P03);");
        nothing_left(&account);
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        assert_eq!(other.number(waiting), 0);
        other.run("COMMIT");
        notes(executor, PATIENT, 10).expect(&[("dispatched", 10)]);
        assert_eq!(system.count(database.url()), 11);
    });
}

#[test]
fn a_transaction_that_postgres_ends_for_its_length_is_unavailable() {
    each(|system| {
        let database = DjangoDatabase::postgres();
        let name = database.url().rsplit_once('/').expect("a name").1;
        database.open().run(&format!("ALTER DATABASE {name} SET idle_in_transaction_session_timeout = 1"));
        let executor = system.executor(database.url());
        // It is ended where the server is faster than what makes the rows.
        until("it is ended", || {
            database.empty(&mut database.open());
            let account = notes(executor.clone(), PATIENT, 5000);
            agrees(&account, system.count(database.url()), 5000);
            assert_eq!(account.count("rejected"), 0, "{:?}", account.texts);
            account
                .texts
                .iter()
                .any(|text| text.contains("ended the transaction, which took longer than it allows (25P03)"))
        });
    });
}

#[test]
fn flushes_of_many_threads_take_turns() {
    let database = DjangoDatabase::postgres();
    let executor = System::Huey.executor(database.url());
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| notes(executor.clone(), PATIENT, 50).expect(&[("dispatched", 50)]));
        }
    });
    assert_eq!(System::Huey.count(database.url()), 1000);
}
