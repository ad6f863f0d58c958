//! The least that does the same in a database: insertions of many rows in one transaction, with the rows made beforehand or
//! from the same arguments as ours.

use std::borrow::Cow;

use airlock::{BrokerMessage, SqlMessage, SqlValue};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tokio::runtime::{Builder, Runtime};

/// How many rows share a statement: with more, it gets no faster.
const ROWS: usize = 1000;

/// A connection of its own, the rows, and the statement for [`ROWS`] of them.
pub(crate) struct Insertions<'a> {
    runtime: Runtime,
    connection: Connected,
    rows: Rows<'a>,
    statement: String,
}

enum Rows<'a> {
    Made(Vec<SqlMessage>),
    /// Each is made of its order's number as it is inserted.
    Making(Box<dyn Fn(u64) -> SqlMessage + 'a>),
}

impl Rows<'_> {
    fn of(&self, order: usize) -> Cow<'_, SqlMessage> {
        match self {
            Self::Made(rows) => Cow::Borrowed(&rows[order]),
            Self::Making(make) => Cow::Owned(make(order as u64)),
        }
    }
}

enum Connected {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

fn row(message: BrokerMessage) -> SqlMessage {
    match message {
        BrokerMessage::Sql(row) => row,
        other => panic!("{other:?} is no row"),
    }
}

impl<'a> Insertions<'a> {
    /// Of rows that are there already.
    pub(crate) fn made_before(url: &str, count: usize, message: impl Fn(u64) -> BrokerMessage) -> Self {
        Self::of(url, Rows::Made((0..count as u64).map(|order| row(message(order))).collect()))
    }

    /// Of rows that are made for it, each from the arguments of its call.
    pub(crate) fn making(url: &str, message: impl Fn(u64) -> BrokerMessage + 'a) -> Self {
        Self::of(url, Rows::Making(Box::new(move |order| row(message(order)))))
    }

    fn of(url: &str, rows: Rows<'a>) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(async {
            if url.starts_with("sqlite:") {
                let mut connection = SqliteConnection::connect(url).await.unwrap();
                // As large as ours.
                sqlx::raw_sql("PRAGMA cache_size = -16384").execute(&mut connection).await.unwrap();
                return Connected::Sqlite(connection);
            }
            Connected::Postgres(PgConnection::connect(url).await.unwrap())
        });
        let statement = of_many(&rows.of(0).statement(), rows.of(0).values().len());
        Self { runtime, connection, rows, statement }
    }

    pub(crate) fn insert(&mut self, count: usize) {
        assert_eq!(count % ROWS, 0);
        let Self { runtime, connection, rows, statement } = self;
        let statement = statement.as_str();
        macro_rules! insert {
            ($connection:ident, $begin:literal) => {
                runtime.block_on(async {
                    sqlx::raw_sql($begin).execute(&mut *$connection).await.unwrap();
                    for first in (0..count).step_by(ROWS) {
                        let mut query = sqlx::query(AssertSqlSafe(statement));
                        for order in first..first + ROWS {
                            for value in rows.of(order).values() {
                                query = match value {
                                    SqlValue::Int(number) => query.bind(*number),
                                    SqlValue::Text(text) => query.bind(text.as_ref()),
                                    SqlValue::Bytes(bytes) => query.bind(bytes.as_slice()),
                                    other => panic!("{other:?} is unknown here"),
                                };
                            }
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
