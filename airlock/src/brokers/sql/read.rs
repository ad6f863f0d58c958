//! Rows that were read, as values.

use std::borrow::Cow;

use sqlx::{Column, Row, TypeInfo, ValueRef};

use crate::brokers::row::{SqlRow, SqlValue};

#[cfg(feature = "postgres")]
/// The values of a row whose columns are of the types `bigint` and `text`.
pub(super) fn postgres(row: &sqlx::postgres::PgRow) -> Result<SqlRow, sqlx::Error> {
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

#[cfg(feature = "sqlite")]
/// The values of a row: whole numbers and texts.
pub(super) fn sqlite(row: &sqlx::sqlite::SqliteRow) -> Result<SqlRow, sqlx::Error> {
    let value = |at: usize| {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            return Ok(SqlValue::Null);
        }
        Ok(match raw.type_info().name() {
            "INTEGER" => SqlValue::Int(row.try_get_unchecked(at)?),
            _ => SqlValue::Text(Cow::Owned(row.try_get_unchecked(at)?)),
        })
    };
    (0..row.len()).map(value).collect()
}
