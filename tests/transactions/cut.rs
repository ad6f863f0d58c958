//! A database that dies, or a connection that is cut, before, in and after the COMMIT.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use airlock::{CommitError, Settings};
use airlock_tests::recorder::Recorder;
use airlock_tests::servers::{Database, DjangoDatabase, PostgresServer};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::databases::{shop, sqlite_pool};
use crate::shop::{ORDERS, TASKS, block_on, django, note, place, routed, rows};

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cut {
    /// COMMIT doesn't reach the server.
    BeforeCommit,
    /// Its answer doesn't reach the client.
    AfterCommit,
    /// After so many bytes to the server.
    After(usize),
}

/// Passes one connection on to a server, and cuts it; the port takes no other one.
fn proxy(to: u16, cut: Cut) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        cut_one(client, TcpStream::connect(("127.0.0.1", to)).unwrap(), cut);
    });
    port
}

fn cut_one(mut client: TcpStream, mut server: TcpStream, cut: Cut) {
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let is_deaf = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let deaf = Arc::clone(&is_deaf);
    let answers = thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from_server.read(&mut buffer) {
            // After that the answer is awaited from the server, and goes no further.
            if deaf.load(Ordering::SeqCst) {
                break;
            }
            if to_client.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
        let _ = from_server.shutdown(Shutdown::Both);
    });
    let (mut buffer, mut passed) = (vec![0; 1 << 16], 0);
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let chunk = &buffer[..count];
        let commits = chunk.windows(7).any(|part| part == b"COMMIT\0");
        let (through, ends) = match cut {
            Cut::BeforeCommit if commits => (&chunk[..0], true),
            Cut::After(limit) if passed + count >= limit => (&chunk[..limit - passed], true),
            _ => (chunk, false),
        };
        if cut == Cut::AfterCommit && commits {
            is_deaf.store(true, Ordering::SeqCst);
        }
        passed += through.len();
        if server.write_all(through).is_err() || ends {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Write);
    let _ = answers.join();
}

async fn one_connection(url: &str) -> sqlx::Result<PgPool> {
    PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(20)).connect(url).await
}

