//! Transactions that are dead, refuse a row, or fail at their COMMIT: nothing is there, and nothing is handed over.

use airlock::Executor as _;
use airlock_tests::recorder::Recorder;

use crate::databases::for_each_database;
use crate::shop::{block_on, django, look, mail, not_committed, note, place, routed, rows, run, says};

for_each_database! {
    #[test]
    fn promise_06_what_the_executor_refuses_rolls_back_and_gives_everything_back() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let mails = Recorder::new();
            let scope = airlock::scope().executor(routed(&database, &mails)).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 1).await.unwrap();
            scope.run(|| note::enqueue_with(airlock::Options::new().max_retries(3), 7)).unwrap();
            let error = not_committed(scope.commit(transaction).await);
            says(&error, "max_retries");
            assert!(error.intents().iter().map(airlock::Intent::name).eq(["tests.note", "tests.note", "tests.mail", "tests.note"]));
            // They can be pushed into another scope, which sends them.
            let scope = airlock::scope().executor(mails.clone()).open();
            for intent in error.into_intents() {
                scope.handle().push(intent).unwrap();
            }
            assert_eq!(scope.flush().unwrap().counts().dispatched, 4);
            assert_eq!(mails.calls().len(), 4);
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn promise_20_a_policy_that_panics_rolls_back() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let panics = airlock::policy_fn(|_: &airlock::Intent| panic!("on purpose"));
            let scope = airlock::scope().executor(django(&database)).policy(panics).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 0).await.unwrap();
            let error = not_committed(scope.commit(transaction).await);
            says(&error, "panicked");
            assert_eq!(error.intents().len(), 2);
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn promise_20_a_missing_table_is_named_and_rolls_back() {
        let database = shop();
        run(&database, "DROP TABLE django_tasks_database_dbtaskresult");
        block_on(async {
            let pool = pool(&database).await;
            let mails = Recorder::new();
            let scope = airlock::scope().executor(routed(&database, &mails)).open();
            let mut transaction = begin(&pool).await;
            // More than wait for the database at a time: it is not the deadline that ends them.
            place(&scope, &mut transaction, 3000, 1).await.unwrap();
            let started = std::time::Instant::now();
            let error = not_committed(scope.commit(transaction).await);
            assert!(started.elapsed() < std::time::Duration::from_secs(4), "{error}");
            says(&error, "has no table `django_tasks_database_dbtaskresult` as it should be");
            says(&error, "if it is in another database, say so by `elsewhere()`");
            if database.url().starts_with("postgres") {
                says(&error, "it was looked for in the schema `public`");
            }
            assert_eq!(error.intents().len(), 3001);
            assert!(mails.calls().is_empty());
        });
        assert_eq!(database.open().number(crate::shop::ORDERS), 0);
    }

    #[test]
    fn promise_20_a_constraint_that_fails_at_the_commit_says_what_the_database_said() {
        let database = shop();
        run(
            &database,
            "CREATE TABLE places (id int PRIMARY KEY);
             CREATE TABLE seats (place int REFERENCES places (id) DEFERRABLE INITIALLY DEFERRED)",
        );
        block_on(async {
            let pool = pool(&database).await;
            let mails = Recorder::new();
            let scope = airlock::scope().executor(routed(&database, &mails)).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 1).await.unwrap();
            sqlx::raw_sql("INSERT INTO seats VALUES (7)").execute(&mut *transaction).await.unwrap();
            let error = scope.commit(transaction).await.unwrap_err();
            let code = error.database().and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
            assert!(matches!(code.as_deref(), Some("23503" | "787")), "{code:?}");
            let error = not_committed(Err(error));
            assert_eq!(error.intents().len(), 3);
            assert!(mails.calls().is_empty());
            let other = begin(&pool).await;
            other.rollback().await.unwrap();
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn promise_20_a_savepoint_that_is_still_open_is_refused_and_its_transaction_rolled_back() {
        let database = shop();
        block_on(async {
            use sqlx::Connection;
            let pool = one_connection(&database).await;
            let scope = airlock::scope().executor(django(&database)).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 1, 0).await.unwrap();
            // The client would release it, say Ok, and leave the transaction open.
            std::mem::forget((*transaction).begin().await.unwrap());
            let error = not_committed(scope.commit(transaction).await);
            says(&error, "has a savepoint open within it");
            // The next one to be lent the connection has a transaction of its own.
            let mut transaction = begin(&pool).await;
            sqlx::raw_sql("INSERT INTO orders VALUES (7)").execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
            assert_eq!(look(&database, |open| open.number("SELECT sum(id) FROM orders")), 7);
        });
        assert_eq!(rows(&database), (1, 0));
    }

    #[test]
    fn promise_20_a_transaction_that_was_ended_by_hand_is_not_committed_again() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            for (ends, orders) in [("ROLLBACK", 0), ("COMMIT", 1)] {
                let mails = Recorder::new();
                let scope = airlock::scope().executor(routed(&database, &mails)).open();
                let mut transaction = begin(&pool).await;
                place(&scope, &mut transaction, 1, 1).await.unwrap();
                sqlx::raw_sql(ends).execute(&mut *transaction).await.unwrap();
                let error = not_committed(scope.commit(transaction).await);
                assert_eq!(error.intents().len(), 2);
                assert!(mails.calls().is_empty());
                assert_eq!(rows(&database), (orders, 0));
            }
        });
    }
}

