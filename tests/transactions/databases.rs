//! The two databases: what differs between them.

use airlock_tests::servers::DjangoDatabase;
use sqlx::{PgPool, SqlitePool};

/// A migrated database with a table of orders.
pub(crate) fn shop(database: DjangoDatabase) -> DjangoDatabase {
    database.open().run("CREATE TABLE orders (id int)");
    database
}

pub(crate) async fn sqlite_pool(database: &DjangoDatabase) -> SqlitePool {
    SqlitePool::connect(database.url()).await.unwrap()
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
