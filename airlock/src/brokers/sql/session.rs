//! A connection for statements with answers, apart from those that flushes write through.

use std::sync::Arc;
use std::time::Duration;

use super::Sql;
use super::connection;
use super::dialect::{Dialect, SqlPhase};
use super::refusal::{Refusal, RefusalKind, unavailable, unconfirmed};
use crate::brokers::row::{SqlMessage, SqlRow, SqlTable, SqlValue};
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;
use crate::runtime::BoxFuture;

/// What comes of a statement.
pub(crate) type SqlAnswer<'a, T> = BoxFuture<'a, Result<T, DispatchError>>;

/// How long a statement waits for others that write.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take: a server that was stopped says nothing at all.
const LONGEST: Duration = Duration::from_secs(30);

/// A connection with one transaction at a time. After an error it is given up: dropped, it leaves no transaction open,
/// whatever the client thinks of it.
pub(crate) trait SqlSession: Send {
    /// Reads by index alone from now on: statements that change the same rows lock them in the order of the index.
    fn read_by_index(&mut self) -> SqlAnswer<'_, ()>;

    /// Begins a transaction that may write.
    fn begin(&mut self) -> SqlAnswer<'_, ()>;

    /// Commits it. Whether that was carried out is unconfirmed if the connection ends.
    fn commit(&mut self) -> SqlAnswer<'_, ()>;

    /// Takes it back.
    fn rollback(&mut self) -> SqlAnswer<'_, ()>;

    /// Runs a statement that only reads, outside of a transaction.
    fn read<'a>(&'a mut self, statement: &'a Arc<str>, values: Vec<SqlValue>) -> SqlAnswer<'a, Vec<SqlRow>>;

    /// Runs a statement in the transaction that is open.
    fn fetch<'a>(&'a mut self, statement: &'a Arc<str>, values: Vec<SqlValue>) -> SqlAnswer<'a, Vec<SqlRow>>;

    /// The same of a statement without an answer; gives how many rows it has changed.
    fn change<'a>(&'a mut self, statement: &'a Arc<str>, values: Vec<SqlValue>) -> SqlAnswer<'a, u64>;

    /// Whether a statement outside of a transaction is one by itself.
    fn commits_each_statement(&self) -> bool;

    /// Runs a statement as a transaction of its own.
    fn fetch_alone<'a>(&'a mut self, statement: &'a Arc<str>, values: Vec<SqlValue>) -> SqlAnswer<'a, Vec<SqlRow>>;

    /// Runs statements without values in the transaction that is open.
    fn script(&mut self, statements: String) -> SqlAnswer<'_, ()>;

    /// Inserts rows of one table in the transaction that is open.
    fn insert(&mut self, rows: Vec<SqlMessage>) -> SqlAnswer<'_, ()>;

    /// Wakes who listens, once the transaction is committed.
    fn notify<'a>(&'a mut self, channel: &'a str) -> SqlAnswer<'a, ()>;
}

struct OpenSession<C> {
    connection: C,
    url: BrokerUrl,
    place: String,
    /// What the connection holds on to although something else may have taken its place since.
    file: Option<(u64, u64)>,
    /// What is read and written, for errors.
    table: &'static SqlTable,
}

/// Makes one, in the runtime that is to drive it.
pub(crate) async fn open<C: Dialect>(
    sql: &Sql<C>,
    table: &'static SqlTable,
) -> Result<Box<dyn SqlSession>, DispatchError> {
    let place = sql.url.place();
    let opened = async {
        let mut connection: C = connection::open(sql).await?;
        connection.prepare_session(LOCK_TIMEOUT, LONGEST).await.map_err(|error| failed::<C>(&error, &place, table))?;
        Ok(connection)
    };
    let connection = in_time(&place, opened).await?;
    let file = C::file_id(&sql.url);
    Ok(Box::new(OpenSession { connection, url: sql.url.clone(), place, file, table }))
}

async fn in_time<T>(place: &str, answer: impl Future<Output = Result<T, DispatchError>>) -> Result<T, DispatchError> {
    let late = || unavailable(place, "gave no answer in time");
    tokio::time::timeout(LONGEST, answer).await.unwrap_or_else(|_| Err(late()))
}

