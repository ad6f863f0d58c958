//! The client crate's connection, pool and rows of SQLite, as the rest of airlock knows them.

use std::borrow::Cow;

use sqlx::{Row, TypeInfo, ValueRef};

use crate::brokers::broker::{AnyManager, PoolOptions};
use crate::brokers::connection::ConnectionManager;
use crate::brokers::row::{SqlRow, SqlValue};
use crate::brokers::sql::any::{AnyConnection, SqlConnection};
use crate::brokers::sql::pool::{PoolSource, SqlPool};
use crate::brokers::sql::{Sql, transaction};
use crate::brokers::url::{BrokerUrl, BrokerUrlError};
use crate::dispatch::DispatchError;

impl SqlConnection for sqlx::SqliteConnection {
    fn as_any(&mut self) -> AnyConnection<'_> {
        AnyConnection(self)
    }

    fn commit_failed(error: &sqlx::Error) -> DispatchError {
        transaction::commit_failed::<Self>(error)
    }
}

impl SqlPool for sqlx::SqlitePool {
    fn source(&self) -> Result<PoolSource, BrokerUrlError> {
        let options = self.connect_options();
        // As the client crate names a database in memory.
        if options.get_filename().to_str().is_some_and(|name| name.starts_with("file:sqlx-in-memory")) {
            return Err(BrokerUrlError::Memory);
        }
        let url = BrokerUrl::of_path(options.get_filename().to_str().ok_or(BrokerUrlError::Path)?)?;
        Ok(PoolSource {
            url,
            options: PoolOptions::new(move |url, timeout| {
                let sql = Sql::with_options(url.clone(), Some((*options).clone()));
                AnyManager::Sqlite(ConnectionManager::new(sql, timeout))
            }),
        })
    }
}

/// The values of a row: whole numbers and texts. A column takes what it is given: a text that is not UTF-8 is read as far as
/// it is, and what is neither number nor text is none.
pub(super) fn read(row: &sqlx::sqlite::SqliteRow) -> Result<SqlRow, sqlx::Error> {
    let value = |at: usize| {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            return Ok(SqlValue::Null);
        }
        Ok(match raw.type_info().name() {
            "INTEGER" | "REAL" => SqlValue::Int(row.try_get_unchecked(at)?),
            "TEXT" => {
                let bytes = row.try_get_unchecked::<&[u8], _>(at)?;
                SqlValue::Text(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()))
            }
            _ => SqlValue::Null,
        })
    };
    (0..row.len()).map(value).collect()
}
