//! Which task of a runtime runs here: without the feature `tokio` there is none.

use std::convert::Infallible;

pub(super) type RuntimeTask = Option<Infallible>;

#[inline]
pub(super) const fn current() -> RuntimeTask {
    None
}
