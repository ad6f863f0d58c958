//! The client crate's connection, pool and rows of Postgres, as the rest of airlock knows them.

use std::borrow::Cow;

use sqlx::{Column, Row, TypeInfo};

use crate::brokers::broker::{AnyManager, PoolOptions};
use crate::brokers::connection::ConnectionManager;
use crate::brokers::row::{SqlRow, SqlValue};
use crate::brokers::sql::any::{AnyConnection, SqlConnection};
use crate::brokers::sql::pool::{PoolSource, SqlPool};
use crate::brokers::sql::{Sql, transaction};
use crate::brokers::url::{BrokerUrl, BrokerUrlError};
use crate::dispatch::DispatchError;

impl SqlConnection for sqlx::PgConnection {
    fn as_any(&mut self) -> AnyConnection<'_> {
        AnyConnection(self)
    }

    fn commit_failed(error: &sqlx::Error) -> DispatchError {
        transaction::commit_failed::<Self>(error)
    }
}

impl SqlPool for sqlx::PgPool {
    fn source(&self) -> Result<PoolSource, BrokerUrlError> {
        let options = self.connect_options();
        let socket = options.get_socket().and_then(|folder| folder.to_str()).map(str::to_owned);
        let host = if socket.is_some() { "" } else { options.get_host() };
        let (user, database) = (options.get_username(), options.get_database().unwrap_or_default());
        let url = BrokerUrl::of_database(host, options.get_port(), socket, user, database);
        Ok(PoolSource {
            url,
            options: PoolOptions::new(move |url, timeout| {
                let sql = Sql::with_options(url.clone(), Some((*options).clone()));
                AnyManager::Postgres(ConnectionManager::new(sql, timeout))
            }),
        })
    }
}

/// The values of a row whose columns are of the types `bigint` and `text`.
pub(super) fn read(row: &sqlx::postgres::PgRow) -> Result<SqlRow, sqlx::Error> {
    let value = |column: &sqlx::postgres::PgColumn| {
        Ok(match column.type_info().name() {
            "INT8" => row.try_get::<Option<i64>, _>(column.ordinal())?.map_or(SqlValue::Null, SqlValue::Int),
            _ => {
                let text = row.try_get::<Option<String>, _>(column.ordinal())?;
                text.map_or(SqlValue::Null, |text| SqlValue::Text(Cow::Owned(text)))
            }
        })
    };
    row.columns().iter().map(value).collect()
}
