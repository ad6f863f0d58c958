//! SQLite. The client crate has a thread for each connection, which does the work.

mod client;
mod insertion;

use std::borrow::Cow;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Database, Sqlite, SqliteConnection};
use sqlx_core::transaction::TransactionManager;

use super::dialect::{Dialect, Done, Fetched, ForgetOnDrop, RowsChanged, SAVEPOINT, SqlPhase};
use super::refusal::{Refusal, RefusalKind};
use crate::brokers::row::{SqlMessage, SqlValue};
use crate::brokers::url::BrokerUrl;
use crate::dispatch::SqlKind;
use crate::runtime::BoxFuture;

use insertion::{Insertion, add, insertion};

/// In KiB, for pages that a flush changes again and again, as those of an index: 16 MiB. Its own 2 are soon written to the
/// file, and read again. A test writes more than that: `a_flush_that_is_larger_than_the_cache…`.
const CACHE: &str = "-16384";

/// How many rows of an answer the client's thread keeps ready: while it waits for their reader, its transaction keeps all
/// other writers of the file waiting.
const ROWS_READY: usize = 1000;

type SqliteTransactions = <Sqlite as Database>::TransactionManager;

impl Dialect for SqliteConnection {
    type Options = SqliteConnectOptions;

    const KIND: SqlKind = SqlKind::Sqlite;

    const READS_ALONE: bool = true;

    fn commits_each_statement(&self) -> bool {
        false
    }

    fn connect<'a>(
        url: &'a BrokerUrl,
        given: Option<&'a SqliteConnectOptions>,
    ) -> BoxFuture<'a, Result<Self, sqlx::Error>> {
        Box::pin(async move {
            check_writable(&url.path)?;
            if let Some(given) = given {
                return given.clone().row_buffer_size(ROWS_READY).disable_statement_logging().connect().await;
            }
            // Nothing that reads the file: where it is locked, a flush waits as long as it can, once there is one.
            let is_made = url.parameters.get("mode") == Some("rwc");
            let options = SqliteConnectOptions::new().filename(&url.path).create_if_missing(is_made);
            options.row_buffer_size(ROWS_READY).disable_statement_logging().connect().await
        })
    }

    fn file_id(url: &BrokerUrl) -> Option<(u64, u64)> {
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

    fn begin(&mut self, lock_timeout: Duration) -> Done<'_> {
        // At once for writing: a transaction that starts to write later may find that another has.
        // Without a write-ahead log, what doesn't fit its cache goes to the file as soon as no reader is left. It waits for that
        // each time its patience is set, and other tasks wait for it; the cache can grow as well.
        let statements = format!("PRAGMA cache_size = {CACHE}; BEGIN IMMEDIATE; PRAGMA busy_timeout = 0");
        with_busy_timeout(self, lock_timeout, &statements)
    }

    fn commit(&mut self, lock_timeout: Duration) -> Done<'_> {
        // Without a write-ahead log it has to wait until no reader is left. There is less time now than at the beginning.
        with_busy_timeout(self, lock_timeout, "COMMIT")
    }

    fn run(&mut self, statement: impl Into<Cow<'static, str>>) -> Done<'_> {
        let statement = AssertSqlSafe(statement.into().into_owned());
        Box::pin(async move { sqlx::raw_sql(statement).execute(self).await.map(drop) })
    }

    fn depth(&self) -> usize {
        SqliteTransactions::get_transaction_depth(self)
    }

    fn rollback_savepoint(&mut self) {
        SqliteTransactions::start_rollback(self);
    }

    fn check_open(&mut self) -> Done<'_> {
        Box::pin(async move {
            // A transaction can have ended by itself (`INSERT OR ROLLBACK`), and a savepoint would begin another one then.
            // Both statements or, once the first is refused, none: dropped between them, this would leave another transaction
            // open, and the caller's COMMIT would be one of nothing.
            match ForgetOnDrop::boxed(self.run("BEGIN; ROLLBACK")).await {
                Ok(()) => Err(sqlx::Error::BeginFailed),
                Err(sqlx::Error::Database(error)) if error.message().ends_with("within a transaction") => {
                    self.run(format!("SAVEPOINT {SAVEPOINT}")).await
                }
                Err(error) => Err(error),
            }
        })
    }

    fn begin_savepoint(&mut self) -> Done<'_> {
        Box::pin(SqliteTransactions::begin(self, None))
    }

    fn insert(&mut self, rows: Vec<SqlMessage>) -> Done<'_> {
        Box::pin(async move {
            let mut rows = rows.into_iter();
            let mut next = insertion(&mut rows);
            while let Some(this) = next {
                let Insertion { statement, arguments, again } = this.map_err(sqlx::Error::Encode)?;
                let query = sqlx::query_with(AssertSqlSafe(statement), arguments).persistent(again);
                // The next one is made while the thread of the client is busy with this one.
                let (done, made) = tokio::join!(query.execute(&mut *self), async { insertion(&mut rows) });
                done?;
                next = made;
            }
            Ok(())
        })
    }

    fn fetch<'a>(&'a mut self, statement: &Arc<str>, values: Vec<SqlValue>) -> Fetched<'a> {
        let statement = AssertSqlSafe(Arc::clone(statement));
        Box::pin(async move {
            let arguments = arguments(values)?;
            // Each row is read while the thread of the client is busy with the next ones.
            let query = sqlx::query_with(statement, arguments).persistent(true);
            query.try_map(|row| client::read(&row)).fetch_all(self).await
        })
    }

    fn change<'a>(&'a mut self, statement: &Arc<str>, values: Vec<SqlValue>) -> RowsChanged<'a> {
        let statement = AssertSqlSafe(Arc::clone(statement));
        Box::pin(async move {
            let done = sqlx::query_with(statement, arguments(values)?).persistent(true).execute(self).await?;
            Ok(done.rows_affected())
        })
    }

    fn notify<'a>(&'a mut self, _: &'a str) -> Done<'a> {
        Box::pin(async { Ok(()) })
    }

    fn refusal(error: &sqlx::Error, phase: SqlPhase) -> Option<Refusal> {
        let error = match error {
            sqlx::Error::Database(error) => error,
            sqlx::Error::BeginFailed => return Some(refusal(NOT_OPEN, "", phase)),
            sqlx::Error::Io(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Some(refusal(READ_ONLY, "", phase));
            }
            _ => return None,
        };
        let code = error.code().and_then(|code| code.parse::<u16>().ok()).unwrap_or_default();
        Some(refusal(code, error.message(), phase))
    }
}

