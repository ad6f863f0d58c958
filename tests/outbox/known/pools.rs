//! Tasks that use the pool that their outbox was made of.

use airlock::Outbox;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{PgPool, SqlitePool};
use tokio::sync::Mutex;

use super::connections::number;
use crate::home::on_both;
use crate::tasks::{TaskResult, note_run, ran, unique};

/// The application's pools, by their test.
static POOLS: Mutex<Vec<(String, Pool)>> = Mutex::const_new(Vec::new());

#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Uses the application's pool, and has its only connection for a while.
#[airlock::task(name = "known.asks_the_pool")]
async fn asks_the_pool(test: String, number: u64) -> TaskResult {
    let pool = POOLS.lock().await.iter().find(|(of, _)| *of == test).map(|(_, pool)| pool.clone());
    match pool.ok_or("there is no pool")? {
        Pool::Sqlite(pool) => {
            let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::raw_sql("INSERT INTO notes VALUES (1)").execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Pool::Postgres(pool) => {
            let mut transaction = pool.begin().await?;
            sqlx::raw_sql("INSERT INTO notes VALUES (1)").execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
    }
    note_run(test, number);
    Ok(())
}

on_both! {
    async fn tasks_that_use_the_applications_pool_of_one_connection_all_get_it(home) {
        let test = unique();
        home.run("CREATE TABLE notes (number integer)");
        let (pool, outbox) = if home.url.starts_with("sqlite") {
            let pool = SqlitePoolOptions::new().max_connections(1).connect(&home.url).await.expect("a pool");
            let outbox = Outbox::on(&pool).expect("a file");
            (Pool::Sqlite(pool), outbox)
        } else {
            let pool = PgPoolOptions::new().max_connections(1).connect(&home.url).await.expect("a pool");
            let outbox = Outbox::on(&pool).expect("a server");
            (Pool::Postgres(pool), outbox)
        };
        POOLS.lock().await.push((test.clone(), pool));
        let home = home.with(outbox);
        home.enqueue(|| (0..60).try_for_each(|number| asks_the_pool::enqueue(test.clone(), number).map(drop)));
        let report = home.drain(home.worker().concurrency(16)).await;
        assert_eq!((ran(&test).len(), report.to_string().as_str()), (60, "60 done"));
        assert_eq!(number(&home, "SELECT count(*) FROM notes"), 60);
    }
}
