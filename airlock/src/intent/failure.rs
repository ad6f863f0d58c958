//! An intent whose hand-over failed.

use std::fmt;
use std::panic::Location;

use super::{Intent, IntentId};
use crate::dispatch::DispatchError;

/// An intent whose hand-over failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The intent's id.
    pub id: IntentId,
    /// The task's name.
    pub name: &'static str,
    /// Where it was enqueued.
    pub location: &'static Location<'static>,
    /// How it failed.
    pub error: DispatchError,
    /// The intent, unless its arguments moved into the task.
    pub intent: Option<Intent>,
}

impl fmt::Display for Failure {
    /// ``send_email (src/orders.rs:12:9): unavailable: connection refused``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}: {}", self.name, self.location, self.error, self.error.reason())
    }
}
