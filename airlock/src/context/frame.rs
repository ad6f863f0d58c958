//! What is around an enqueue: scopes and local policies, each linked to the one around it.

use std::fmt;
use std::sync::Arc;

use super::scope_state::ScopeState;
use crate::policy::Policy;
use crate::state::{StateMap, StateSource};
use crate::text::redact::redact_text;

/// One entry of the context: a scope or a local policy, with what is around it.
pub(crate) struct Frame {
    around: Option<Arc<Frame>>,
    kind: FrameKind,
    /// Whether no policy from here outwards looks at `on_enqueue`.
    skips_enqueue: bool,
    /// Whether no policy from here outwards looks at `allows`.
    skips_flush: bool,
    /// Whether a local policy is among the frames from here outwards.
    local: bool,
}

enum FrameKind {
    Scope(ScopeState),
    Local(Arc<dyn Policy>),
}

impl Frame {
    pub(crate) fn scope(scope: ScopeState, around: Option<Arc<Frame>>) -> Self {
        let skips_enqueue = !scope.policy().judges_enqueue() && around.as_ref().is_none_or(|frame| frame.skips_enqueue);
        let skips_flush = !scope.policy().judges_flush() && around.as_ref().is_none_or(|frame| frame.skips_flush);
        let local = around.as_ref().is_some_and(|frame| frame.local);
        Self { around, kind: FrameKind::Scope(scope), skips_enqueue, skips_flush, local }
    }

    pub(crate) fn local(policy: Arc<dyn Policy>, around: Option<Arc<Frame>>) -> Self {
        let skips_enqueue = !policy.judges_enqueue() && around.as_ref().is_none_or(|frame| frame.skips_enqueue);
        let skips_flush = !policy.judges_flush() && around.as_ref().is_none_or(|frame| frame.skips_flush);
        Self { around, kind: FrameKind::Local(policy), skips_enqueue, skips_flush, local: true }
    }

    pub(crate) fn skips_enqueue(&self) -> bool {
        self.skips_enqueue
    }

    pub(crate) fn skips_flush(&self) -> bool {
        self.skips_flush
    }

    pub(crate) fn has_local(&self) -> bool {
        self.local
    }

    pub(crate) fn around(&self) -> Option<&Arc<Frame>> {
        self.around.as_ref()
    }

    /// The scope, if this frame is one.
    pub(crate) fn as_scope(&self) -> Option<&ScopeState> {
        match &self.kind {
            FrameKind::Scope(scope) => Some(scope),
            FrameKind::Local(_) => None,
        }
    }

    /// The scope, if this frame is one and there is nothing to ask or to note around an intent in it.
    pub(crate) fn as_simple_scope(&self) -> Option<&ScopeState> {
        self.as_scope().filter(|_| self.skips_enqueue && !self.local)
    }

    pub(crate) fn local_policy(&self) -> Option<&Arc<dyn Policy>> {
        match &self.kind {
            FrameKind::Scope(_) => None,
            FrameKind::Local(policy) => Some(policy),
        }
    }

    pub(crate) fn policy(&self) -> &dyn Policy {
        match &self.kind {
            FrameKind::Scope(scope) => scope.policy(),
            FrameKind::Local(policy) => &**policy,
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FrameKind::Scope(scope) => write!(f, "Frame(scope {})", scope.info()),
            FrameKind::Local(policy) => write!(f, "Frame(policy {})", redact_text(policy.name())),
        }
    }
}

impl StateSource for Frame {
    fn look(&self, is_found: &mut dyn FnMut(&StateMap) -> bool) {
        let mut frame = Some(self);
        while let Some(this) = frame {
            if this.as_scope().and_then(ScopeState::state).is_some_and(&mut *is_found) {
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