fn rounds(usual: usize) -> usize {
    std::env::var("AIRLOCK_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// A number below the limit; a failure prints where it cut.
fn random(limit: usize) -> usize {
    (RandomState::new().build_hasher().finish() % limit as u64) as usize
}

/// What was said of the commit, and whether the data may, must or can't be there then.
fn agrees(ended: &Result<airlock::FlushReport, CommitError>, is_there: bool) -> bool {
    match ended {
        Ok(_) | Err(CommitError::NotHandedOver(_)) => is_there,
        Err(CommitError::NotCommitted(_)) => !is_there,
        Err(_) => true,
    }
}

#[test]
fn promise_20_a_commit_whose_answer_is_lost_is_unknown_and_sent_again_only_on_request() {
    let database = shop(DjangoDatabase::postgres());
    let server = PostgresServer::shared();
    let told = Arc::new(AtomicUsize::new(0));
    let hook = Arc::clone(&told);
    let settings = Settings::new().on_lost(move |lost| {
        assert!(lost.is_of_unknown_commit());
        assert_eq!((lost.written().len(), lost.following().len()), (2, 1));
        hook.fetch_add(lost.intents().len(), Ordering::Relaxed);
    });
    airlock::testing::with_settings(settings, || {
        for (round, (cut, orders)) in [(Cut::BeforeCommit, 0), (Cut::AfterCommit, 1)].into_iter().enumerate() {
            let port = proxy(server.port(), cut);
            let url = database.url().replace(&format!(":{}/", server.port()), &format!(":{port}/"));
            let mails = Recorder::new();
            block_on(async {
                let pool = one_connection(&url).await.unwrap();
                let scope = airlock::scope().name("checkout").executor(routed(&database, &mails)).open();
                let mut transaction = pool.begin().await.unwrap();
                place(&scope, &mut transaction, 2, 1).await.unwrap();
                let error = scope.commit(transaction).await.unwrap_err();
                assert!(error.database().is_some());
                let text = error.to_string();
                let says =
                    "was asked to commit it, and the connection ended before the answer, or with it; look whether";
                assert!(text.contains(says), "{text}");
                let CommitError::Unknown(error) = error else { panic!("{error}") };
                assert!(mails.calls().is_empty());
                if round == 0 {
                    // Dropped, it tells the hook.
                    drop(error);
                    assert_eq!(told.load(Ordering::Relaxed), 3);
                    return;
                }
                assert_eq!((error.written().len(), error.following().len()), (2, 1));
                let error = error.into_flush_error();
                let error = error.dispatch(&mails).unwrap_err();
                assert!(mails.calls().is_empty(), "not without being asked to");
                // The data is there, and its notes with it.
                let following = error.unconfirmed().iter().filter(|failure| failure.name == "tests.mail").count();
                assert_eq!((error.unconfirmed().len(), following), (3, 1));
                error.including_unconfirmed().dispatch(&mails).unwrap();
                assert_eq!(mails.calls().len(), 3);
            });
            airlock_tests::patience::eventually("the server has done what it was asked", || {
                rows(&database) == (orders, 2 * orders)
            });
        }
    });
    assert_eq!(told.load(Ordering::Relaxed), 3, "what was sent on request isn't lost");
}

#[test]
fn promise_21_a_connection_cut_after_a_random_byte_leaves_data_and_rows_in_agreement() {
    let database = shop(DjangoDatabase::postgres());
    let server = PostgresServer::shared();
    let (mut before, mut kinds) = ((0, 0), [0; 3]);
    for _ in 0..rounds(40) {
        // All of it is some 9,000 bytes: the connection, the transaction and forty rows.
        let cut = Cut::After(600 + random(12_000));
        let port = proxy(server.port(), cut);
        let url = database.url().replace(&format!(":{}/", server.port()), &format!(":{port}/"));
        let mails = Recorder::new();
        let ended = block_on(async {
            let pool = one_connection(&url).await.ok()?;
            let scope = airlock::scope().executor(routed(&database, &mails)).open();
            let mut transaction = pool.begin().await.ok()?;
            place(&scope, &mut transaction, 40, 1).await.ok()?;
            Some(scope.commit(transaction).await)
        });
        // A look that waits for the transaction's locks sees its end.
        let mut look = database.open();
        look.run("BEGIN; LOCK TABLE orders, django_tasks_database_dbtaskresult IN ACCESS EXCLUSIVE MODE; COMMIT");
        let now = (look.number(ORDERS), look.number(TASKS));
        let (orders, tasks) = (now.0 - before.0, now.1 - before.1);
        before = now;
        assert_eq!(tasks, 40 * orders, "{cut:?}");
        assert!(mails.calls().is_empty() || orders == 1, "{cut:?}");
        if let Some(ended) = &ended {
            assert!(agrees(ended, orders == 1), "{cut:?}: {orders} beside {ended:?}");
            kinds[match ended {
                Ok(_) => 0,
                Err(CommitError::Unknown(_)) => 1,
                Err(_) => 2,
            }] += 1;
        }
        if let Some(Err(error)) = ended {
            drop(error.into_intents());
        }
    }
    println!("committed, unknown, not committed: {kinds:?}");
    // In a few rounds it is chance which of them were met.
    assert!(rounds(40) < 40 || (kinds[0] > 0 && kinds[2] > 0), "{kinds:?}");
}

/// When Postgres is killed.
#[derive(Debug, Clone, Copy)]
enum Killed {
    Before,
    In(Duration),
    After,
}

#[test]
fn promise_21_postgres_killed_before_in_and_after_the_commit_leaves_data_and_rows_in_agreement() {
    let mut server = PostgresServer::start();
    let url = DjangoDatabase::on(&server);
    Database::at(&url).run("CREATE TABLE orders (id int)");
    let mut before = (0, 0);
    for round in 0..3 * rounds(5) {
        let killed = match round % 3 {
            0 => Killed::Before,
            1 => Killed::In(Duration::from_micros(random(6000) as u64)),
            _ => Killed::After,
        };
        let mails = Recorder::new();
        let running = &server;
        let ended = thread::scope(|threads| {
            block_on(async {
                let pool = one_connection(&url).await.unwrap();
                let django = airlock::DjangoTasksExecutor::new(&url).unwrap();
                let route = airlock::Route::new().to::<note>(django).otherwise(mails.clone());
                let scope = airlock::scope().executor(route).open();
                let mut transaction = pool.begin().await.unwrap();
                place(&scope, &mut transaction, 200, 1).await.unwrap();
                match killed {
                    Killed::Before => running.signal("KILL"),
                    Killed::In(wait) => drop(threads.spawn(move || {
                        thread::sleep(wait);
                        running.signal("KILL");
                    })),
                    Killed::After => {}
                }
                let ended = scope.commit(transaction).await;
                if let Killed::After = killed {
                    running.signal("KILL");
                }
                ended
            })
        });
        server.restart();
        let mut look = Database::at(&url);
        let now = (look.number(ORDERS), look.number(TASKS));
        let (orders, tasks) = (now.0 - before.0, now.1 - before.1);
        before = now;
        println!(
            "{killed:?}: {orders} {}",
            ended.as_ref().map_or_else(ToString::to_string, |_| "committed".to_owned())
        );
        assert_eq!(tasks, 200 * orders, "{killed:?}");
        assert!(mails.calls().is_empty() || orders == 1, "{killed:?}");
        assert!(agrees(&ended, orders == 1), "{killed:?}: {orders} beside {ended:?}");
        match killed {
            Killed::Before => assert!(matches!(ended, Err(CommitError::NotCommitted(_))), "{ended:?}"),
            Killed::After => assert!(ended.is_ok(), "{ended:?}"),
            Killed::In(_) => {}
        }
        if let Err(error) = ended {
            drop(error.into_intents());
        }
    }
}

/// The steps at which a process ends itself.
const STEPS: [&str; 6] = ["begun", "judged", "asked", "written", "handing over", "done"];

/// Calls itself for each step, in a process that dies there.
#[test]
fn promise_21_a_process_killed_at_any_step_leaves_data_and_rows_in_agreement() {
    const NAME: &str = "cut::promise_21_a_process_killed_at_any_step_leaves_data_and_rows_in_agreement";
    if let Ok(step) = std::env::var("AIRLOCK_DIES_WHEN") {
        return dies(&std::env::var("AIRLOCK_DIES_AT").unwrap(), &step);
    }
    let database = shop(DjangoDatabase::sqlite());
    let mut before = (0, 0);
    for step in STEPS {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env("AIRLOCK_DIES_WHEN", step)
            .env("AIRLOCK_DIES_AT", database.url())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&child.stdout);
        assert!(told.contains(&format!("dies when {step}")), "{step}: {told}");
        let now = rows(&database);
        let (orders, tasks) = (now.0 - before.0, now.1 - before.1);
        before = now;
        let is_committed = matches!(step, "handing over" | "done");
        assert_eq!((orders, tasks), (u64::from(is_committed), 3 * u64::from(is_committed)), "{step}");
    }
}

fn dies_if(step: &str, now: &str) {
    if step == now {
        println!("dies when {step}");
        std::io::stdout().flush().unwrap();
        std::process::abort();
    }
}

fn dies(url: &str, step: &str) {
    struct Mortal(String, airlock::DjangoTasksExecutor);

    impl airlock::Executor for Mortal {
        fn name(&self) -> &str {
            "mortal"
        }

        fn accepts(&self, _: &airlock::Intent, _: &airlock::FlushContext) -> Result<(), airlock::Rejection> {
            dies_if(&self.0, "asked");
            Ok(())
        }

        fn writes_to(&self, intent: &airlock::Intent, kind: airlock::SqlKind) -> bool {
            intent.name() == "tests.note" && self.1.writes_to(intent, kind)
        }

        fn write<'a>(
            &'a self,
            batch: airlock::Batch,
            transaction: &'a mut airlock::OpenTransaction<'_>,
        ) -> airlock::BoxFuture<'a, ()> {
            Box::pin(async move {
                self.1.write(batch, transaction).await;
                dies_if(&self.0, "written");
            })
        }

        fn dispatch<'a>(&'a self, mut batch: airlock::Batch) -> airlock::BoxFuture<'a, ()> {
            dies_if(&self.0, "handing over");
            Box::pin(async move {
                while let Some(begun) = batch.begin() {
                    begun.settle(Ok(()));
                }
            })
        }
    }

    let judged = step.to_owned();
    let policy = airlock::policy_fn(move |_: &airlock::Intent| {
        dies_if(&judged, "judged");
        true
    });
    block_on(async {
        let pool = sqlx::SqlitePool::connect(url).await.unwrap();
        let django = airlock::DjangoTasksExecutor::new(url).unwrap();
        let scope = airlock::scope().executor(Mortal(step.to_owned(), django)).policy(policy).open();
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        place(&scope, &mut transaction, 3, 1).await.unwrap();
        dies_if(step, "begun");
        scope.commit(transaction).await.unwrap();
        dies_if(step, "done");
    });
}

#[test]
fn promise_20_a_database_file_that_is_full_takes_nothing() {
    let database = shop(DjangoDatabase::sqlite());
    block_on(async {
        let pool = sqlite_pool(&database).await;
        let scope = airlock::scope().executor(django(&database)).open();
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *transaction).await.unwrap();
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 2));
        sqlx::raw_sql(limit).execute(&mut *transaction).await.unwrap();
        place(&scope, &mut transaction, 5000, 0).await.unwrap();
        let error = scope.commit(transaction).await.unwrap_err();
        assert!(matches!(error, CommitError::NotCommitted(_)), "{error}");
        assert_eq!(error.into_intents().len(), 5000);
    });
    assert_eq!(rows(&database), (0, 0));
}
