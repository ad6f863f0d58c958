//! What a scope holds, in the transaction that its caller has open.

use airlock::{
    DispatchErrorKind, DjangoQExecutor, DjangoTasksExecutor, FlushError, FlushReport, HueyExecutor, Outcome, Sealed,
    SecretKey,
};
use airlock_tests::servers::DjangoDatabase;
use sqlx::postgres::PgListener;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::sql_systems::System;
use crate::tasks::note;

pub(crate) const COUNT: &str = "SELECT count(*) FROM django_tasks_database_dbtaskresult";

/// Of another executor than the scope's: its URL plays no part.
pub(crate) fn executor() -> DjangoTasksExecutor {
    DjangoTasksExecutor::new("sqlite:///nowhere/db.sqlite3").expect("a URL")
}

/// A scope that has ended well, with so many notes.
pub(crate) fn sealed(count: u64) -> Sealed {
    let scope = airlock::scope().executor(executor()).enter();
    (0..count).for_each(|number| drop(note::enqueue(number)));
    scope.seal().expect("nothing is refused")
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

pub(crate) fn all_dispatched(report: &FlushReport, count: usize) {
    assert_eq!(report.entries().len(), count);
    assert!(report.entries().iter().all(|entry| matches!(entry.outcome(), Outcome::Dispatched)));
}

/// Everything is handed back, refused in the same way.
#[track_caller]
pub(crate) fn all_held(error: &FlushError, kind: DispatchErrorKind, count: usize, says: &str) {
    assert_eq!(error.undispatched().len(), count, "{error}");
    let is_so = |outcome: &Outcome| matches!(outcome, Outcome::Failed { error, .. } if error.kind() == kind);
    assert!(error.report().entries().iter().all(|entry| is_so(entry.outcome())), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

macro_rules! insertions {
    ($name:ident, $database:ident, $connection:ident, $url:expr) => {
        mod $name {
            use super::*;

            async fn connection(database: &DjangoDatabase) -> $connection {
                let url: fn(&str) -> String = $url;
                $connection::connect(&url(database.url())).await.expect("it can be opened")
            }

            #[test]
            fn promise_05_what_is_committed_is_there_with_the_rest_of_the_transaction() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = connection(&database).await;
                    let mut transaction = connection.begin().await.expect("a transaction");
                    sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
                    let report = executor().insert(&mut *transaction, sealed(3000)).await.expect("it is written");
                    all_dispatched(&report, 3000);
                    // Others see nothing of it yet, and this transaction goes on.
                    sqlx::raw_sql("INSERT INTO orders VALUES (1)").execute(&mut *transaction).await.expect("it works");
                    transaction.commit().await.expect("it is committed");
                });
                let mut open = database.open();
                assert_eq!((open.number(COUNT), open.number("SELECT count(*) FROM orders")), (3000, 1));
            }

            #[test]
            fn what_is_rolled_back_was_never_there() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = connection(&database).await;
                    let mut transaction = connection.begin().await.expect("a transaction");
                    all_dispatched(&executor().insert(&mut *transaction, sealed(10)).await.expect("it is written"), 10);
                    transaction.rollback().await.expect("it is rolled back");
                    let transaction = connection.begin().await.expect("a transaction");
                    drop(transaction);
                });
                assert_eq!(database.open().number(COUNT), 0);
            }

            #[test]
            fn promise_06_what_is_refused_leaves_the_transaction_as_it_was_and_is_handed_back() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = connection(&database).await;
                    let mut transaction = connection.begin().await.expect("a transaction");
                    sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
                    // Some thousand rows are written before the one that the table refuses: the first one, again.
                    let scope = airlock::scope().executor(executor()).enter();
                    (0..2000).for_each(|number| drop(note::enqueue(number)));
                    let first = airlock::Scope::current().expect("a scope").intents().remove(0);
                    let sealed = scope.seal().expect("nothing is refused");
                    all_dispatched(&executor().insert(&mut *transaction, sealed).await.expect("it is written"), 2000);
                    let scope = airlock::scope().executor(executor()).enter();
                    (0..2000).for_each(|number| drop(note::enqueue(number)));
                    airlock::Scope::current().expect("a scope").push(again(&first)).expect("it is another intent");
                    let sealed = scope.seal().expect("nothing is refused");
                    let error = executor().insert(&mut *transaction, sealed).await.expect_err("one is there already");
                    all_held(&error, DispatchErrorKind::Rejected, 2001, "has a task of the same id already");
                    drop(error.into_intents());
                    transaction.commit().await.expect("it still can be");
                });
                let mut open = database.open();
                assert_eq!((open.number(COUNT), open.number("SELECT count(*) FROM orders")), (2000, 0));
            }

            #[test]
            fn a_future_that_is_dropped_leaves_nothing_behind_a_rollback() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = connection(&database).await;
                    let mut transaction = connection.begin().await.expect("a transaction");
                    let executor = executor();
                    let mut insert = Box::pin(executor.insert(&mut *transaction, sealed(5000)));
                    let polled = futures::future::poll_fn(|cx| std::task::Poll::Ready(insert.as_mut().poll(cx))).await;
                    assert!(polled.is_pending());
                    drop(insert);
                    transaction.rollback().await.expect("it is rolled back");
                });
                assert_eq!(database.open().number(COUNT), 0);
            }
        }
    };
}

