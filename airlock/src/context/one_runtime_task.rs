//! Which task of a runtime runs here: without the feature `tokio` there is none.

pub(super) use std::convert::Infallible as RuntimeTaskId;

#[inline]
pub(super) const fn current() -> Option<RuntimeTaskId> {
    None
}
