//! Which task of a runtime runs here.

pub(super) use tokio::task::Id as RuntimeTaskId;

/// The task of tokio that this thread runs, or none.
///
/// A runtime that is driven inside a sync scope polls its tasks on the thread of that scope, and between them.
#[inline]
pub(super) fn current() -> Option<RuntimeTaskId> {
    tokio::task::try_id()
}
