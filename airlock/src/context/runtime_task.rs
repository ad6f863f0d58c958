//! Which task of a runtime runs here.

/// The task of tokio that this thread runs, or none.
///
/// A runtime that is driven inside a sync scope polls its tasks on the thread of that scope, and between them.
pub(super) type RuntimeTask = Option<tokio::task::Id>;

#[inline]
pub(super) fn current() -> RuntimeTask {
    tokio::task::try_id()
}
