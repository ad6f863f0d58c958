//! What a task may know of its run.

use std::fmt;
use std::sync::Arc;

use crate::intent::IntentId;

tokio::task_local! {
    static CURRENT: Run;
}

/// The run in which a task is: [`Run::current`].
#[derive(Clone)]
pub struct Run(Arc<RunFacts>);

pub(crate) struct RunFacts {
    pub(crate) id: IntentId,
    pub(crate) attempt: u32,
    pub(crate) queue: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Run {
    pub(crate) fn new(facts: RunFacts) -> Self {
        Self(Arc::new(facts))
    }

    /// The run of the task that a worker runs here; `None` in a task that runs inline or in a pool, and on threads
    /// and spawned tasks of a task's own. The functions of the test kit that run a task as a worker would give it a run, too.
    ///
    /// ```
    /// use airlock::Run;
    ///
    /// #[airlock::task]
    /// fn charge(order_id: u64) {
    ///     // The same in each attempt: what was charged under it is not charged again.
    ///     let key = Run::current().map(|run| run.id().to_string());
    ///     println!("charging for {order_id} as {key:?}");
    /// }
    /// ```
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// The intent's id. It is the same at each attempt: the key by which other systems know a repetition.
    #[must_use]
    pub fn id(&self) -> IntentId {
        self.0.id
    }

    /// Which run this is, from 1. A run whose worker was lost isn't counted.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// The queue that it came from.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.0.queue
    }

    /// The headers that it was enqueued with: names and values.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.0.headers
    }

    /// The id of the message; for a row of an outbox, the intent's id.
    #[must_use]
    pub fn message_id(&self) -> String {
        self.id().to_string()
    }

    /// Calls the closure as part of this run.
    pub(crate) fn enter<R>(self, body: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self, body)
    }

    /// Polls the future as part of this run.
    pub(crate) fn within<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }
}

impl fmt::Debug for Run {
    /// Headers by name only: their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers().iter().map(|(name, _)| name).collect();
        f.debug_struct("Run")
            .field("id", &format_args!("{}", self.id()))
            .field("attempt", &self.attempt())
            .field("queue", &self.queue())
            .field("headers", &headers)
            .finish()
    }
}