mod postgres_only {
    use airlock_tests::servers::DjangoDatabase;

    use super::*;
    use crate::databases::{postgres_pool, shop};

    #[test]
    fn promise_20_an_aborted_transaction_whose_error_was_swallowed_is_not_committed() {
        let database = shop(DjangoDatabase::postgres());
        block_on(async {
            let pool = postgres_pool(&database).await;
            let mails = Recorder::new();
            // Without anything to write, nothing but the proof stands between it and a commit.
            for notes in [0, 2] {
                let scope = airlock::scope().executor(routed(&database, &mails)).open();
                let mut transaction = pool.begin().await.unwrap();
                place(&scope, &mut transaction, notes, 1).await.unwrap();
                sqlx::raw_sql("SELECT 1 / 0").execute(&mut *transaction).await.unwrap_err();
                let error = scope.commit(transaction).await.unwrap_err();
                let code = error.database().and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
                assert_eq!(code.as_deref(), Some("25P02"));
                says(&not_committed(Err(error)), "takes nothing more after an earlier error (25P02)");
            }
            assert!(mails.calls().is_empty());
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn promise_20_a_serialization_failure_gives_its_code_and_the_intents() {
        let database = shop(DjangoDatabase::postgres());
        run(&database, "INSERT INTO orders VALUES (5)");
        block_on(async {
            let pool = postgres_pool(&database).await;
            let mails = Recorder::new();
            let mut others = pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await.unwrap();
            let scope = airlock::scope().executor(routed(&database, &mails)).open();
            let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await.unwrap();
            let sum = "SELECT sum(id) FROM orders";
            sqlx::raw_sql(sum).execute(&mut *others).await.unwrap();
            sqlx::raw_sql(sum).execute(&mut *transaction).await.unwrap();
            sqlx::raw_sql("INSERT INTO orders VALUES (6)").execute(&mut *others).await.unwrap();
            place(&scope, &mut transaction, 0, 1).await.unwrap();
            others.commit().await.unwrap();
            let error = scope.commit(transaction).await.unwrap_err();
            let code = error.database().and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("40001"));
            assert_eq!(not_committed(Err(error)).intents().len(), 1);
            assert!(mails.calls().is_empty());
        });
        assert_eq!(rows(&database), (2, 0));
    }

    #[test]
    fn promise_14_a_table_that_stays_locked_costs_the_deadline_and_rolls_back() {
        let database = shop(DjangoDatabase::postgres());
        block_on(async {
            let pool = postgres_pool(&database).await;
            let mut lock = pool.begin().await.unwrap();
            let locks = "LOCK TABLE django_tasks_database_dbtaskresult IN EXCLUSIVE MODE";
            sqlx::raw_sql(locks).execute(&mut *lock).await.unwrap();
            let deadline = std::time::Duration::from_millis(300);
            let scope = airlock::scope().executor(django(&database)).deadline(deadline).open();
            let mut transaction = pool.begin().await.unwrap();
            place(&scope, &mut transaction, 3, 0).await.unwrap();
            let error = not_committed(scope.commit(transaction).await);
            assert_eq!(error.intents().len(), 3, "{error}");
            says(&error, "gave up waiting for others that hold the table (55P03); try again");
            // The server waits for nothing any more, so that the connection is lent again.
            let waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
            assert_eq!(look(&database, |open| open.number(waiting)), 0);
            // And with the database's own limit, sooner.
            let scope = airlock::scope().executor(django(&database)).open();
            let mut transaction = pool.begin().await.unwrap();
            place(&scope, &mut transaction, 3, 0).await.unwrap();
            sqlx::raw_sql("SET LOCAL statement_timeout = 100").execute(&mut *transaction).await.unwrap();
            let error = scope.commit(transaction).await.unwrap_err();
            let code = error.database().and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("57014"));
            says(&not_committed(Err(error)), "(57014)");
            lock.rollback().await.unwrap();
        });
        assert_eq!(rows(&database), (0, 0));
    }
}

mod sqlite_only {
    use airlock_tests::servers::DjangoDatabase;

