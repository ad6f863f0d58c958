//! SQLite. The client crate has a thread for each connection, which does the work.

use std::time::Duration;

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, SqliteConnection};

use super::dialect::{Dialect, Done};
use super::refusal::{Kind, Refusal};
use crate::brokers::message::Transport;
use crate::brokers::row::{SqlMessage, SqlValue, insert_rows};
use crate::brokers::url::BrokerUrl;
use crate::executors::BoxFuture;

/// How many rows share a statement: with more, there is little left to gain. SQLite takes 32,766 values.
const ROWS: usize = 256;

impl Dialect for SqliteConnection {
    fn connect(url: &BrokerUrl) -> BoxFuture<'_, Result<Self, sqlx::Error>> {
        Box::pin(async move {
            let options = SqliteConnectOptions::new().filename(&url.path).disable_statement_logging();
            options.connect().await
        })
    }

    fn identity(url: &BrokerUrl) -> Option<(u64, u64)> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let file = std::fs::metadata(&url.path).ok()?;
            Some((file.dev(), file.ino()))
        }
        #[cfg(not(unix))]
        {
            let _ = url;
            None
        }
    }

    fn begin(&mut self, patience: Duration) -> Done<'_> {
        // At once for writing: a transaction that starts to write later may find that another has.
        let statement = format!("PRAGMA busy_timeout = {}; BEGIN IMMEDIATE", patience.as_millis());
        Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(statement)).execute(self).await.map(drop) })
    }

    fn run(&mut self, statement: &'static str) -> Done<'_> {
        Box::pin(async move { sqlx::raw_sql(statement).execute(self).await.map(drop) })
    }

    fn insert<'a>(&'a mut self, rows: &'a [SqlMessage]) -> Done<'a> {
        Box::pin(async move {
            for rows in rows.chunks(ROWS) {
                let Some(first) = rows.first() else { continue };
                let statement = insert_rows(first.table, Transport::Sqlite, rows.len());
                let mut arguments = SqliteArguments::default();
                arguments.reserve(rows.len() * first.values.len(), 0);
                for value in rows.iter().flat_map(|row| &row.values) {
                    add(&mut arguments, value).map_err(sqlx::Error::Encode)?;
                }
                // Kept ready if it comes again, which only statements of some sizes do.
                let again = rows.len() == ROWS || rows.len() == 1;
                let query = sqlx::query_with(AssertSqlSafe(statement), arguments).persistent(again);
                query.execute(&mut *self).await?;
            }
            Ok(())
        })
    }

    fn notify<'a>(&'a mut self, _: &'a str) -> Done<'a> {
        Box::pin(async { Ok(()) })
    }

    fn refusal(error: &sqlx::Error) -> Option<Refusal> {
        let sqlx::Error::Database(error) = error else { return None };
        let code = error.code().and_then(|code| code.parse::<u16>().ok()).unwrap_or_default();
        Some(refusal(code, error.message()))
    }
}

fn add(arguments: &mut SqliteArguments, value: &SqlValue) -> Result<(), sqlx::error::BoxDynError> {
    match value {
        SqlValue::Int(number) => arguments.add(*number),
        SqlValue::Text(text) => arguments.add(text.as_ref()),
        SqlValue::Bytes(bytes) => arguments.add(bytes.as_slice()),
    }
}

/// What SQLite's result code means (`sqlite.org/rescode.html`); the low byte is the primary one.
fn refusal(code: u16, message: &str) -> Refusal {
    let is_missing = message.starts_with("no such table") || message.contains("has no column named");
    let (kind, what) = match code & 0xff {
        1 if is_missing => (Kind::Missing, ""),
        5 | 6 => (
            Kind::Unavailable,
            "is locked by another writer and was not released in time; make its transactions shorter, or the flush's \
             deadline longer",
        ),
        7 => (Kind::Unavailable, "has no memory left"),
        8 | 3 => (Kind::Rejected, "can't be written to; let this process write to the file and its folder"),
        10 => (Kind::Unavailable, "can't be read or written by the system"),
        11 | 26 => (Kind::Rejected, "is damaged, or no SQLite database; look at the path in the URL"),
        13 => (Kind::Unavailable, "has no space left on its disk"),
        14 => (
            Kind::Rejected,
            "can't be opened; look at the path in the URL, make the file with `manage.py migrate` or a first worker, and \
             let this process read it",
        ),
        18 => (Kind::Rejected, "takes no value so large; store it and send its key"),
        // SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY
        19 if matches!(code >> 8, 6 | 8) => {
            (Kind::Rejected, "has a task of the same id already, which was accepted before")
        }
        19 => (Kind::Rejected, "refuses a value by a constraint of the table"),
        _ => (Kind::Rejected, "refuses the statement"),
    };
    let mut text = [b' '; 5];
    let digits = code.to_string();
    for (place, digit) in text.iter_mut().zip(digits.bytes()) {
        *place = digit;
    }
    Refusal { kind, what, code: text }
}