insertions!(sqlite, sqlite, SqliteConnection, |url| url.to_owned());
insertions!(postgres, postgres, PgConnection, str::to_owned);

/// The intent once more, with the same id, as somebody would have it who stored it.
fn again(intent: &airlock::Intent) -> airlock::Intent {
    let stored = serde_json::to_string(intent).expect("it can be stored");
    airlock::registry().decode(&stored).expect("it can be read")
}

#[test]
fn promise_06_local_tasks_are_refused_before_anything_is_written() {
    #[airlock::task(local)]
    fn here() {}

    let database = DjangoDatabase::sqlite();
    block_on(async {
        let mut connection = SqliteConnection::connect(database.url()).await.expect("it can be opened");
        let mut transaction = connection.begin().await.expect("a transaction");
        let scope = airlock::scope().executor(executor()).enter();
        note::enqueue(1).expect("there is a scope");
        here::enqueue().expect("there is a scope");
        let error = executor().insert(&mut *transaction, scope.seal().expect("sealed")).await.expect_err("refused");
        assert!(error.to_string().contains("here") || error.failed()[0].to_string().contains("would run before"));
        assert_eq!(error.undispatched().len(), 2);
        drop(error.into_intents());
        transaction.commit().await.expect("it can be");
    });
    assert_eq!(database.open().number(COUNT), 0);
}

fn huey() -> HueyExecutor {
    HueyExecutor::new("sqlite:///nowhere/db.sqlite3").expect("a URL")
}

fn django_q() -> DjangoQExecutor {
    let key = SecretKey::new("of the tests").expect("a key");
    DjangoQExecutor::new("sqlite:///nowhere/db.sqlite3", key).expect("a URL")
}

/// So many notes, of a scope with this executor.
fn sealed_for(executor: impl airlock::Executor, count: u64) -> Sealed {
    let scope = airlock::scope().executor(executor).enter();
    (0..count).for_each(|number| drop(note::enqueue(number)));
    scope.seal().expect("nothing is refused")
}

