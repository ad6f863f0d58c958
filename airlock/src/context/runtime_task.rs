//! Which task of a runtime runs here.

/// The task of tokio that this thread runs, or none. Without the feature `tokio` all are one.
///
/// A runtime that is driven inside a sync scope polls its tasks on the thread of that scope, and between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RuntimeTask {
    #[cfg(feature = "tokio")]
    id: Option<tokio::task::Id>,
}

impl RuntimeTask {
    #[inline]
    pub(crate) fn current() -> Self {
        Self {
            #[cfg(feature = "tokio")]
            id: tokio::task::try_id(),
        }
    }
}
