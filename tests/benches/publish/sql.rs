//! The least that does the same in a database: insertions of many rows, made beforehand, in one transaction.

use airlock::{BrokerMessage, SqlMessage, SqlValue};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tokio::runtime::{Builder, Runtime};

/// How many rows share a statement: with more, it gets no faster.
const ROWS: usize = 1000;

/// A connection of its own, the rows, and the statement for [`ROWS`] of them.
pub(crate) struct Insertions {
    runtime: Runtime,
    connection: Connected,
    rows: Vec<SqlMessage>,
    statement: String,
}

enum Connected {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Insertions {
    pub(crate) fn new(url: &str, messages: Vec<BrokerMessage>) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(async {
            if url.starts_with("sqlite:") {
                return Connected::Sqlite(SqliteConnection::connect(url).await.unwrap());
            }
            Connected::Postgres(PgConnection::connect(url).await.unwrap())
        });
        let row = |message| match message {
            BrokerMessage::Sql(row) => row,
            other => panic!("{other:?} is no row"),
        };
        let rows: Vec<_> = messages.into_iter().map(row).collect();
        let statement = of_many(&rows[0].statement(), rows[0].values().len());
        Self { runtime, connection, rows, statement }
    }

    pub(crate) fn insert(&mut self, count: usize) {
        let Self { runtime, connection, rows, statement } = self;
        assert_eq!(count, rows.len());
        macro_rules! insert {
            ($connection:ident, $begin:literal) => {
                runtime.block_on(async {
                    sqlx::raw_sql($begin).execute(&mut *$connection).await.unwrap();
                    for rows in rows.chunks(ROWS) {
                        let mut query = sqlx::query(AssertSqlSafe(statement.as_str()));
                        for value in rows.iter().flat_map(SqlMessage::values) {
                            query = match value {
                                SqlValue::Int(number) => query.bind(*number),
                                SqlValue::Text(text) => query.bind(text.as_ref()),
                                SqlValue::Bytes(bytes) => query.bind(bytes.as_slice()),
                                other => panic!("{other:?} is unknown here"),
                            };
                        }
                        query.execute(&mut *$connection).await.unwrap();
                    }
                    sqlx::raw_sql("COMMIT").execute(&mut *$connection).await.unwrap();
                })
            };
        }
        match connection {
            Connected::Sqlite(connection) => insert!(connection, "BEGIN IMMEDIATE"),
            Connected::Postgres(connection) => insert!(connection, "BEGIN"),
        }
    }
}

/// The insertion of [`ROWS`] rows, from that of one with so many placeholders, `?` or `$1`.
fn of_many(one: &str, values: usize) -> String {
    let (head, row) = one.split_once(" VALUES ").unwrap();
    let row_at = |at: usize| {
        let mut parts = row.split('$');
        let first = parts.next().unwrap().to_owned();
        let numbered = parts.map(|part| {
            let (number, rest) = part.split_once("::").unwrap();
            format!("${}::{rest}", number.parse::<usize>().unwrap() + at * values)
        });
        std::iter::once(first).chain(numbered).collect::<String>()
    };
    let rows: Vec<_> = (0..ROWS).map(row_at).collect();
    format!("{head} VALUES {}", rows.join(", "))
}
