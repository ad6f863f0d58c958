//! Postgres.

mod answer;
mod client;
mod listener;
mod options;

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgDatabaseError, PgSeverity};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Database, PgConnection, Postgres, Row};
use sqlx_core::transaction::TransactionManager;

use super::Sql;
use super::broker::Heard;
use super::dialect::{Dialect, Done, Fetched, ForgetOnDrop, RowsChanged, SAVEPOINT, SqlPhase};
use super::refusal::{Refusal, RefusalKind};
use crate::brokers::row::{SqlMessage, SqlTable, SqlType, SqlValue, insert_into, on_conflict};
use crate::brokers::url::BrokerUrl;
use crate::dispatch::{DispatchError, SqlKind};
use crate::runtime::BoxFuture;

use answer::refusal;
use options::{check_files, options};

type PgTransactions = <Postgres as Database>::TransactionManager;

/// A setting without a meaning, given at the start of a connection. A connection to the server has it when it was started for
/// this client: not one that a pooler started, and lends to another client with each transaction.
const DIRECT_MARK: &str = "airlock.ours";

impl Dialect for PgConnection {
    type Options = PgConnectOptions;

    const KIND: SqlKind = SqlKind::Postgres;

    const READS_ALONE: bool = false;

    fn commits_each_statement(&self) -> bool {
        // The client asks for the types of a statement before it runs it, which a pooler may take for two transactions.
        keeps_statements(self)
    }

    fn connect<'a>(
        url: &'a BrokerUrl,
        given: Option<&'a PgConnectOptions>,
    ) -> BoxFuture<'a, Result<Self, sqlx::Error>> {
        Box::pin(async move {
            let options = match given {
                Some(given) => given.clone().disable_statement_logging(),
                None => {
                    check_files(url)?;
                    options(url)?
                }
            };
            let mut connection = match options.clone().options([(DIRECT_MARK, "yes")]).connect().await {
                Err(sqlx::Error::Database(error)) if refuses_settings(&*error) => return options.connect().await,
                connected => connected?,
            };
            let ask = AssertSqlSafe(format!("SELECT current_setting('{DIRECT_MARK}', true)"));
            let row = sqlx::raw_sql(ask).fetch_one(&mut connection).await?;
            if row.try_get::<Option<String>, _>(0)?.is_some_and(|value| !value.is_empty()) {
                // The first statement that is kept: `keeps_statements` is true from here on.
                sqlx::query("SELECT 1").execute(&mut connection).await?;
            }
            Ok(connection)
        })
    }

    fn prepare_session(&mut self, lock_timeout: Duration, answer_timeout: Duration) -> Done<'_> {
        // A server doesn't notice that its client is gone while it waits for a lock, or works, and would claim rows for it
        // once it is done.
        let (lock, statement) = (lock_timeout.as_millis(), answer_timeout.as_millis() * 4 / 5);
        set(self, format!("SET lock_timeout = {lock}; SET statement_timeout = {statement}"))
    }

    fn read_by_index(&mut self) -> Done<'_> {
        // Statistics that are out of date lead the planner to read whole tables.
        const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; \
                                SET enable_mergejoin = off; SET jit = off";
        set(self, BY_INDEX)
    }

    fn begin(&mut self, lock_timeout: Duration) -> Done<'_> {
        // A server doesn't notice that its client is gone while it waits for a lock: its connections would become more
        // with each flush. None is no limit.
        let statements = format!("BEGIN; SET LOCAL lock_timeout = {}", lock_timeout.as_millis().max(1));
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

    fn rollback_savepoint(&mut self) {
        PgTransactions::start_rollback(self);
    }

    fn check_open(&mut self) -> Done<'_> {
        // Of a transaction that an error has aborted, COMMIT would be answered with ROLLBACK, and the client take that for
        // success. A savepoint is refused there, and where no transaction is open.
        self.run(format!("SAVEPOINT {SAVEPOINT}"))
    }

    fn limit_lock_waits(&mut self, lock_timeout: Duration) -> Done<'_> {
        self.run(format!("SET LOCAL lock_timeout = {}", lock_timeout.as_millis().max(1)))
    }

    fn begin_savepoint(&mut self) -> Done<'_> {
        // Dropped before its end, it rolls back what is around it (sqlx 0.9.0), which is the caller's transaction, and takes
        // that for ended.
        ForgetOnDrop::boxed(PgTransactions::begin(self, None))
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

    fn fetch<'a>(&'a mut self, statement: &Arc<str>, values: Vec<SqlValue>) -> Fetched<'a> {
        let statement = AssertSqlSafe(Arc::clone(statement));
        Box::pin(async move {
            let is_kept = keeps_statements(self);
            let query = sqlx::query_with(statement, arguments(values)?).persistent(is_kept);
            query.try_map(|row| client::read(&row)).fetch_all(self).await
        })
    }

    fn change<'a>(&'a mut self, statement: &Arc<str>, values: Vec<SqlValue>) -> RowsChanged<'a> {
        let statement = AssertSqlSafe(Arc::clone(statement));
        Box::pin(async move {
            let is_kept = keeps_statements(self);
            let query = sqlx::query_with(statement, arguments(values)?).persistent(is_kept);
            Ok(query.execute(self).await?.rows_affected())
        })
    }

    fn notify<'a>(&'a mut self, channel: &'a str) -> Done<'a> {
        Box::pin(async move {
            let notify = sqlx::query("SELECT pg_notify($1, '')").bind(channel);
            let is_kept = keeps_statements(self);
            notify.persistent(is_kept).execute(self).await.map(drop)
        })
    }

    fn listen<'a>(sql: &'a Sql<Self>, channel: &'a str, heard: &'a Heard) -> BoxFuture<'a, Result<(), DispatchError>> {
        Box::pin(listener::listen(sql, channel, heard))
    }

    fn refusal(error: &sqlx::Error, phase: SqlPhase) -> Option<Refusal> {
        let sqlx::Error::Database(error) = error else { return None };
        let mut refusal = refusal(phase, &error.code().unwrap_or_default(), error.message());
        let severity = error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::severity);
        if phase == SqlPhase::Committing && matches!(severity, Some(PgSeverity::Fatal | PgSeverity::Panic)) {
            // The server's process ends, and may have written down the commit before.
            refusal.kind = RefusalKind::Ending;
        }
        Some(refusal)
    }

    fn schemas(&mut self) -> BoxFuture<'_, Option<String>> {
        let ask = "SELECT array_to_string(current_schemas(false), ', '), current_setting('search_path')";
        Box::pin(async move {
            let row = sqlx::raw_sql(ask).fetch_one(self).await.ok()?;
            let (schemas, path) = (row.try_get::<String, _>(0).ok()?, row.try_get::<String, _>(1).ok()?);
            let of = if schemas.is_empty() { "no schema".to_owned() } else { format!("the schema `{schemas}`") };
            Some(format!("{of}, as `search_path` is `{path}`"))
        })
    }
}

