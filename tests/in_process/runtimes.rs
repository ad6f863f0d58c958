//! Runtimes for tests.

use std::ops::Deref;

use tokio::runtime::{Builder, Runtime};

/// A runtime that is dropped without waiting for its blocking tasks: a test that fails leaves them at their gate.
pub(crate) struct Background(Option<Runtime>);

/// One thread for async tasks, and as many as it takes for plain functions.
pub(crate) fn runtime() -> Background {
    Background(Some(Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()))
}

impl Background {
    /// Ends it, and waits until it has dropped what it had.
    pub(crate) fn end(mut self) {
        drop(self.0.take());
    }
}

impl Deref for Background {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().unwrap()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
