//! Postgres.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgSslMode};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Database, PgConnection, Postgres, Row};
use sqlx_core::transaction::TransactionManager;

use super::dialect::{Dialect, Done, PROOF, Undropped};
use super::refusal::{Refusal, RefusalKind};
use crate::brokers::row::{SqlMessage, SqlTable, SqlType, SqlValue, insert_into};
use crate::brokers::url::{BrokerUrl, Scheme};
use crate::runtime::BoxFuture;

type PgTransactions = <Postgres as Database>::TransactionManager;

/// A setting without a meaning, given at the start of a connection. A connection to the server has it when it was started for
/// this client: not one that a pooler started, and lends to another client with each transaction.
const OURS: &str = "airlock.ours";

impl Dialect for PgConnection {
    fn connect(url: &BrokerUrl) -> BoxFuture<'_, Result<Self, sqlx::Error>> {
        Box::pin(async move {
            let mut connection = match options(url).options([(OURS, "yes")]).connect().await {
                Err(sqlx::Error::Database(error)) if refuses_settings(&*error) => return options(url).connect().await,
                connected => connected?,
            };
            let ask = AssertSqlSafe(format!("SELECT current_setting('{OURS}', true)"));
            let row = sqlx::raw_sql(ask).fetch_one(&mut connection).await?;
            if row.try_get::<Option<String>, _>(0)?.is_some_and(|value| !value.is_empty()) {
                // The first statement that is kept: `keeps_statements` is true from here on.
                sqlx::query("SELECT 1").execute(&mut connection).await?;
            }
            Ok(connection)
        })
    }

    fn begin(&mut self, patience: Duration) -> Done<'_> {
        // A server doesn't notice that its client is gone while it waits for a lock: its connections would become more
        // with each flush. None is no limit.
        let statements = format!("BEGIN; SET LOCAL lock_timeout = {}", patience.as_millis().max(1));
        Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(statements)).execute(self).await.map(drop) })
    }

    fn commit(&mut self, _: Duration) -> Done<'_> {
        self.run("COMMIT")
    }

    fn run(&mut self, statement: impl Into<Cow<'static, str>>) -> Done<'_> {
        let statement = AssertSqlSafe(statement.into().into_owned());
        Box::pin(async move { sqlx::raw_sql(statement).execute(self).await.map(drop) })
    }

    fn depth(&self) -> usize {
        PgTransactions::get_transaction_depth(self)
    }

    fn unnest(&mut self) {
        PgTransactions::start_rollback(self);
    }

    fn prove_open(&mut self) -> Done<'_> {
        // Of a transaction that an error has aborted, COMMIT would be answered with ROLLBACK, and the client take that for
        // success. A savepoint is refused there, and where no transaction is open.
        self.run(format!("SAVEPOINT {PROOF}"))
    }

    fn nest(&mut self) -> Done<'_> {
        // Dropped before its end, it rolls back what is around it (sqlx 0.9.0), which is the caller's transaction, and takes
        // that for ended.
        Undropped::boxed(PgTransactions::begin(self, None))
    }

    fn insert(&mut self, rows: Vec<SqlMessage>) -> Done<'_> {
        Box::pin(async move {
            let Some(first) = rows.first() else { return Ok(()) };
            let mut arguments = PgArguments::default();
            for (column, (_, kind)) in first.table.columns.iter().enumerate() {
                add(&mut arguments, *kind, &rows, column).map_err(sqlx::Error::Encode)?;
            }
            let insertion = sqlx::query_with(AssertSqlSafe(insert_arrays(first.table)), arguments);
            let is_kept = keeps_statements(self);
            insertion.persistent(is_kept).execute(self).await.map(drop)
        })
    }

    fn notify<'a>(&'a mut self, channel: &'a str) -> Done<'a> {
        Box::pin(async move {
            let notify = sqlx::query("SELECT pg_notify($1, '')").bind(channel);
            let is_kept = keeps_statements(self);
            notify.persistent(is_kept).execute(self).await.map(drop)
        })
    }

    fn refusal(error: &sqlx::Error) -> Option<Refusal> {
        let sqlx::Error::Database(error) = error else { return None };
        let mut code = [b' '; 5];
        for (place, byte) in code.iter_mut().zip(error.code().unwrap_or_default().bytes()) {
            *place = byte;
        }
        Some(refusal(code))
    }
}

/// Whether statements may be kept under a name, as some are already (of a caller's connection: by the caller). Behind a pooler
/// that lends a connection for each transaction, the next one may not know the name, or know it for another client's.
fn keeps_statements(connection: &PgConnection) -> bool {
    connection.cached_statements_size() > 0
}

/// What poolers answer to settings at the start of a connection: a parameter that they don't know, or don't support.
fn refuses_settings(error: &dyn DatabaseError) -> bool {
    error.code().is_some_and(|code| ["08", "0A", "22", "42"].iter().any(|class| code.starts_with(class)))
}

