//! In place of `blocking` without the feature `tokio`: there is no runtime to be blocked that airlock knows.

use std::future::Future;

use crate::context::Frame;

/// Waits for a flush of the scope on this thread.
pub(crate) fn block_on_flush<F: Future>(_: &Frame, flush: F) -> F::Output {
    crate::runtime::block_on(flush)
}
