//! The two databases: what differs between them.

use airlock_tests::servers::DjangoDatabase;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{PgPool, SqlitePool};

/// A migrated database with a table of orders.
pub(crate) fn shop(database: DjangoDatabase) -> DjangoDatabase {
    database.open().run("CREATE TABLE orders (id int)");
    database
}

pub(crate) async fn sqlite_pool(database: &DjangoDatabase) -> SqlitePool {
    SqlitePool::connect(database.url()).await.unwrap()
}

/// A pool that lends the same connection again and again.
pub(crate) async fn one_sqlite_connection(database: &DjangoDatabase) -> SqlitePool {
    SqlitePoolOptions::new().max_connections(1).connect(database.url()).await.unwrap()
}

pub(crate) async fn one_postgres_connection(database: &DjangoDatabase) -> PgPool {
    PgPoolOptions::new().max_connections(1).connect(database.url()).await.unwrap()
}

pub(crate) async fn postgres_pool(database: &DjangoDatabase) -> PgPool {
    PgPool::connect(database.url()).await.unwrap()
}

/// The tests of the block for each database, in a module of its name: `shop()` makes a database, `pool` a pool of it, and
/// `begin` a transaction.
macro_rules! for_each_database {
    ($($tests:tt)*) => {
        mod sqlite {
            use super::*;
            #[allow(unused_imports, reason = "not all blocks need it")]
            use crate::databases::one_sqlite_connection as one_connection;
            #[allow(unused_imports, reason = "not all blocks need it")]
            use crate::databases::sqlite_pool as pool;
            #[allow(dead_code, reason = "not all blocks need it")]
            type Db = sqlx::Sqlite;
            fn shop() -> airlock_tests::servers::DjangoDatabase {
                crate::databases::shop(airlock_tests::servers::DjangoDatabase::sqlite())
            }
            async fn begin(pool: &sqlx::SqlitePool) -> sqlx::Transaction<'static, sqlx::Sqlite> {
                pool.begin_with("BEGIN IMMEDIATE").await.unwrap()
            }
            $($tests)*
        }

        mod postgres {
            use super::*;
            #[allow(unused_imports, reason = "not all blocks need it")]
            use crate::databases::one_postgres_connection as one_connection;
            #[allow(unused_imports, reason = "not all blocks need it")]
            use crate::databases::postgres_pool as pool;
            #[allow(dead_code, reason = "not all blocks need it")]
            type Db = sqlx::Postgres;
            fn shop() -> airlock_tests::servers::DjangoDatabase {
                crate::databases::shop(airlock_tests::servers::DjangoDatabase::postgres())
            }
            async fn begin(pool: &sqlx::PgPool) -> sqlx::Transaction<'static, sqlx::Postgres> {
                pool.begin().await.unwrap()
            }
            $($tests)*
        }
    };
}

pub(crate) use for_each_database;
