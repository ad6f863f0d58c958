//! Whether the caller's transaction is alive before anything is written into it.

use airlock::DispatchErrorKind;
use airlock_tests::servers::DjangoDatabase;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::sql_insert::{COUNT, all_dispatched, all_held, block_on, executor, sealed};
use crate::sql_insert_dropped::polled;

#[test]
fn promise_21_a_postgres_transaction_that_an_error_aborted_takes_nothing() {
    let database = DjangoDatabase::postgres();
    block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut transaction = connection.begin().await.expect("a transaction");
        // The caller swallows it: COMMIT would be answered with ROLLBACK, and the client say that all is well.
        sqlx::raw_sql("SELECT 1 / 0").execute(&mut *transaction).await.expect_err("no number");
        let error = executor().insert(&mut *transaction, sealed(3)).await.expect_err("it is aborted");
        all_held(&error, DispatchErrorKind::Rejected, 3, "takes nothing more after an earlier error (25P02)");
        drop(error.into_intents());
        transaction.rollback().await.expect("it is rolled back");
        let mut transaction = connection.begin().await.expect("a transaction");
        all_dispatched(&executor().insert(&mut *transaction, sealed(3)).await.expect("it is written"), 3);
        transaction.commit().await.expect("it is committed");
    });
    assert_eq!(database.open().number(COUNT), 3);
}

#[test]
fn promise_21_a_postgres_transaction_that_was_ended_by_hand_takes_nothing() {
    let database = DjangoDatabase::postgres();
    block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        for ends in ["ROLLBACK", "COMMIT"] {
            let mut transaction = connection.begin().await.expect("a transaction");
            sqlx::raw_sql(ends).execute(&mut *transaction).await.expect("it works");
            let error = executor().insert(&mut *transaction, sealed(3)).await.expect_err("there is none");
            all_held(&error, DispatchErrorKind::Rejected, 3, "has no open transaction (25P01); begin one");
            drop(error.into_intents());
        }
    });
    assert_eq!(database.open().number(COUNT), 0);
}

#[test]
fn promise_21_a_postgres_transaction_that_is_read_only_takes_nothing_and_goes_on() {
    let database = DjangoDatabase::postgres();
    block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut transaction = connection.begin().await.expect("a transaction");
        sqlx::raw_sql("SET TRANSACTION READ ONLY").execute(&mut *transaction).await.expect("it works");
        let error = executor().insert(&mut *transaction, sealed(3)).await.expect_err("nothing can be written");
        assert_eq!(error.undispatched().len(), 3);
        drop(error.into_intents());
        sqlx::raw_sql("SELECT 1").execute(&mut *transaction).await.expect("it goes on");
        transaction.commit().await.expect("it is committed");
    });
    assert_eq!(database.open().number(COUNT), 0);
}

#[test]
fn promise_21_a_statement_that_postgres_cuts_short_leaves_nothing_and_the_transaction_goes_on() {
    let database = DjangoDatabase::postgres();
    block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut other = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut lock = other.begin().await.expect("a transaction");
        let locks = "LOCK TABLE django_tasks_database_dbtaskresult IN EXCLUSIVE MODE";
        sqlx::raw_sql(locks).execute(&mut *lock).await.expect("it is locked");
        let mut transaction = connection.begin().await.expect("a transaction");
        sqlx::raw_sql("CREATE TABLE orders (id int); SET LOCAL statement_timeout = 200")
            .execute(&mut *transaction)
            .await
            .expect("it works");
        let error = executor().insert(&mut *transaction, sealed(3)).await.expect_err("the table is locked");
        all_held(&error, DispatchErrorKind::Unavailable, 3, "(57014)");
        drop(error.into_intents());
        lock.rollback().await.expect("it is rolled back");
        all_dispatched(&executor().insert(&mut *transaction, sealed(5)).await.expect("it is written"), 5);
        transaction.commit().await.expect("it is committed");
    });
    let mut open = database.open();
    assert_eq!((open.number(COUNT), open.number("SELECT count(*) FROM orders")), (5, 0));
}

#[test]
fn promise_14_an_insertion_that_is_late_has_left_nothing_and_the_transaction_goes_on() {
    let database = DjangoDatabase::postgres();
    block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut other = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut lock = other.begin().await.expect("a transaction");
        let locks = "LOCK TABLE django_tasks_database_dbtaskresult IN EXCLUSIVE MODE";
        sqlx::raw_sql(locks).execute(&mut *lock).await.expect("it is locked");
        let mut transaction = connection.begin().await.expect("a transaction");
        sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
        let scope = airlock::scope().executor(executor()).deadline(std::time::Duration::from_millis(400)).enter();
        crate::tasks::note::enqueue(1).expect("there is a scope");
        let sealed_late = scope.seal().expect("nothing is refused");
        let error = executor().insert(&mut *transaction, sealed_late).await.expect_err("the table is locked");
        drop(error.into_intents());
        lock.rollback().await.expect("it is rolled back");
        all_dispatched(&executor().insert(&mut *transaction, sealed(5)).await.expect("it is written"), 5);
        transaction.commit().await.expect("it is committed");
    });
    let mut open = database.open();
    assert_eq!((open.number(COUNT), open.number("SELECT count(*) FROM orders")), (5, 0));
}

