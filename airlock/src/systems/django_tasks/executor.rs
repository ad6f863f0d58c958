//! What hands intents to the workers of django-tasks-db.

use std::time::SystemTime;

use super::message::DjangoTasksFormat;
use crate::brokers::{Broker, BrokerMessage, BrokerUrlError, Transport};
use crate::dispatch::Rejection;
use crate::executors::OptionReader;
use crate::intent::Intent;
use crate::systems::queue::queue_executor;

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

    /// Says that its table is in another database than the transactions that this program commits: then
    /// `OpenScope::commit` hands over to it after the COMMIT. Otherwise a transaction of its kind counts as one of its
    /// database, and it writes into it.
    pub fn elsewhere(format) from flag {
        format.common.elsewhere = true;
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

    pub(crate) fn read<R: OptionReader>(table: &mut R) -> Result<Self, R::Error> {
        let url = table.url();
        Self::read_options(table, |table| Self::new(url?.as_ref()).map_err(|error| table.refuse_url(error)))
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
}