    use super::*;
    use crate::databases::{shop, sqlite_pool};

    #[test]
    fn promise_20_a_transaction_that_ended_by_itself_is_not_committed() {
        let database = shop(DjangoDatabase::sqlite());
        run(&database, "CREATE TABLE names (name text PRIMARY KEY); INSERT INTO names VALUES ('a')");
        block_on(async {
            let pool = sqlite_pool(&database).await;
            let mails = Recorder::new();
            for notes in [0, 2] {
                let scope = airlock::scope().executor(routed(&database, &mails)).open();
                let mut transaction = pool.begin().await.unwrap();
                place(&scope, &mut transaction, notes, 1).await.unwrap();
                let ends = "INSERT OR ROLLBACK INTO names VALUES ('a')";
                sqlx::raw_sql(ends).execute(&mut *transaction).await.unwrap_err();
                says(
                    &not_committed(scope.commit(transaction).await),
                    "has no transaction open any more, which was ended by a statement or by itself; look whether",
                );
            }
            assert!(mails.calls().is_empty());
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn promise_20_a_snapshot_that_is_too_old_to_write_in_is_rolled_back() {
        let database = shop(DjangoDatabase::sqlite());
        run(&database, "PRAGMA journal_mode = WAL");
        block_on(async {
            let pool = sqlite_pool(&database).await;
            let scope = airlock::scope().executor(django(&database)).open();
            let mut transaction = pool.begin().await.unwrap();
            sqlx::raw_sql("SELECT * FROM orders").execute(&mut *transaction).await.unwrap();
            sqlx::raw_sql("INSERT INTO orders VALUES (9)").execute(&pool).await.unwrap();
            scope.run(|| note::enqueue(1)).unwrap();
            let error = scope.commit(transaction).await.unwrap_err();
            let code = error.database().and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("517"));
            let error = not_committed(Err(error));
            says(&error, "can't write (517); begin it with `BEGIN IMMEDIATE`");
            assert_eq!(error.intents().len(), 1);
        });
        assert_eq!(rows(&database), (1, 0));
    }

    #[test]
    fn promise_20_a_commit_that_waits_for_a_reader_too_long_is_rolled_back() {
        let database = shop(DjangoDatabase::sqlite());
        run(&database, "PRAGMA journal_mode = DELETE");
        block_on(async {
            let pool = sqlite_pool(&database).await;
            let mails = Recorder::new();
            let scope = airlock::scope().executor(routed(&database, &mails)).open();
            let mut reader = pool.begin().await.unwrap();
            let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
            sqlx::raw_sql("PRAGMA busy_timeout = 50").execute(&mut *transaction).await.unwrap();
            place(&scope, &mut transaction, 1, 1).await.unwrap();
            sqlx::raw_sql("SELECT * FROM orders").execute(&mut *reader).await.unwrap();
            let error = scope.commit(transaction).await.unwrap_err();
            let code = error.database().and_then(sqlx::Error::as_database_error).and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("5"));
            let error = not_committed(Err(error));
            says(&error, "is read by another connection, which did not end in time");
            assert_eq!(error.intents().len(), 2);
            assert!(mails.calls().is_empty());
            reader.rollback().await.unwrap();
        });
        assert_eq!(rows(&database), (0, 0));
    }
}

#[test]
fn an_executor_that_writes_into_no_transaction_says_so_when_it_is_asked_to() {
    assert!(!Recorder::new().writes_to(&mail::intent(1), airlock::SqlKind::Sqlite));
}
