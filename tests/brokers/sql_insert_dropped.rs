//! An insertion into the caller's transaction that is dropped half-way: all of it is there, or nothing.

use std::task::Poll;

use airlock_tests::servers::DjangoDatabase;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::sql_insert::{COUNT, all_dispatched, block_on, executor, sealed};

/// The future's output, or `None` if it was dropped after so many polls.
pub(crate) async fn polled<F: Future>(future: F, mut times: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    futures::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            times -= 1;
            if times == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

macro_rules! dropped {
    ($name:ident, $database:ident, $connection:ident) => {
        mod $name {
            use super::*;

            async fn count_of(connection: &mut $connection, statement: &'static str) -> u64 {
                let count: i64 = sqlx::query_scalar(statement).fetch_one(connection).await.expect("a number");
                u64::try_from(count).expect("not below zero")
            }

            /// Inserts so many again and again, dropped each time `step` polls later than before, until it comes to its
            /// end. Gives how often nothing and how often all was there.
            fn at_every(count: u64, step: usize) -> (usize, usize) {
                let database = DjangoDatabase::$database();
                let (mut none, mut all, mut ended_rounds) = (0, 0, 0);
                block_on(async {
                    let mut connection = $connection::connect(database.url()).await.expect("it can be opened");
                    let mut other = $connection::connect(database.url()).await.expect("it can be opened");
                    sqlx::raw_sql("CREATE TABLE orders (id int)").execute(&mut connection).await.expect("it works");
                    for round in 1.. {
                        let before = count_of(&mut other, COUNT).await;
                        let mut transaction = connection.begin().await.expect("a transaction");
                        let order = "INSERT INTO orders VALUES (1)";
                        sqlx::raw_sql(order).execute(&mut *transaction).await.expect("it works");
                        let executor = executor();
                        let ended =
                            polled(executor.insert(&mut *transaction, sealed(count)), 1 + (round - 1) * step).await;
                        sqlx::raw_sql(order).execute(&mut *transaction).await.expect("the transaction goes on");
                        transaction.commit().await.expect("it is committed");
                        let rows = count_of(&mut other, COUNT).await - before;
                        assert_eq!(
                            count_of(&mut other, "SELECT count(*) FROM orders").await,
                            2 * round as u64,
                            "the caller's own rows"
                        );
                        match rows {
                            0 => none += 1,
                            rows if rows == count => all += 1,
                            rows => panic!("{rows} of {count} are there, dropped after {round} times {step} polls"),
                        }
                        if let Some(report) = ended {
                            all_dispatched(&report.expect("it is written"), count as usize);
                            assert_eq!(rows, count);
                            // How many polls it takes varies: the last awaits are met by some rounds only.
                            ended_rounds += 1;
                            if ended_rounds == 10 {
                                break;
                            }
                        }
                    }
                });
                (none, all)
            }

            #[test]
            fn promise_21_a_future_dropped_at_any_await_leaves_all_or_nothing() {
                let (none, all) = at_every(300, 1);
                assert!(none > 0 && all > 0, "{none} and {all}");
            }

            #[test]
            fn promise_21_of_ten_thousand_a_dropped_future_leaves_all_or_nothing() {
                let (none, all) = at_every(10_000, 3);
                assert!(none > 0 && all > 0, "{none} and {all}");
            }

            #[test]
            fn promise_21_after_a_dropped_insertion_another_one_is_written_also_within_a_savepoint() {
                let database = DjangoDatabase::$database();
                block_on(async {
                    let mut connection = $connection::connect(database.url()).await.expect("it can be opened");
                    let executor = executor();
                    for polls in 1..40 {
                        let mut transaction = connection.begin().await.expect("a transaction");
                        let mut savepoint = transaction.begin().await.expect("a savepoint");
                        let first = polled(executor.insert(&mut *savepoint, sealed(600)), polls).await;
                        let is_whole = first.is_some_and(|report| report.is_ok());
                        all_dispatched(&executor.insert(&mut *savepoint, sealed(7)).await.expect("written"), 7);
                        savepoint.commit().await.expect("it is released");
                        transaction.rollback().await.expect("it is rolled back");
                        let mut transaction = connection.begin().await.expect("a transaction");
                        let mut savepoint = transaction.begin().await.expect("a savepoint");
                        all_dispatched(&executor.insert(&mut *savepoint, sealed(7)).await.expect("written"), 7);
                        savepoint.rollback().await.expect("it is rolled back");
                        transaction.commit().await.expect("it is committed");
                        if is_whole {
                            break;
                        }
                    }
                });
                assert_eq!(database.open().number(COUNT), 0);
            }
        }
    };
}

dropped!(sqlite, sqlite, SqliteConnection);
dropped!(postgres, postgres, PgConnection);
