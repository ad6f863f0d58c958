//! Policies about all intents alike.

use super::{Policy, Violation};
use crate::intent::Intent;

/// Allows everything: the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Policy for AllowAll {
    fn name(&self) -> &str {
        "AllowAll"
    }

    fn judges_enqueue(&self) -> bool {
        false
    }

    fn judges_flush(&self) -> bool {
        false
    }
}

/// Drops everything in the flush: dry runs and migrations. Enqueuing works as usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct DropAll;

impl Policy for DropAll {
    fn name(&self) -> &str {
        "DropAll"
    }

    fn allows(&self, _intent: &Intent) -> bool {
        false
    }

    fn judges_enqueue(&self) -> bool {
        false
    }
}

/// Fails at the call that enqueues: code under it is meant to have no effects.
#[derive(Debug, Clone, Copy, Default)]
pub struct AssertNoEffects;

impl Policy for AssertNoEffects {
    fn name(&self) -> &str {
        "AssertNoEffects"
    }

    fn on_enqueue(&self, _intent: &Intent) -> Result<(), Violation> {
        Err(Violation::new("no effects are allowed here"))
    }

    fn allows(&self, _intent: &Intent) -> bool {
        false
    }
}

/// Writes a `tracing` event at level info for each intent in the flush, and allows it.
///
/// The event carries task, id, and the place of the call; the arguments only on request, redaction kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogOnFlush {
    arguments: bool,
}

impl LogOnFlush {
    /// Logs names and ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Logs the call with its argument values too, except those marked `#[redact]`.
    #[must_use]
    pub fn with_arguments(mut self) -> Self {
        self.arguments = true;
        self
    }
}

impl Policy for LogOnFlush {
    fn name(&self) -> &str {
        "LogOnFlush"
    }

    fn allows(&self, intent: &Intent) -> bool {
        let (task, id, location) = (intent.name(), intent.id(), intent.location());
        if self.arguments {
            tracing::info!(target: "airlock", task, %id, %location, call = %intent, "flushing");
        } else {
            tracing::info!(target: "airlock", task, %id, %location, "flushing");
        }
        true
    }

    fn judges_enqueue(&self) -> bool {
        false
    }
}