/// What the URL says, and no password from elsewhere. The client crate adds what `PGOPTIONS`, `PGSSLROOTCERT`, `PGSSLCERT` and
/// `PGSSLKEY` say, as all clients do.
fn options(url: &BrokerUrl) -> PgConnectOptions {
    let tls = if url.scheme == Scheme::PostgresTls { PgSslMode::VerifyFull } else { PgSslMode::Disable };
    let user = url.user.as_deref().unwrap_or("postgres");
    let database = if url.path.is_empty() { user } else { &url.path };
    let options = PgConnectOptions::new_without_pgpass()
        .host(&url.host)
        .port(url.port)
        .username(user)
        .password(url.password.as_deref().unwrap_or_default())
        .database(database)
        .ssl_mode(tls)
        // No float is read, and PgBouncer refuses connections that ask for more digits of them.
        .extra_float_digits(None)
        .application_name("airlock");
    options.disable_statement_logging()
}

/// An insertion that takes an array for each column, so that one statement fits any number of rows.
fn insert_arrays(table: &SqlTable) -> String {
    let mut statement = insert_into(table);
    statement.push_str(" SELECT ");
    // Writing into a string doesn't fail.
    for (index, (name, kind)) in table.columns.iter().enumerate() {
        let _ = write!(statement, "{}r.\"{name}\"::{}", if index > 0 { ", " } else { "" }, kind.name());
    }
    for (_, literal) in table.constants {
        let _ = write!(statement, ", {literal}");
    }
    statement.push_str(" FROM unnest(");
    for (index, (_, kind)) in table.columns.iter().enumerate() {
        let sent = match kind {
            SqlType::Int => "bigint",
            SqlType::Bytes => "bytea",
            _ => "text",
        };
        let _ = write!(statement, "{}${}::{sent}[]", if index > 0 { ", " } else { "" }, index + 1);
    }
    statement.push_str(") WITH ORDINALITY AS r(");
    for (name, _) in table.columns {
        let _ = write!(statement, "\"{name}\", ");
    }
    // Numbers from a sequence follow the order of the rows.
    statement.push_str("airlock_place) ORDER BY r.airlock_place");
    statement
}

/// The values of one column, as an array.
fn add(
    arguments: &mut PgArguments,
    kind: SqlType,
    rows: &[SqlMessage],
    column: usize,
) -> Result<(), sqlx::error::BoxDynError> {
    let values = rows.iter().filter_map(|row| row.values.get(column));
    match kind {
        SqlType::Int => arguments.add(
            values
                .map(|value| match value {
                    SqlValue::Int(number) => Some(*number),
                    _ => None,
                })
                .collect::<Vec<_>>(),
        ),
        SqlType::Bytes => arguments.add(
            values
                .map(|value| match value {
                    SqlValue::Bytes(bytes) => Some(bytes.as_slice()),
                    _ => None,
                })
                .collect::<Vec<_>>(),
        ),
        _ => arguments.add(
            values
                .map(|value| match value {
                    SqlValue::Text(text) => Some(text.as_ref()),
                    _ => None,
                })
                .collect::<Vec<_>>(),
        ),
    }
}

/// What Postgres' code means (appendix A of its documentation); the first two characters are the class.
fn refusal(code: [u8; 5]) -> Refusal {
    let (kind, what) = match &code {
        b"42P01" | b"42703" | b"3F000" => (RefusalKind::Missing, ""),
        b"42501" => (RefusalKind::Rejected, "doesn't let this user write to the table; grant INSERT on it"),
        b"28P01" | b"28000" => {
            (RefusalKind::Rejected, "refuses user and password; give those it knows in the database's URL")
        }
        b"3D000" => (RefusalKind::Rejected, "has no such database; look at the path of the URL"),
        b"23505" => (RefusalKind::Rejected, "has a task of the same id already, which was accepted before"),
        b"25006" => (RefusalKind::Unavailable, "is a read-only replica; give the URL of the primary"),
        b"25P03" | b"25P04" => {
            (RefusalKind::Ending, "ended the transaction, which took longer than it allows; raise its timeouts")
        }
        b"25P01" => (RefusalKind::Rejected, "has no open transaction; begin one, and commit it afterwards"),
        b"25P02" => (RefusalKind::Rejected, "takes nothing more after an earlier error; roll the transaction back"),
        b"55P03" | b"57014" => (RefusalKind::Unavailable, "gave up waiting for others that hold the table; try again"),
        [b'0', b'8', ..] | [b'5', b'7', b'P', ..] => (RefusalKind::Ending, "is ending or not ready yet"),
        b"53100" => (RefusalKind::Unavailable, "has no space left on its disk"),
        b"53300" => (RefusalKind::Unavailable, "has too many connections; raise `max_connections` or close some"),
        [b'5', b'3', ..] => (RefusalKind::Unavailable, "lacks resources"),
        [b'4', b'0', ..] => (RefusalKind::Unavailable, "rolled the transaction back; try again"),
        [b'5', b'8', ..] => (RefusalKind::Unavailable, "has trouble with its system; look at its log"),
        [b'2', b'2', ..] => (RefusalKind::Rejected, "refuses a value"),
        [b'2', b'3', ..] => (RefusalKind::Rejected, "refuses a value by a constraint of the table"),
        _ => (RefusalKind::Rejected, "refuses the statement"),
    };
    Refusal { kind, what, code }
}