macro_rules! insertions_of {
    ($name:ident, $executor:ident, $system:expr, $database:ident, $connection:ident) => {
        mod $name {
            use super::*;

            #[test]
            fn promise_05_what_is_committed_is_there_and_what_is_rolled_back_never_was() {
                let database = DjangoDatabase::$database();
                let count = || $system.count(database.url());
                block_on(async {
                    let mut connection = $connection::connect(database.url()).await.expect("it can be opened");
                    let mut transaction = connection.begin().await.expect("a transaction");
                    let report = $executor().insert(&mut *transaction, sealed_for($executor(), 10)).await;
                    all_dispatched(&report.expect("it is written"), 10);
                    transaction.rollback().await.expect("it is rolled back");
                });
                assert_eq!(count(), 0);
                block_on(async {
                    let mut connection = $connection::connect(database.url()).await.expect("it can be opened");
                    let mut transaction = connection.begin().await.expect("a transaction");
                    let report = $executor().insert(&mut *transaction, sealed_for($executor(), 3000)).await;
                    all_dispatched(&report.expect("it is written"), 3000);
                    sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
                    transaction.commit().await.expect("it is committed");
                });
                let orders = database.open().number("SELECT count(*) FROM orders");
                assert_eq!((count(), orders), (3000, 0));
            }

            #[test]
            fn promise_06_a_table_that_is_missing_is_told_with_the_remedy_and_the_transaction_goes_on() {
                let database = DjangoDatabase::$database();
                let table = $system.table(database.url());
                database.open().run(&format!("DROP TABLE {table}"));
                block_on(async {
                    let mut connection = $connection::connect(database.url()).await.expect("it can be opened");
                    let mut transaction = connection.begin().await.expect("a transaction");
                    let report = $executor().insert(&mut *transaction, sealed_for($executor(), 3)).await;
                    let error = report.expect_err("there is no table");
                    all_held(&error, DispatchErrorKind::Rejected, 3, $system.remedy(database.url()));
                    drop(error.into_intents());
                    sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
                    transaction.commit().await.expect("it still can be");
                });
                assert_eq!(database.open().number("SELECT count(*) FROM orders"), 0);
            }

            #[test]
            fn what_the_table_can_not_have_is_refused_before_anything_is_written() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = $connection::connect(database.url()).await.expect("it can be opened");
                    let mut transaction = connection.begin().await.expect("a transaction");
                    // A scope whose own executor takes all.
                    let scope = airlock::scope().executor(airlock::LogExecutor::new()).enter();
                    note::enqueue(1).expect("there is a scope");
                    note::enqueue_with(airlock::Options::new().header("shop", "7"), 2).expect("there is a scope");
                    let report = $executor().insert(&mut *transaction, scope.seal().expect("sealed")).await;
                    let error = report.expect_err("there is no place for headers");
                    assert_eq!(error.undispatched().len(), 2, "{error}");
                    assert!(error.to_string().contains("header"), "{error}");
                    drop(error.into_intents());
                    transaction.commit().await.expect("it still can be");
                });
                assert_eq!($system.count(database.url()), 0);
            }
        }
    };
}

insertions_of!(huey_sqlite, huey, System::Huey, sqlite, SqliteConnection);
insertions_of!(huey_postgres, huey, System::Huey, postgres, PgConnection);
insertions_of!(django_q_sqlite, django_q, System::DjangoQ, sqlite, SqliteConnection);
insertions_of!(django_q_postgres, django_q, System::DjangoQ, postgres, PgConnection);

#[test]
fn promise_02_consumers_of_huey_on_postgres_are_told_when_the_transaction_commits_and_not_before() {
    let database = DjangoDatabase::postgres();
    block_on(async {
        let mut listener = PgListener::connect(database.url()).await.expect("it listens");
        listener.listen_all(["huey.q.notes", "marker"]).await.expect("it listens");
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut other = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut transaction = connection.begin().await.expect("a transaction");
        let report = huey().insert(&mut *transaction, sealed_for(huey(), 3)).await;
        all_dispatched(&report.expect("it is written"), 3);
        sqlx::raw_sql("NOTIFY marker").execute(&mut other).await.expect("it works");
        // What comes first was sent first.
        assert_eq!(listener.recv().await.expect("a notification").channel(), "marker");
        transaction.commit().await.expect("it is committed");
        assert_eq!(listener.recv().await.expect("a notification").channel(), "huey.q.notes");
    });
}

/// The connection decides how it is written, and not the URL of the executor.
#[test]
fn an_executor_for_redis_writes_into_a_transaction_as_one_for_its_database_does() {
    let database = DjangoDatabase::postgres();
    let huey = HueyExecutor::new("redis://localhost:1").expect("a URL");
    block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut transaction = connection.begin().await.expect("a transaction");
        let report = huey.insert(&mut *transaction, sealed_for(huey.clone(), 3)).await;
        all_dispatched(&report.expect("it is written"), 3);
        transaction.commit().await.expect("it is committed");
    });
    assert_eq!(System::Huey.count(database.url()), 3);
}
