//! The `on_lost` hook: errors and scopes that were dropped with intents in them.

use std::sync::{Arc, OnceLock};

use crate::intent::Intent;
use crate::scope_info::ScopeInfo;

/// What a program does with what was lost.
pub(crate) type OnLost = Arc<dyn Fn(Lost) + Send + Sync>;

/// How the hook in force is found. Executors, which know no settings, ask here.
static FIND: OnceLock<fn() -> Option<OnLost>> = OnceLock::new();

/// Called by the settings before any of them, and so any hook, is in force.
pub(crate) fn find_hook_with(find: fn() -> Option<OnLost>) {
    FIND.get_or_init(|| find);
}

/// The hook in force on this thread, if there is one.
pub(crate) fn hook() -> Option<OnLost> {
    FIND.get().and_then(|find| find())
}

/// Intents that were neither dispatched nor handed to anyone: their `FlushError` was dropped with them in it; or an
/// executor of this process had accepted them, and was dropped before it ran them. Or intents of a
/// [commit without an answer](Self::is_of_unknown_commit), whose error or future was dropped.
#[derive(Debug)]
pub struct Lost {
    scope: ScopeInfo,
    intents: Vec<Intent>,
    /// What they were dropped in.
    holder: &'static str,
    /// Of a commit without an answer: how many were written into the transaction.
    of_unknown_commit: Option<usize>,
}

impl Lost {
    /// Of accepted work that did not run.
    pub(crate) fn new(scope: ScopeInfo, intents: Vec<Intent>) -> Self {
        Self { scope, intents, holder: "the accepted work of an executor", of_unknown_commit: None }
    }

    pub(crate) fn of_flush_error(scope: ScopeInfo, intents: Vec<Intent>, of_unknown_commit: Option<usize>) -> Self {
        Self { scope, intents, holder: "a flush error", of_unknown_commit }
    }

    pub(crate) fn holder(&self) -> &'static str {
        self.holder
    }

    /// The scope whose flush failed.
    #[must_use]
    pub fn scope(&self) -> &ScopeInfo {
        &self.scope
    }

    /// Whether they belong to a transaction whose COMMIT got no answer: see `CommitError::Unknown`. Their data may be there or
    /// not: look before you send what [`follows`](Self::following) it.
    #[must_use]
    pub fn is_of_unknown_commit(&self) -> bool {
        self.of_unknown_commit.is_some()
    }

    /// Of an unknown commit, what was written into its transaction: if the data is there, so is that.
    #[must_use]
    pub fn written(&self) -> &[Intent] {
        self.intents.get(..self.of_unknown_commit.unwrap_or(0)).unwrap_or_default()
    }

    /// Of an unknown commit, what was to be handed over after it, and wasn't. Otherwise all of them.
    #[must_use]
    pub fn following(&self) -> &[Intent] {
        self.intents.get(self.of_unknown_commit.unwrap_or(0)..).unwrap_or_default()
    }

    /// The intents, undispatched ones first, then those that may have gone out.
    #[must_use]
    pub fn intents(&self) -> &[Intent] {
        &self.intents
    }

    /// The intents by value.
    #[must_use]
    pub fn into_intents(self) -> Vec<Intent> {
        self.intents
    }
}