fn failed<C: Dialect>(error: &sqlx::Error, place: &str, table: &'static SqlTable) -> DispatchError {
    match C::refusal(error, SqlPhase::Writing) {
        Some(refusal) => refusal.at(place, Some(table), None),
        None => unavailable(place, "ended the connection"),
    }
}

impl<C: Dialect> OpenSession<C> {
    /// What comes of one thing that the client does.
    fn answer<'a, T: Send + 'a>(
        &'a mut self,
        work: impl FnOnce(&'a mut C) -> BoxFuture<'a, Result<T, sqlx::Error>>,
    ) -> SqlAnswer<'a, T> {
        let Self { connection, place, table, .. } = self;
        let (work, table) = (work(connection), *table);
        Box::pin(async move {
            in_time(place, async { work.await.map_err(|error| failed::<C>(&error, place, table)) }).await
        })
    }
}

impl<C: Dialect> SqlSession for OpenSession<C> {
    fn read_by_index(&mut self) -> SqlAnswer<'_, ()> {
        self.answer(C::read_by_index)
    }

    fn begin(&mut self) -> SqlAnswer<'_, ()> {
        if self.file.is_some() && self.file != C::file_id(&self.url) {
            let replaced = unavailable(&self.place, "has been replaced by another file");
            return Box::pin(async { Err(replaced) });
        }
        self.answer(|connection| connection.begin(LOCK_TIMEOUT))
    }

    fn commit(&mut self) -> SqlAnswer<'_, ()> {
        let Self { connection, place, table, .. } = self;
        Box::pin(async move {
            let committed = tokio::time::timeout(LONGEST, connection.commit(LOCK_TIMEOUT)).await;
            let Ok(committed) = committed else {
                return Err(unconfirmed(place, "was asked to commit, and no answer came in time"));
            };
            committed.map_err(|error| match C::refusal(&error, SqlPhase::Committing) {
                None | Some(Refusal { kind: RefusalKind::Ending | RefusalKind::Unsent, .. }) => {
                    unconfirmed(place, "was asked to commit, and the connection ended before the answer")
                }
                Some(refusal) => refusal.at(place, Some(table), None),
            })
        })
    }

    fn rollback(&mut self) -> SqlAnswer<'_, ()> {
        self.script("ROLLBACK".to_owned())
    }

    fn fetch<'a>(&'a mut self, statement: &'a Arc<str>, values: Vec<SqlValue>) -> SqlAnswer<'a, Vec<SqlRow>> {
        self.answer(|connection| connection.fetch(statement, values))
    }

    fn change<'a>(&'a mut self, statement: &'a Arc<str>, values: Vec<SqlValue>) -> SqlAnswer<'a, u64> {
        self.answer(|connection| connection.change(statement, values))
    }

    fn commits_each_statement(&self) -> bool {
        self.connection.commits_each_statement()
    }

    fn read<'a>(&'a mut self, statement: &'a Arc<str>, values: Vec<SqlValue>) -> SqlAnswer<'a, Vec<SqlRow>> {
        if C::READS_ALONE { self.fetch(statement, values) } else { self.fetch_alone(statement, values) }
    }

    fn fetch_alone<'a>(&'a mut self, statement: &'a Arc<str>, values: Vec<SqlValue>) -> SqlAnswer<'a, Vec<SqlRow>> {
        Box::pin(async move {
            if self.connection.commits_each_statement() {
                return self.fetch(statement, values).await;
            }
            self.begin().await?;
            let rows = self.fetch(statement, values).await?;
            self.commit().await?;
            Ok(rows)
        })
    }

    fn script(&mut self, statements: String) -> SqlAnswer<'_, ()> {
        self.answer(|connection| connection.run(statements))
    }

    fn insert(&mut self, rows: Vec<SqlMessage>) -> SqlAnswer<'_, ()> {
        self.answer(|connection| connection.insert(rows))
    }

    fn notify<'a>(&'a mut self, channel: &'a str) -> SqlAnswer<'a, ()> {
        self.answer(|connection| connection.notify(channel))
    }
}
