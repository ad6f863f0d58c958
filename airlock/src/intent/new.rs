//! An intent before a scope has it.

use super::{Identity, Intent};
use crate::task::SharedBody;

/// An intent on its way into a scope. What was around it before, if a failed flush gave it back, stays behind.
pub(crate) struct NewIntent {
    identity: Identity,
    /// `None` once it is there.
    body: Option<SharedBody>,
}

impl NewIntent {
    #[inline]
    pub(crate) fn new(identity: Identity, body: SharedBody) -> Self {
        Self { identity, body: Some(body) }
    }

    #[inline]
    pub(crate) fn take(&mut self) -> Option<Intent> {
        self.body.take().map(|body| Intent::new(self.identity, body))
    }
}

impl From<Intent> for NewIntent {
    #[inline]
    fn from(intent: Intent) -> Self {
        Self { identity: intent.identity, body: Some(intent.body) }
    }
}
