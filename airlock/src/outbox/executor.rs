//! What writes intents to the table.

use std::time::SystemTime;

use super::format::{OutboxFormat, table_in};
use crate::brokers::{Broker, BrokerUrlError, SqlMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::OptionReader;
use crate::intent::Intent;
use crate::systems::queue::{Format, queue_executor};

queue_executor! {
    /// A table of intents, `airlock_outbox`, in the application's own database: an executor whose flush is one transaction
    /// there, and the queue that a [`Worker`](crate::Worker) runs.
    ///
    /// Written with [`insert`](Self::insert) into the transaction that saves an order, the order's effects are there if and
    /// only if the order is: nothing is lost between a commit and a broker.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sqlite")] mod shown {
    /// use airlock::{Outbox, Settings, Worker};
    ///
    /// #[airlock::task]
    /// async fn send_receipt(order_id: u64) {
    ///     println!("a receipt for {order_id}");
    /// }
    ///
    /// # async fn run() -> airlock::Result<()> {
    /// let outbox = Outbox::new("sqlite:///srv/shop/shop.db")?;
    /// outbox.migrate().await?;
    /// airlock::configure(Settings::new().executor(outbox.clone()));
    ///
    /// airlock::scope().run(|| send_receipt::enqueue(42).map(drop).map_err(airlock::Error::from))?;
    /// # let shutdown_signal = async {};
    /// let report = Worker::new(outbox).concurrency(16).run_until(shutdown_signal).await?;
    /// println!("{report}");
    /// # Ok(()) }
    /// # }
    /// ```
    ///
    /// A row is written once for each id: the same intent again changes nothing while its row is there. Priorities are
    /// strict, and 5 unless set; a `timeout` is for async tasks; `local` tasks are never stored.
    pub struct Outbox(OutboxFormat), named "outbox";

    /// The queue of intents that name none; `default` unless set.
    pub fn default_queue(format, queue: impl Into<String>) from text {
        format.common.default_queue = queue.into();
    }

    /// The schema in which the table is, on Postgres. Unless set, `search_path` of each connection says it.
    pub fn schema(format, schema: impl Into<String>) from filled_text {
        format.table = table_in(schema.into());
    }

    /// Whether a commit notifies the workers of other processes on Postgres, which [`listen`](crate::Worker::listen). It
    /// costs: commits with a notification queue for each other.
    pub fn notify(format, notify: bool) from bool {
        format.notify = notify;
    }

    /// How many bytes the arguments of an intent may take; 16 MiB unless set.
    pub fn body_limit(format, bytes: usize) from bytes {
        format.common.body_limit = bytes;
    }

    /// Says that its table is in another database than the transactions that this program commits: then
    /// `OpenScope::commit` hands over to it after the COMMIT. Otherwise a transaction of its kind counts as one of its
    /// database, and it writes into it.
    pub fn elsewhere(format) from flag {
        format.common.elsewhere = true;
    }
}

impl Outbox {
    /// In the database at this URL: see [`BrokerUrl`](crate::BrokerUrl). Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no URL of a database, or the cargo feature of its transport (`sqlite`, `postgres`, `postgres-tls`) is
    /// off.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BrokerUrlError> {
        let broker = Broker::for_system(url.as_ref(), "the outbox", &[Transport::Sqlite, Transport::Postgres])?;
        Ok(Self::of(broker, OutboxFormat::default()))
    }

    /// In the database of a pool. Connections of the outbox and its workers are made with the pool's options and are none
    /// of the pool's, so that tasks which use the pool can't starve them; `after_connect` doesn't run for them.
    ///
    /// # Errors
    /// The pool is of a SQLite database in memory, which only the connection that made it has.
    #[cfg(feature = "_sql")]
    pub fn on(pool: &(impl crate::brokers::sql::SqlPool + ?Sized)) -> Result<Self, BrokerUrlError> {
        Ok(Self::of(Broker::of_pool(pool.source()?)?, OutboxFormat::default()))
    }

    pub(crate) fn read<R: OptionReader>(table: &mut R) -> Result<Self, R::Error> {
        let url = table.url();
        Self::read_options(table, |table| Self::new(url?.as_ref()).map_err(|error| table.refuse_url(error)))
    }

    pub(crate) fn format(&self) -> &OutboxFormat {
        self.0.format()
    }

    pub(crate) fn transport(&self) -> Transport {
        self.0.broker().transport()
    }

    /// Whether workers of other processes are told.
    pub(crate) fn notifies(&self) -> bool {
        self.format().notify
    }

    /// Wakes the workers of this process when another one has written rows, as far as the database tells.
    #[cfg(feature = "_sql")]
    pub(crate) async fn listen(&self) -> Result<(), crate::dispatch::DispatchError> {
        self.0.broker().listen(super::format::CHANNEL, super::wake_workers).await
    }

    /// The row of an intent that is written now.
    pub(crate) fn row(&self, intent: &Intent, now: SystemTime) -> Result<SqlMessage, Rejection> {
        self.format().row(self.transport(), intent, now, 0)
    }
}

#[cfg(feature = "_sql")]
mod insertion {
    use super::Outbox;
    use crate::brokers::sql::SqlConnection;
    use crate::flush::{FlushError, FlushReport, Sealed};

    impl Outbox {
        /// Writes what a scope holds into the transaction that is open on the connection: workers see the tasks when, and
        /// only when, that commits. No connection but the given one is used, and no runtime but the caller's.
        #[doc = ""]
        #[doc = include_str!("../../docs/rustdoc/insert.md")]
        ///
        /// ```no_run
        /// # #[cfg(feature = "sqlite")] mod shown {
        /// # #[airlock::task(name = "shop.send_receipt")] fn send_receipt(order_id: i64) { let _ = order_id; }
        /// use airlock::{Error, Outbox};
        /// use sqlx::{Connection, SqliteConnection};
        ///
        /// async fn pay(
        ///     outbox: &Outbox,
        ///     connection: &mut SqliteConnection,
        ///     order: i64,
        /// ) -> airlock::Result<()> {
        ///     let mut transaction =
        ///         connection.begin_with("BEGIN IMMEDIATE").await.map_err(Error::other)?;
        ///     let scope = airlock::scope().executor(outbox.clone()).open();
        ///     scope.run(|| send_receipt::enqueue(order))?;
        ///     sqlx::query("UPDATE orders SET paid = 1 WHERE id = ?")
        ///         .bind(order)
        ///         .execute(&mut *transaction)
        ///         .await
        ///         .map_err(Error::other)?;
        ///     outbox.insert(&mut *transaction, scope.seal()?).await?;
        ///     // Order and task, or neither.
        ///     transaction.commit().await.map_err(Error::other)
        /// }
        /// # }
        /// ```
        pub async fn insert<C: SqlConnection + ?Sized>(
            &self,
            connection: &mut C,
            sealed: Sealed,
        ) -> Result<FlushReport, FlushError> {
            self.0.insert(connection, sealed).await
        }
    }
}
