//! Writing into a transaction that the caller has open.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use super::executor::QueueExecutor;
use super::format::Format;
use super::publish::rows::stream_rows;
use crate::brokers::Transport;
use crate::brokers::connection::{FlushDoubt, JobReply, JobTimeouts};
use crate::brokers::sql::{AnyConnection, Rows, SqlConnection, SqlJob, add_rows, write_rows};
use crate::dispatch::{DispatchError, OpenTransaction, Rejection, SqlKind};
use crate::executors::{Batch, Capabilities, Executor, FlushContext};
use crate::flush::{FlushError, FlushReport, Sealed};
use crate::intent::Intent;
use crate::runtime::BoxFuture;

/// `insert` of a system's public executor, with what its page begins with.
macro_rules! insert_of {
    ($feature:literal, $executor:ident, $variable:literal, $about:literal) => {
        #[cfg(feature = $feature)]
        impl $crate::$executor {
            #[doc = $about]
            #[doc = ""]
            #[doc = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rustdoc/insert.md"))]
            ///
            /// ```no_run
            /// # #[cfg(feature = "sqlite")] mod shown {
            /// # #[airlock::task(name = "shop.tasks.send_receipt")] fn send_receipt(order_id: i64);
            #[doc = concat!("use airlock::{", stringify!($executor), ", Error};")]
            /// use sqlx::{Connection, SqliteConnection};
            ///
            /// async fn pay(
            #[doc = concat!("    ", $variable, ": &", stringify!($executor), ",")]
            ///     connection: &mut SqliteConnection,
            ///     order: i64,
            /// ) -> airlock::Result<()> {
            ///     let mut transaction =
            ///         connection.begin_with("BEGIN IMMEDIATE").await.map_err(Error::other)?;
            #[doc = concat!("    let scope = airlock::scope().executor(", $variable, ".clone()).enter();")]
            ///     send_receipt::enqueue(order)?;          // domain code, as always
            ///     let sealed = scope.seal()?;
            ///     sqlx::query("UPDATE orders SET paid = 1 WHERE id = ?")
            ///         .bind(order)
            ///         .execute(&mut *transaction)
            ///         .await
            ///         .map_err(Error::other)?;
            #[doc = concat!("    ", $variable, ".insert(&mut *transaction, sealed).await?;")]
            ///     // Order and task, or neither.
            ///     transaction.commit().await.map_err(Error::other)
            /// }
            /// # }
            /// ```
            pub async fn insert<C: $crate::brokers::sql::SqlConnection + ?Sized>(
                &self,
                connection: &mut C,
                sealed: $crate::flush::Sealed,
            ) -> Result<$crate::flush::FlushReport, $crate::flush::FlushError> {
                self.0.insert(connection, sealed).await
            }
        }
    };
}

pub(crate) use insert_of;

insert_of!(
    "huey",
    HueyExecutor,
    "huey",
    "Writes what a scope holds into the transaction that is open on the connection: the tasks are there for the consumers \
     when, and only when, that commits. It has to be one of the database of their `SqliteHuey` or `PostgresHuey`. No \
     connection but the given one is used, and no runtime but the caller's."
);
insert_of!(
    "django-q",
    DjangoQExecutor,
    "django_q",
    "Writes what a scope holds into the transaction that is open on the connection: the tasks are there for the clusters \
     when, and only when, that commits. It has to be one of the database that has their `django_q_ormq`, the `orm` of \
     `Q_CLUSTER`. No connection but the given one is used, and no runtime but the caller's."
);
insert_of!(
    "django-tasks",
    DjangoTasksExecutor,
    "django_tasks",
    "Writes what a scope holds into the transaction that is open on the connection: the tasks are there for the workers \
     when, and only when, that commits. No connection but the given one is used, and no runtime but the caller's."
);

impl<F: Format> QueueExecutor<F> {
    /// Writes what a scope holds into the transaction that is open on the connection.
    pub(crate) async fn insert<C: SqlConnection + ?Sized>(
        &self,
        connection: &mut C,
        sealed: Sealed,
    ) -> Result<FlushReport, FlushError> {
        let connection = connection.as_any();
        write(Relay::new(self, connection.0.kind()), connection, sealed).await
    }
}

impl<F: Format> QueueExecutor<F> {
    /// Writes the batch into a transaction that is rolled back unless all of it is settled as written.
    pub(crate) async fn write(&self, mut batch: Batch, transaction: &mut OpenTransaction<'_>) {
        let (sender, rows) = Rows::channel(None);
        let timeouts = JobTimeouts::new(batch.deadline(), NO_CONNECT);
        let (transport, now) = (transaction.kind().into(), SystemTime::now());
        let row = |intent: &Intent, place| self.format.row(transport, intent, now, place);
        let (streamed, outcome) =
            tokio::join!(stream_rows(&mut batch, sender, row), add_rows(transaction, rows, timeouts));
        streamed.settle(&mut batch, outcome);
        self.format.written(false);
    }
}

async fn write<F: Format>(
    (relay, job): (Relay<F>, oneshot::Receiver<SqlJob>),
    connection: AnyConnection<'_>,
    sealed: Sealed,
) -> Result<FlushReport, FlushError> {
    let mut flush = pin!(sealed.dispatch_through(&relay));
    let writing = pin!(async {
        // Without a job there is nothing to write: it was empty, or refused.
        if let Ok(job) = job.await {
            write_rows(connection, job).await;
        }
    });
    tokio::select! {
        biased;
        ended = &mut flush => ended,
        () = writing => flush.await,
    }
}

/// An executor without a connection: the rows go to the caller's, beside it.
struct Relay<F> {
    format: Arc<F>,
    name: Arc<str>,
    transport: Transport,
    /// Taken by the one batch there is.
    writer: Mutex<Option<oneshot::Sender<SqlJob>>>,
}

/// Longer than any flush.
const NO_CONNECT: Duration = Duration::from_secs(24 * 3600);

impl<F: Format> Relay<F> {
    fn new(executor: &QueueExecutor<F>, kind: SqlKind) -> (Self, oneshot::Receiver<SqlJob>) {
        let (writer, job) = oneshot::channel();
        let (format, name) = (Arc::clone(&executor.format), Arc::clone(&executor.name));
        (Self { format, name, transport: kind.into(), writer: Mutex::new(Some(writer)) }, job)
    }
}

impl<F: Format> Executor for Relay<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        if intent.task().local {
            return Err(Rejection::new(
                "a `local` task would run before the transaction commits; flush it in a scope of its own afterwards",
            ));
        }
        self.format.accepts(self.transport, intent, flush)
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (sender, rows) = Rows::channel(None);
            let (reply, replies) = JobReply::channel(1, FlushDoubt::default());
            let timeouts = JobTimeouts::new(batch.deadline(), NO_CONNECT);
            let job = SqlJob { number: 0, messages: vec![rows], timeouts, reply };
            if writer.is_none_or(|writer| writer.send(job).is_err()) {
                return batch.settle_rest(&DispatchError::unavailable("the transaction is not there any more"));
            }
            let now = SystemTime::now();
            let row = |intent: &Intent, place| self.format.row(self.transport, intent, now, place);
            let streamed = stream_rows(&mut batch, sender, row).await;
            let outcome = replies.receive().await.pop().unwrap_or(Ok(()));
            streamed.settle(&mut batch, outcome);
            self.format.written(false);
        })
    }

    fn capabilities(&self) -> Capabilities {
        // So that it is asked about `local` tasks, too.
        Capabilities { takes_local: true, writes_rows: true, ..Capabilities::default() }
    }
}
