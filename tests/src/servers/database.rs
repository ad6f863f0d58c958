//! A look into a database, and a hand in it.

use airlock::{SqlMessage, SqlValue};
use sqlx::{Column, ConnectOptions, Connection, Row, TypeInfo, ValueRef};
use tokio::runtime::{Builder, Runtime};

/// A connection of its own, on a runtime of its own.
#[derive(Debug)]
pub struct Database {
    runtime: Runtime,
    connection: Opened,
}

#[derive(Debug)]
enum Opened {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Database {
    /// Opens the database at a URL as airlock has it; a file is made if it isn't there.
    ///
    /// # Panics
    /// If it can't be opened.
    #[must_use]
    pub fn at(url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connection = runtime.block_on(async {
            if let Some(path) = url.strip_prefix("sqlite://") {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
                return Opened::Sqlite(options.connect().await.expect("the database can be opened"));
            }
            Opened::Postgres(sqlx::PgConnection::connect(url).await.expect("the server takes connections"))
        });
        Self { runtime, connection }
    }

    /// Runs statements.
    ///
    /// # Panics
    /// If one fails.
    pub fn run(&mut self, statements: &str) {
        self.try_run(statements).expect("the statements work");
    }

    /// Whether statements work.
    pub fn works(&mut self, statements: &str) -> bool {
        self.try_run(statements).is_ok()
    }

    fn try_run(&mut self, statements: &str) -> Result<(), sqlx::Error> {
        let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()));
        match &mut self.connection {
            Opened::Sqlite(connection) => self.runtime.block_on(statements.execute(connection)).map(drop),
            Opened::Postgres(connection) => self.runtime.block_on(statements.execute(connection)).map(drop),
        }
    }

    /// Inserts a row as those do who send messages themselves: with its statement and its values.
    ///
    /// # Panics
    /// If it isn't taken.
    pub fn insert(&mut self, row: &SqlMessage) {
        macro_rules! insert {
            ($connection:ident) => {{
                let mut query = sqlx::query(sqlx::AssertSqlSafe(row.statement()));
                for value in row.values() {
                    query = match value {
                        SqlValue::Int(number) => query.bind(*number),
                        SqlValue::Text(text) => query.bind(text.as_ref()),
                        SqlValue::Bytes(bytes) => query.bind(bytes.as_slice()),
                        other => panic!("{other:?} is unknown here"),
                    };
                }
                self.runtime.block_on(query.execute($connection)).map(drop)
            }};
        }
        let done = match &mut self.connection {
            Opened::Sqlite(connection) => insert!(connection),
            Opened::Postgres(connection) => insert!(connection),
        };
        done.expect("the row is taken");
    }

    /// The rows that a query gives, each with its columns as text; nothing is written as `None`.
    ///
    /// # Panics
    /// If it fails.
    pub fn rows(&mut self, query: &str) -> Vec<Vec<Option<String>>> {
        let query = sqlx::raw_sql(sqlx::AssertSqlSafe(query.to_owned()));
        match &mut self.connection {
            Opened::Sqlite(connection) => {
                let rows = self.runtime.block_on(query.fetch_all(connection)).expect("the query works");
                let text = |row: &sqlx::sqlite::SqliteRow, at| {
                    let value = row.try_get_raw(at).expect("a column");
                    match value.type_info().name() {
                        _ if value.is_null() => None,
                        "INTEGER" => Some(row.get::<i64, _>(at).to_string()),
                        "REAL" => Some(row.get::<f64, _>(at).to_string()),
                        "BLOB" => Some(row.get::<Vec<u8>, _>(at).iter().map(|byte| format!("{byte:02x}")).collect()),
                        _ => Some(row.get_unchecked::<String, _>(at)),
                    }
                };
                rows.iter()
                    .map(|row| row.columns().iter().map(|column| text(row, column.ordinal())).collect())
                    .collect()
            }
            // A query without parameters is answered in text, whatever the types.
            Opened::Postgres(connection) => {
                let rows = self.runtime.block_on(query.fetch_all(connection)).expect("the query works");
                let text = |row: &sqlx::postgres::PgRow, at| {
                    let value = row.try_get_raw(at).expect("a column");
                    (!value.is_null()).then(|| value.as_str().expect("a text").to_owned())
                };
                rows.iter()
                    .map(|row| row.columns().iter().map(|column| text(row, column.ordinal())).collect())
                    .collect()
            }
        }
    }

    /// The first column of all rows.
    ///
    /// # Panics
    /// If the query fails.
    pub fn column(&mut self, query: &str) -> Vec<String> {
        self.rows(query).into_iter().map(|row| row.into_iter().next().flatten().unwrap_or_default()).collect()
    }

    /// The one number that a query gives.
    ///
    /// # Panics
    /// If it gives something else.
    pub fn number(&mut self, query: &str) -> u64 {
        self.column(query).first().and_then(|number| number.parse().ok()).expect("a number")
    }
}
