//! Executors that write down what they are given.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use airlock::{Batch, BoxFuture, DispatchError, Executor, FlushContext, Intent, Rejection};

/// An executor that records every intent it is handed, as `task(arguments)`, and settles it as dispatched.
///
/// Clones share the record.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    calls: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// An empty record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was handed over so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// Writes something else down: a task's own trace, say.
    pub fn note(&self, what: impl Into<String>) {
        self.lock().push(what.into());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for Recorder {
    fn name(&self) -> &str {
        "recorder"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                self.note(begun.intent().to_string());
                begun.settle(Ok(()));
            }
        })
    }
}

/// A closure that accepts or refuses, before a [`Recorder`].
#[derive(Debug, Clone, Default)]
pub struct Picky {
    /// Where accepted intents go.
    pub recorder: Recorder,
    /// The name of the task it refuses.
    pub refuses: &'static str,
}

impl Executor for Picky {
    fn name(&self) -> &str {
        "picky"
    }

    fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        if intent.name() == self.refuses { Err(Rejection::new("not this one")) } else { Ok(()) }
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        self.recorder.dispatch(batch)
    }
}

/// An error that always is the same, for closures that fail.
#[must_use]
pub fn unavailable() -> DispatchError {
    DispatchError::unavailable("connection refused")
}
