//! Writing into a transaction that the caller has open.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use super::publish::Format;
use super::queue_executor::QueueExecutor;
use super::rows::{feed, settle_rest};
use crate::brokers::{Answer, AnyConnection, Line, Patience, Rows, SqlConnection, SqlJob, Transport};
use crate::dispatch::{DispatchError, Rejection};
use crate::executors::{Batch, Executor, ExecutorTraits, FlushContext};
use crate::flush::{FlushError, FlushReport, Sealed};
use crate::intent::Intent;
use crate::runtime::BoxFuture;

impl<F: Format> QueueExecutor<F> {
    /// Writes what a scope holds into the transaction that is open on the connection.
    pub(crate) async fn insert<C: SqlConnection + ?Sized>(
        &self,
        connection: &mut C,
        sealed: Sealed,
    ) -> Result<FlushReport, FlushError> {
        write(Relay::new(self, connection.as_any()), connection.as_any(), sealed).await
    }
}

async fn write<F: Format>(
    (relay, job): (Relay<F>, oneshot::Receiver<SqlJob>),
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
    fn new(executor: &QueueExecutor<F>, connection: AnyConnection<'_>) -> (Self, oneshot::Receiver<SqlJob>) {
        let (writer, job) = oneshot::channel();
        let (format, name) = (Arc::clone(&executor.format), Arc::clone(&executor.name));
        (Self { format, name, transport: connection.transport(), writer: Mutex::new(Some(writer)) }, job)
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