fn arguments(values: Vec<SqlValue>) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            SqlValue::Int(number) => arguments.add(number),
            SqlValue::Text(text) => arguments.add(text.as_ref()),
            SqlValue::Bytes(bytes) => arguments.add(bytes),
            SqlValue::Null => arguments.add(None::<&str>),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Changes settings of a connection to the server: behind a pooler, they would stay for its next client.
fn set(connection: &mut PgConnection, settings: impl Into<Cow<'static, str>>) -> Done<'_> {
    if keeps_statements(connection) { connection.run(settings) } else { Box::pin(async { Ok(()) }) }
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

/// An insertion that takes an array for each column, so that one statement fits any number of rows.
fn insert_arrays(table: &SqlTable) -> String {
    let mut statement = insert_into(table);
    statement.push_str(" SELECT ");
    // Writing into a string doesn't fail.
    for (index, (name, kind)) in table.columns.iter().enumerate() {
        let _ = write!(statement, "{}{}", if index > 0 { ", " } else { "" }, kind.read(&format!("r.\"{name}\"")));
    }
    for (_, literal) in table.constants {
        let _ = write!(statement, ", {literal}");
    }
    statement.push_str(" FROM unnest(");
    for (index, (_, kind)) in table.columns.iter().enumerate() {
        let sent = match kind {
            SqlType::Int | SqlType::After => "bigint",
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
    statement.push_str(&on_conflict(table));
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
        SqlType::Int | SqlType::After => arguments.add(
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
