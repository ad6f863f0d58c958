//! A worker that runs nothing itself: a relay.

use std::sync::Arc;

use super::builder::Worker;
use crate::executors::Executor;
use crate::outbox::OutboxError;

impl Worker {
    /// Hands rows on to an executor in place of running their tasks: a relay from the outbox to the broker whose workers run
    /// them. It needs its [`queues`](Self::queues), and takes every task there that this program declares, also those whose
    /// body is elsewhere.
    ///
    /// A row is *done* once the executor has confirmed it, and *dead* if that refuses it. What is unavailable waits, and
    /// costs no attempt; what is unconfirmed is sent again with the same id, so that a message may arrive twice and none is
    /// lost. Delays are over when a row is handed on; an expiry goes along as a time. Batches are handed on in the order in
    /// which rows are claimed; failures and further relays change it.
    ///
    /// ```no_run
    /// use airlock::{Executor, Outbox, Worker};
    ///
    /// async fn relay(celery: impl Executor) -> airlock::Result<()> {
    ///     let outbox = Outbox::new("sqlite:///srv/shop/shop.db")?;
    ///     let stop = async { drop(tokio::signal::ctrl_c().await) };
    ///     Worker::new(outbox).queues(["celery"]).through(celery).run_until(stop).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// [`run_until`](Self::run_until) refuses executors that take tasks over in memory alone (a pool of threads, tokio), or
    /// that only note them, also as a part of others: a row would be done before its task is safe.
    pub fn through(mut self, executor: impl Executor) -> Self {
        self.relay = Some(Arc::new(executor));
        self
    }

    /// Whether it can be a relay, if it is to be one.
    pub(super) fn check_relay(&self) -> Result<(), OutboxError> {
        let Some(executor) = &self.relay else { return Ok(()) };
        let (name, capabilities) = (executor.name(), executor.capabilities());
        let refused = |what: String| Err(OutboxError::rejected(what));
        if self.queues.is_none() {
            return refused(format!("a relay to `{name}` takes what lies in its queues; name them by `queues`"));
        }
        if self.outbox.tables().iter().any(|own| executor.tables().contains(own)) {
            return refused(format!(
                "a relay to `{name}` would write to the table it reads from; give it another outbox"
            ));
        }
        if capabilities.keeps_in_memory {
            return refused(format!(
                "a relay to `{name}` would lose what that has taken over into the memory of this process; relay to one that \
                 confirms, or leave `through` out to run the tasks here"
            ));
        }
        if capabilities.records_some {
            return refused(format!("a relay to `{name}` would end rows that are only noted; leave that out"));
        }
        Ok(())
    }
}