fn arguments(values: Vec<SqlValue>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    values.into_iter().try_for_each(|value| add(&mut arguments, value)).map_err(sqlx::Error::Encode)?;
    Ok(arguments)
}

/// Whether this process may write to the file. SQLite opens one that it may only read as well, and makes the files of a
/// write-ahead log beside it, which are then this user's: those who may write to the database can't any more. The file is
/// not opened to find out, because closing a file loses all locks that the process has on it, and the program may
/// have it open with a client of its own.
#[cfg(unix)]
fn check_writable(path: &str) -> Result<(), sqlx::Error> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    use rustix::io::Errno;
    match accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS) {
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Err(sqlx::Error::Io(ErrorKind::PermissionDenied.into())),
        // What else is wrong with it is SQLite's to say.
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_writable(_: &str) -> Result<(), sqlx::Error> {
    Ok(())
}

/// Runs statements that wait that long for locks.
fn with_busy_timeout<'a>(connection: &'a mut SqliteConnection, lock_timeout: Duration, statements: &str) -> Done<'a> {
    let statements = format!("PRAGMA busy_timeout = {}; {statements}", lock_timeout.as_millis());
    Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.map(drop) })
}

/// A result code of ours: SQLite has none for this, as a statement outside of a transaction is one of its own.
const NOT_OPEN: u16 = u16::MAX;

/// `SQLITE_BUSY_SNAPSHOT`
const BUSY_SNAPSHOT: u16 = 517;

/// `SQLITE_READONLY`
const READ_ONLY: u16 = 8;

/// What SQLite's result code means (`sqlite.org/rescode.html`); the low byte is the primary one.
fn refusal(code: u16, message: &str, phase: SqlPhase) -> Refusal {
    let is_missing = message.starts_with("no such table") || message.contains("has no column named");
    let (kind, what) = match code & 0xff {
        _ if code == NOT_OPEN => (
            RefusalKind::Rejected,
            "has no transaction open any more, which was ended by a statement or by itself; look whether its data is there before you \
             do it again",
        ),
        1 if is_missing => (RefusalKind::Missing, ""),
        _ if code == BUSY_SNAPSHOT => (
            RefusalKind::Unavailable,
            "has changed since the transaction first read, so that it can't write; begin it with `BEGIN IMMEDIATE`",
        ),
        5 if phase == SqlPhase::Committing => (
            RefusalKind::Unavailable,
            "is read by another connection, which did not end in time; make its transactions shorter, wait longer (the \
             `busy_timeout`, or the flush's deadline), or use a write-ahead log",
        ),
        5 | 6 => (
            RefusalKind::Unavailable,
            "is locked by another connection and was not released in time; make its transactions shorter, or the flush's \
             deadline longer",
        ),
        7 => (RefusalKind::Unavailable, "has no memory left"),
        8 | 3 => (RefusalKind::Rejected, "can't be written to; let this process write to the file and its folder"),
        10 => (RefusalKind::Unsent, "can't be read or written by the system"),
        11 | 26 => (RefusalKind::Rejected, "is damaged, or no SQLite database; look at the path in the URL"),
        13 => (RefusalKind::Unavailable, "has no space left on its disk"),
        14 => (
            RefusalKind::Rejected,
            "can't be opened; look at the path in the URL, make the file with what it belongs to (`manage.py migrate`, say) or by \
             `?mode=rwc` in the URL, and let this process read it",
        ),
        18 => (RefusalKind::Rejected, "takes no value so large; store it and send its key"),
        // SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY
        19 if matches!(code >> 8, 6 | 8) => {
            (RefusalKind::Rejected, "has a task of the same id already, which was accepted before")
        }
        19 => (RefusalKind::Rejected, "refuses a value by a constraint of the table"),
        _ => (RefusalKind::Rejected, "refuses the statement"),
    };
    let mut text = [b' '; 5];
    // One of ours says nothing to a reader.
    let digits = if code == NOT_OPEN { String::new() } else { code.to_string() };
    for (place, digit) in text.iter_mut().zip(digits.bytes()) {
        *place = digit;
    }
    Refusal { kind, what, code: text }
}
