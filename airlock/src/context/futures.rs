//! Futures that bring their context along: it is in place for each poll, and for the drop.

use std::sync::Arc;

use super::frame::Frame;
use super::stack::{self, ContextSwap, Entered, Stack};
use crate::policy::Policy;
use crate::runtime::{Enter, Within};

/// A future that is polled, and dropped, in a context of its own.
pub(crate) type InContext<F> = Within<F, Stack>;

impl Enter for Stack {
    type Guard<'a> = ContextSwap<'a>;

    fn enter(&mut self) -> ContextSwap<'_> {
        ContextSwap::keeping(self)
    }
}

impl<F> InContext<F> {
    pub(crate) fn empty(future: F) -> Self {
        Self::place(Stack::new(), future)
    }

    pub(crate) fn only(frame: Arc<Frame>, future: F) -> Self {
        Self::place(Stack::only(frame), future)
    }
}

/// A future with one more local policy in the context of each poll.
pub(crate) type WithPolicy<F> = Within<F, PolicyAround>;

/// A policy, and the frame of the last poll, used again as long as the context around it is the same.
pub(crate) struct PolicyAround {
    policy: Arc<dyn Policy>,
    frame: Option<Arc<Frame>>,
}

impl Enter for PolicyAround {
    type Guard<'a> = Entered;

    fn enter(&mut self) -> Entered {
        enter(&self.policy, &mut self.frame)
    }
}

impl<F> WithPolicy<F> {
    pub(crate) fn new(policy: Arc<dyn Policy>, future: F) -> Self {
        Self::place(PolicyAround { policy, frame: None }, future)
    }
}

/// Puts the policy around the current context; the frame of the last poll serves again if that is unchanged.
fn enter(policy: &Arc<dyn Policy>, last: &mut Option<Arc<Frame>>) -> Entered {
    let around = stack::current();
    let same = |frame: &&mut Arc<Frame>| match (frame.around(), &around) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    };
    let frame = match last.as_mut().filter(same) {
        Some(frame) => Arc::clone(frame),
        None => Arc::clone(last.insert(Arc::new(Frame::local(Arc::clone(policy), around)))),
    };
    Entered::new(frame)
}
