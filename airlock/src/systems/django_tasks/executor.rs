//! What hands intents to the workers of django-tasks-db.

use std::time::SystemTime;

use super::message::DjangoTasksFormat;
#[cfg(feature = "_sql")]
use crate::brokers::SqlConnection;
use crate::brokers::{Broker, BrokerMessage, BrokerUrlError, SqlMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
#[cfg(feature = "settings")]
use crate::executors::OptionReader;
#[cfg(feature = "_sql")]
use crate::flush::{FlushError, FlushReport, Sealed};
use crate::intent::Intent;
use crate::systems::config::CommonConfig;
use crate::systems::publish::Format;
use crate::systems::queue_executor::queue_executor;

queue_executor! {
    #[doc = include_str!("../../../docs/django-tasks.md")]
    #[doc = include_str!("../../../docs/django-tasks-options.md")]
    #[doc = include_str!("../../../docs/django-tasks-operations.md")]
    pub struct DjangoTasksExecutor(DjangoTasksFormat), named "django_tasks";

    /// Where intents without a queue go; `default` unless set. The backend's `QUEUES` has to have it.
    pub fn default_queue(format, queue: impl Into<String>) from text {
        format.common.default_queue = queue.into();
    }

    /// What goes before every task's name, to make the path that Django imports: `shop.tasks.`, say.
    pub fn task_prefix(format, prefix: impl Into<String>) from text {
        format.common.task_prefix = prefix.into();
    }

    /// The name in `TASKS` of the backend whose workers are to run it; `default` unless set.
    pub fn backend(format, name: impl Into<String>) from text {
        format.backend = name.into();
    }

    /// The priority of intents without one, 0 to 9, higher is sooner. Without it they have 0, as in Django.
    ///
    /// # Panics
    /// With more than 9.
    pub fn default_priority(format, priority: u8) from priority {
        format.common.set_default_priority(priority);
    }

    /// How many bytes the arguments may take; 16 MiB unless set.
    pub fn body_limit(format, bytes: usize) from bytes {
        format.common.body_limit = bytes;
    }
}

impl DjangoTasksExecutor {
    /// For the database at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a database, or the cargo feature of its transport (`sqlite`, `postgres`, `postgres-tls`) is
    /// off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker =
            Broker::for_system(url.as_ref(), "Django's database backend", &[Transport::Sqlite, Transport::Postgres])?;
        Ok(Self::of(broker, DjangoTasksFormat::default()))
    }

    #[cfg(feature = "settings")]
    pub(crate) fn read<R: OptionReader>(table: &mut R) -> Result<Self, R::Error> {
        let url = table.url();
        Self::read_options(table, |table| Self::new(&*url?).map_err(|error| table.refuse_url(error)))
    }

    /// The row that this executor would insert for the intent now. Nothing is written: insert it in the transaction that
    /// caused it, with a client that airlock has no [`insert`](Self::insert) for.
    ///
    /// # Errors
    /// What [`accepts`](crate::Executor::accepts) refuses.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use std::time::SystemTime;
    /// use airlock::{BrokerMessage, DjangoTasksExecutor};
    ///
    /// #[airlock::task(name = "shop.tasks.send_receipt")]
    /// fn send_receipt(order_id: u64);
    ///
    /// let django = DjangoTasksExecutor::new("sqlite:///srv/shop/db.sqlite3").unwrap();
    /// let message = django.message(&send_receipt::intent(42), SystemTime::now()).unwrap();
    /// let BrokerMessage::Sql(row) = message else { unreachable!() };
    /// assert!(row.statement().starts_with("INSERT INTO \"django_tasks_database_dbtaskresult\""));
    /// assert_eq!(row.values().len(), row.statement().matches('?').count());
    /// # }
    /// ```
    pub fn message(&self, intent: &Intent, now: SystemTime) -> Result<BrokerMessage, Rejection> {
        self.0.message(intent, now)
    }

    /// Writes what a scope holds into the transaction that is open on the connection: the tasks are there for the workers
    /// when, and only when, that commits. No connection but the given one is used, and no runtime but the caller's.
    ///
    /// All of it is written, or none: it is written after a savepoint, to which an error, a deadline that passes and a future
    /// that is dropped half-way go back. In the report, *dispatched* means written; commit afterwards. What can't be written
    /// leaves the transaction as it was, unless the error says that it is unconfirmed: then roll it back. Don't commit after
    /// an error that says that the connection has ended: sqlx 0.9 may say `Ok` to that.
    ///
    /// Before anything is written it is shown that the transaction is alive: Postgres answers the COMMIT of an aborted
    /// transaction with a ROLLBACK that the client takes for success, and SQLite can end a transaction by itself. The
    /// transaction has to be one of sqlx's own, as `begin` and `begin_with` give it.
    ///
    /// `local` tasks are refused: they would run before the transaction commits.
    ///
    /// # Errors
    /// Something was refused, or the database took none of it: the error says what, and owns the intents.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sqlite")] mod shown {
    /// # #[airlock::task(name = "shop.tasks.send_receipt")] fn send_receipt(order_id: i64);
    /// use airlock::{DjangoTasksExecutor, Error};
    /// use sqlx::{Connection, SqliteConnection};
    ///
    /// async fn pay(django: &DjangoTasksExecutor, connection: &mut SqliteConnection, order: i64) -> airlock::Result<()> {
    ///     let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(Error::other)?;
    ///     let scope = airlock::scope().executor(django.clone()).enter();
    ///     send_receipt::enqueue(order)?;          // domain code, as always
    ///     let sealed = scope.seal()?;
    ///     sqlx::query("UPDATE shop_order SET paid = 1 WHERE id = ?")
    ///         .bind(order)
    ///         .execute(&mut *transaction)
    ///         .await
    ///         .map_err(Error::other)?;
    ///     django.insert(&mut *transaction, sealed).await?;
    ///     transaction.commit().await.map_err(Error::other)    // order and task, or neither
    /// }
    /// # }
    /// ```
    #[cfg(feature = "_sql")]
    pub async fn insert<C: SqlConnection + ?Sized>(
        &self,
        connection: &mut C,
        sealed: Sealed,
    ) -> Result<FlushReport, FlushError> {
        self.0.insert(connection, sealed).await
    }
}

impl Format for DjangoTasksFormat {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        Self::accepts(self, transport, intent, flush)
    }

    fn row(&self, transport: Transport, intent: &Intent, now: SystemTime, place: u32) -> Result<SqlMessage, Rejection> {
        Self::row(self, transport, intent, now, place)
    }
}
