//! Rows of the tables that workers read. Plain data: the client of the database is elsewhere.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::sync::Arc;

use super::transport::Transport;

/// A row as an executor would insert it: for those who do so themselves.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SqlMessage {
    pub(crate) transport: Transport,
    pub(crate) table: &'static SqlTable,
    /// One for each of the table's own columns.
    pub(crate) values: Vec<SqlValue>,
    /// The channel that workers listen on (Postgres).
    pub(crate) notify: Option<Arc<str>>,
}

/// What goes into a column.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum SqlValue {
    /// A whole number.
    Int(i64),
    /// A text; the statement has the cast where the column is of another type.
    Text(Cow<'static, str>),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A table of a system, as its own migrations make it.
#[derive(Debug, PartialEq)]
pub(crate) struct SqlTable {
    pub(crate) name: &'static str,
    /// The columns that differ from row to row.
    pub(crate) columns: &'static [(&'static str, SqlType)],
    /// The others, each with the literal that goes into it.
    pub(crate) constants: &'static [(&'static str, &'static str)],
    /// What to do if it isn't there.
    pub(crate) remedy: &'static str,
}

/// The type of a column in Postgres; in SQLite they are what the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqlType {
    Int,
    Text,
    Uuid,
    Json,
    Time,
    Bytes,
}

impl SqlMessage {
    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        self.table.name
    }

    /// The statement that inserts it, with a placeholder for each of the [`values`](Self::values).
    #[must_use]
    pub fn statement(&self) -> String {
        let mut statement = insert_into(self.table);
        statement.push_str(" VALUES (");
        for (index, (_, kind)) in self.table.columns.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            // Writing into a string doesn't fail.
            let _ = match self.transport {
                Transport::Postgres => write!(statement, "{comma}${}::{}", index + 1, kind.name()),
                _ => write!(statement, "{comma}?"),
            };
        }
        for (_, literal) in self.table.constants {
            let _ = write!(statement, ", {literal}");
        }
        statement.push(')');
        statement
    }

    /// What goes in place of the placeholders, in order.
    #[must_use]
    pub fn values(&self) -> &[SqlValue] {
        &self.values
    }

    /// The channel to notify in the same transaction, as Huey's workers on Postgres listen on: `SELECT pg_notify($1, '')`.
    #[must_use]
    pub fn notify(&self) -> Option<&str> {
        self.notify.as_deref()
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let sizes = self.values.iter().map(|value| match value {
            SqlValue::Int(_) => 8,
            SqlValue::Text(text) => text.len(),
            SqlValue::Bytes(bytes) => bytes.len(),
        });
        sizes.sum::<usize>() + 64
    }
}

impl SqlType {
    /// Its name in Postgres.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Int => "bigint",
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Json => "jsonb",
            Self::Time => "timestamptz",
            Self::Bytes => "bytea",
        }
    }
}

/// The beginning of an insertion, up to the names of the columns.
pub(crate) fn insert_into(table: &SqlTable) -> String {
    let names = table.columns.iter().map(|(name, _)| *name).chain(table.constants.iter().map(|(name, _)| *name));
    let names: Vec<_> = names.map(|name| format!("\"{name}\"")).collect();
    format!("INSERT INTO \"{}\" ({})", table.name, names.join(", "))
}

impl fmt::Debug for SqlMessage {
    /// Where it goes and how many values it has; what they are may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlMessage")
            .field("table", &self.table.name)
            .field("values", &self.values.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SqlValue {
    /// Its kind; the value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int(_) => "Int",
            Self::Text(_) => "Text",
            Self::Bytes(_) => "Bytes",
        })
    }
}
