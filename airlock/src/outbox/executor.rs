//! What writes intents to the table.

use std::sync::Arc;
use std::time::SystemTime;

use super::format::{OutboxFormat, RelayedBy, table_in};
use crate::brokers::{Broker, BrokerUrlError, SqlMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::{Executor, OptionReader};
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
        let broker = Broker::for_system(
            url.as_ref(),
            "the outbox, a table of SQLite or Postgres,",
            &[Transport::Sqlite, Transport::Postgres],
        )?;
        Ok(Self::at(broker))
    }

    pub(crate) fn read<R: OptionReader>(table: &mut R) -> Result<Self, R::Error> {
        let url = table.url();
        Self::read_options(table, |table| Self::new(url?.as_ref()).map_err(|error| table.refuse_url(error)))
    }

    /// Says that a relay hands its rows on to this executor: see `Worker::through`. It is asked at the flush already what it
    /// accepts, so that what it would refuse is refused where it is enqueued, and not later in the relay.
    ///
    /// ```no_run
    /// # #[airlock::task] fn send_receipt(order_id: u64) { let _ = order_id; }
    /// use airlock::{Executor, Outbox};
    ///
    /// fn outbox(celery: impl Executor) -> airlock::Result<Outbox> {
    ///     Ok(Outbox::new("sqlite:///srv/shop/shop.db")?.default_queue("celery").relayed_by(celery))
    /// }
    /// ```
    pub fn relayed_by(self, executor: impl Executor) -> Self {
        let relay = Some(RelayedBy(Arc::new(executor)));
        Self(self.0.with(|format| format.relay = relay))
    }

    pub(super) fn at(broker: Broker) -> Self {
        Self::of(broker, OutboxFormat::default())
    }

    pub(super) fn broker(&self) -> &Broker {
        self.0.broker()
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

    /// The row of an intent that is written now.
    pub(crate) fn row(&self, intent: &Intent, now: SystemTime) -> Result<SqlMessage, Rejection> {
        self.format().row(self.transport(), intent, now, 0)
    }
}
