//! Writing into a transaction that the caller has open.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use super::executor::DjangoTasksExecutor;
use super::message::DjangoTasksFormat;
use crate::brokers::{Answer, AnyConnection, Line, Patience, Rows, SqlConnection, SqlJob, Transport};
use crate::dispatch::{DispatchError, Rejection};
use crate::executors::{Batch, Executor, ExecutorTraits, FlushContext};
use crate::flush::{FlushError, FlushReport, Sealed};
use crate::intent::Intent;
use crate::runtime::BoxFuture;
use crate::systems::rows::{feed, settle_rest};

impl DjangoTasksExecutor {
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
    pub async fn insert<C: SqlConnection + ?Sized>(
        &self,
        connection: &mut C,
        sealed: Sealed,
    ) -> Result<FlushReport, FlushError> {
        write(Relay::new(self, connection.as_any()), connection.as_any(), sealed).await
    }
}

async fn write(
    (relay, job): (Relay, oneshot::Receiver<SqlJob>),
    connection: AnyConnection<'_>,
    sealed: Sealed,
) -> Result<FlushReport, FlushError> {
    let mut flying = pin!(sealed.dispatch_through(&relay));
    let writing = pin!(async {
        // Without a job there is nothing to write: it was empty, or refused.
        if let Ok(job) = job.await {
            connection.write(job).await;
        }
    });
    tokio::select! {
        biased;
        ended = &mut flying => ended,
        () = writing => flying.await,
    }
}

/// An executor without a connection: the rows go to whoever has one, beside it.
struct Relay {
    format: Arc<DjangoTasksFormat>,
    name: Arc<str>,
    transport: Transport,
    /// Taken by the one batch there is.
    writer: Mutex<Option<oneshot::Sender<SqlJob>>>,
}

/// Longer than any flush.
const NO_CONNECT: Duration = Duration::from_secs(24 * 3600);

impl Relay {
    fn new(executor: &DjangoTasksExecutor, connection: AnyConnection<'_>) -> (Self, oneshot::Receiver<SqlJob>) {
        let (writer, job) = oneshot::channel();
        let (format, name) = (Arc::clone(&executor.format), Arc::clone(&executor.name));
        (Self { format, name, transport: connection.transport(), writer: Mutex::new(Some(writer)) }, job)
    }
}

impl Executor for Relay {
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
            let (answer, answers) = Answer::channel(1, Line::default());
            let patience = Patience::new(batch.deadline(), NO_CONNECT);
            let job = SqlJob { number: 0, messages: vec![rows], patience, answer };
            if writer.is_none_or(|writer| writer.send(job).is_err()) {
                return settle_rest(&mut batch, &DispatchError::unavailable("the transaction is not there any more"));
            }
            let now = SystemTime::now();
            let row = |intent: &Intent, place| self.format.row(self.transport, intent, now, place);
            let fed = feed(&mut batch, sender, row).await;
            let outcome = answers.receive().await.pop().unwrap_or(Ok(()));
            fed.settle(&mut batch, outcome);
        })
    }

    fn traits(&self) -> ExecutorTraits {
        // So that it is asked about `local` tasks, too.
        ExecutorTraits { takes_local: true, ..ExecutorTraits::default() }
    }
}
