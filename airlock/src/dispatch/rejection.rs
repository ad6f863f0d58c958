//! Why an executor can't hand an intent over.

use std::fmt;

use crate::text::redact::redact_text;

/// Why an executor can't hand an intent over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    reason: String,
}

impl Rejection {
    /// A reason for people; keep argument values out of it. URLs lose their user and password.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: redact_text(&reason.into()).into_owned() }
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Rejection {}
