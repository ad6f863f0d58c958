//! What nobody has any more.

use crate::intent::Intent;
use crate::scope::ScopeInfo;

/// Intents that were neither dispatched nor handed to anyone: their `FlushError` was dropped with them in it.
#[derive(Debug)]
pub struct Lost {
    scope: ScopeInfo,
    intents: Vec<Intent>,
}

impl Lost {
    pub(crate) fn new(scope: ScopeInfo, intents: Vec<Intent>) -> Self {
        Self { scope, intents }
    }

    /// The scope whose flush failed.
    #[must_use]
    pub fn scope(&self) -> &ScopeInfo {
        &self.scope
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
