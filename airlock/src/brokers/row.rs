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
    /// Nothing.
    Null,
}

/// The columns of a row that was read.
pub(crate) type SqlRow = Vec<SqlValue>;

/// A table of a system, as its own migrations make it.
#[derive(Debug, PartialEq)]
pub(crate) struct SqlTable {
    /// Where it is, if that isn't left to the database.
    pub(crate) schema: Option<&'static str>,
    pub(crate) name: &'static str,
    /// The columns that differ from row to row.
    pub(crate) columns: &'static [(&'static str, SqlType)],
    /// The others, each with the literal that goes into it.
    pub(crate) constants: &'static [(&'static str, &'static str)],
    /// The column by which a row that is there already is known: the same row again then changes nothing.
    pub(crate) known_by: Option<&'static str>,
    /// What to do if it isn't there.
    pub(crate) remedy: &'static str,
}

/// The type of a column in Postgres; in SQLite they are what the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqlType {
    Int,
    /// A time, given as the milliseconds until then by the clock of the database.
    After,
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
                Transport::Postgres => write!(statement, "{comma}{}", kind.read(&format!("${}", index + 1))),
                _ => write!(statement, "{comma}?"),
            };
        }
        for (_, literal) in self.table.constants {
            let _ = write!(statement, ", {literal}");
        }
        statement.push(')');
        statement.push_str(&on_conflict(self.table));
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
            SqlValue::Int(_) | SqlValue::Null => 8,
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
            Self::Int | Self::After => "bigint",
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Json => "jsonb",
            Self::Time => "timestamptz",
            Self::Bytes => "bytea",
        }
    }

    /// What Postgres makes of a value that it was given.
    pub(crate) fn read(self, value: &str) -> String {
        match self {
            Self::After => format!("clock_timestamp() + {value}::bigint * interval '1 millisecond'"),
            _ => format!("{value}::{}", self.name()),
        }
    }
}

/// The beginning of an insertion, up to the names of the columns.
pub(crate) fn insert_into(table: &SqlTable) -> String {
    let names = table.columns.iter().map(|(name, _)| *name).chain(table.constants.iter().map(|(name, _)| *name));
    let names: Vec<_> = names.map(|name| format!("\"{name}\"")).collect();
    format!("INSERT INTO {} ({})", table.place(), names.join(", "))
}

/// The end of an insertion. A `SELECT` before it needs a `WHERE`, without which SQLite takes the `ON` for that of a join.
pub(crate) fn on_conflict(table: &SqlTable) -> String {
    table.known_by.map(|column| format!(" ON CONFLICT (\"{column}\") DO NOTHING")).unwrap_or_default()
}

impl SqlTable {
    /// Its name as a statement has it.
    pub(crate) fn place(&self) -> String {
        let schema = self.schema.map(|schema| format!("{}.", quoted_name(schema))).unwrap_or_default();
        format!("{schema}\"{}\"", self.name)
    }
}

/// A name in quotes.
pub(crate) fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
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
            Self::Null => "Null",
        })
    }
}
