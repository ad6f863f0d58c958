//! Why an outbox is not empty.

use std::fmt;
use std::time::Duration;

use crate::outbox::OutboxError;
use crate::registry::registry;
use crate::worker::WorkerReport;

/// Why a [`TemporaryOutbox`](super::TemporaryOutbox) was not emptied.
pub struct NotEmptied {
    pub(super) report: WorkerReport,
    pub(super) reason: Reason,
}

#[derive(Debug)]
pub(super) enum Reason {
    Outbox(OutboxError),
    File(sqlx::Error),
    /// Rows of tasks without a body here, in words.
    NoBody(Vec<String>),
    /// What runs and waits still, in words.
    Deadline(Duration, Vec<String>),
}

impl NotEmptied {
    /// What was run until then.
    #[must_use]
    pub fn report(&self) -> WorkerReport {
        self.report
    }

    /// Whether all that is left is rows of tasks that this program has no body for.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        matches!(self.reason, Reason::NoBody(_))
    }
}

impl fmt::Display for NotEmptied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Outbox(error) => error.fmt(f),
            Reason::File(error) => write!(f, "the outbox's rows can't be read: {error}"),
            Reason::NoBody(rows) => {
                write!(f, "this program has no body for {}, which would wait for ever; ", rows.join(", "))?;
                match registry().check() {
                    // A name of two tasks is the name of none.
                    Err(error) => write!(f, "{error}"),
                    Ok(()) => f.write_str("link the crate that has one, or give the worker `queues` without them"),
                }
            }
            Reason::Deadline(deadline, rows) => write!(
                f,
                "after {deadline:?} there still is {}; see what that waits for, or give the outbox a longer `deadline`",
                rows.join(", ")
            ),
        }
    }
}

impl fmt::Debug for NotEmptied {
    /// As `Display`: an `unwrap` in a test prints it like this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for NotEmptied {}
