//! What is around an enqueue: scopes and local policies, each linked to the one around it.

use std::fmt;
use std::sync::Arc;

use super::scope_state::ScopeCore;
use crate::policy::Policy;
use crate::state::{StateMap, StateSource};
use crate::text::redact::redact_text;

/// One entry of the context: a scope or a local policy, with what is around it.
pub(crate) struct Frame {
    around: Option<Arc<Frame>>,
    kind: FrameKind,
    /// Whether no policy from here outwards looks at `on_enqueue`.
    quiet: bool,
    /// Whether no policy from here outwards looks at `allows`.
    open: bool,
    /// Whether a local policy is among the frames from here outwards.
    local: bool,
}

enum FrameKind {
    Scope(ScopeCore),
    Local(Arc<dyn Policy>),
}

impl Frame {
    pub(crate) fn scope(core: ScopeCore, around: Option<Arc<Frame>>) -> Self {
        let quiet = !core.policy().judges_enqueue() && around.as_ref().is_none_or(|frame| frame.quiet);
        let open = !core.policy().judges_flush() && around.as_ref().is_none_or(|frame| frame.open);
        let local = around.as_ref().is_some_and(|frame| frame.local);
        Self { around, kind: FrameKind::Scope(core), quiet, open, local }
    }

    pub(crate) fn local(policy: Arc<dyn Policy>, around: Option<Arc<Frame>>) -> Self {
        let quiet = !policy.judges_enqueue() && around.as_ref().is_none_or(|frame| frame.quiet);
        let open = !policy.judges_flush() && around.as_ref().is_none_or(|frame| frame.open);
        Self { around, kind: FrameKind::Local(policy), quiet, open, local: true }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn has_local(&self) -> bool {
        self.local
    }

    pub(crate) fn around(&self) -> Option<&Arc<Frame>> {
        self.around.as_ref()
    }

    /// The scope, if this frame is one.
    pub(crate) fn as_scope(&self) -> Option<&ScopeCore> {
        match &self.kind {
            FrameKind::Scope(core) => Some(core),
            FrameKind::Local(_) => None,
        }
    }

    /// The scope, if this frame is one and there is nothing to ask or to note around an intent in it.
    pub(crate) fn as_simple_scope(&self) -> Option<&ScopeCore> {
        self.as_scope().filter(|_| self.quiet && !self.local)
    }

    pub(crate) fn local_policy(&self) -> Option<&Arc<dyn Policy>> {
        match &self.kind {
            FrameKind::Scope(_) => None,
            FrameKind::Local(policy) => Some(policy),
        }
    }

    pub(crate) fn policy(&self) -> &dyn Policy {
        match &self.kind {
            FrameKind::Scope(core) => core.policy(),
            FrameKind::Local(policy) => &**policy,
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FrameKind::Scope(core) => write!(f, "Frame(scope {})", core.info()),
            FrameKind::Local(policy) => write!(f, "Frame(policy {})", redact_text(policy.name())),
        }
    }
}

impl StateSource for Frame {
    fn look(&self, is_found: &mut dyn FnMut(&StateMap) -> bool) {
        let mut frame = Some(self);
        while let Some(this) = frame {
            if this.as_scope().and_then(ScopeCore::state).is_some_and(&mut *is_found) {
                return;
            }
            frame = this.around.as_deref();
        }
    }
}

/// The frames from `inner` outwards.
pub(crate) fn frames(inner: Option<&Arc<Frame>>) -> impl Iterator<Item = &Arc<Frame>> {
    std::iter::successors(inner, |frame| frame.around())
}

/// The nearest scope from `inner` outwards.
pub(crate) fn nearest_scope(inner: Option<&Arc<Frame>>) -> Option<&Arc<Frame>> {
    frames(inner).find(|frame| frame.as_scope().is_some())
}