#[test]
fn promise_21_a_postgres_that_ends_the_connection_has_nothing_of_it() {
    let database = DjangoDatabase::postgres();
    block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut other = PgConnection::connect(database.url()).await.expect("it can be opened");
        let mut transaction = connection.begin().await.expect("a transaction");
        sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
        let ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE state = 'idle in transaction' AND datname = current_database()";
        sqlx::raw_sql(ends).execute(&mut other).await.expect("it works");
        let error = executor().insert(&mut *transaction, sealed(3)).await.expect_err("the connection has ended");
        assert_eq!(error.undispatched().len(), 3, "{error}");
        drop(error.into_intents());
    });
    assert_eq!(database.open().number(COUNT), 0);
}

#[test]
fn promise_21_a_sqlite_transaction_that_has_ended_by_itself_takes_nothing() {
    let database = DjangoDatabase::sqlite();
    block_on(async {
        let mut connection = SqliteConnection::connect(database.url()).await.expect("it can be opened");
        let unique = "CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)";
        sqlx::raw_sql(unique).execute(&mut connection).await.expect("it works");
        let mut transaction = connection.begin().await.expect("a transaction");
        let ends = "INSERT OR ROLLBACK INTO orders VALUES (1)";
        sqlx::raw_sql(ends).execute(&mut *transaction).await.expect_err("it is there already");
        let error = executor().insert(&mut *transaction, sealed(3)).await.expect_err("there is no transaction");
        all_held(&error, DispatchErrorKind::Rejected, 3, "has no transaction open any more");
        drop(error.into_intents());
        transaction.commit().await.expect_err("there is nothing to commit");
    });
    assert_eq!(database.open().number(COUNT), 0);
}

#[test]
fn promise_21_a_dropped_insertion_does_not_begin_a_sqlite_transaction_anew() {
    let database = DjangoDatabase::sqlite();
    block_on(async {
        let mut connection = SqliteConnection::connect(database.url()).await.expect("it can be opened");
        let unique = "CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)";
        sqlx::raw_sql(unique).execute(&mut connection).await.expect("it works");
        drop(connection);
        for polls in 1..12 {
            let mut connection = SqliteConnection::connect(database.url()).await.expect("it can be opened");
            let mut transaction = connection.begin().await.expect("a transaction");
            let ends = "INSERT OR ROLLBACK INTO orders VALUES (1)";
            sqlx::raw_sql(ends).execute(&mut *transaction).await.expect_err("it is there already");
            let executor = executor();
            if let Some(ended) = polled(executor.insert(&mut *transaction, sealed(3)), polls).await {
                drop(ended.expect_err("there is no transaction").into_intents());
            }
            transaction.commit().await.expect_err("there is nothing to commit");
        }
    });
    assert_eq!(database.open().number(COUNT), 0);
}

#[test]
fn promise_21_what_ends_a_sqlite_transaction_while_it_is_written_into_leaves_nothing_and_no_commit() {
    let database = DjangoDatabase::sqlite();
    block_on(async {
        let mut connection = SqliteConnection::connect(database.url()).await.expect("it can be opened");
        let trigger = "CREATE TRIGGER ends AFTER INSERT ON django_tasks_database_dbtaskresult \
                       WHEN (SELECT count(*) FROM django_tasks_database_dbtaskresult) = 700 \
                       BEGIN SELECT RAISE(ROLLBACK, 'enough'); END";
        sqlx::raw_sql(trigger).execute(&mut connection).await.expect("it works");
        let mut transaction = connection.begin().await.expect("a transaction");
        sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut *transaction).await.expect("it works");
        let error = executor().insert(&mut *transaction, sealed(1000)).await.expect_err("a trigger ends it");
        assert_eq!(error.undispatched().len(), 1000, "{error}");
        drop(error.into_intents());
        transaction.commit().await.expect_err("there is nothing to commit");
    });
    assert_eq!(database.open().number(COUNT), 0);
}

#[test]
fn a_transaction_that_was_begun_behind_the_client_is_refused_with_what_to_do() {
    async fn refused<C: airlock::SqlConnection>(connection: &mut C) {
        let error = executor().insert(connection, sealed(3)).await.expect_err("the client knows of none");
        all_held(&error, DispatchErrorKind::Rejected, 3, "begin it with `begin` or `begin_with`");
        drop(error.into_intents());
    }
    let (sqlite, postgres) = (DjangoDatabase::sqlite(), DjangoDatabase::postgres());
    block_on(async {
        let mut connection = SqliteConnection::connect(sqlite.url()).await.expect("it can be opened");
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.expect("it works");
        refused(&mut connection).await;
        let mut connection = PgConnection::connect(postgres.url()).await.expect("it can be opened");
        refused(&mut connection).await;
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.expect("it works");
        refused(&mut connection).await;
    });
}
