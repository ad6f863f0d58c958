//! What a direct call of a task means, if the attribute says `enqueue_only` or `shim`.

use crate::error::EnqueueError;
use crate::intent::IntentId;

/// Holds for nobody: what a task that can only be enqueued asks of its callers.
#[diagnostic::on_unimplemented(
    message = "`{T}` can't be called directly; use `{T}::enqueue`",
    label = "write `{T}::enqueue(..)`"
)]
pub trait DirectCall<'a, T> {}

/// The body of a function that has no callers.
#[doc(hidden)]
#[must_use]
pub fn never_called<R>() -> R {
    unreachable!("no caller of this function compiles")
}

/// What a `shim` may return: there is no value to return from a call that was only enqueued.
#[diagnostic::on_unimplemented(
    message = "a `shim` can't return `{Self}`",
    label = "an enqueued call has no such value to return",
    note = "return `()`, or `Result<(), E>` with `E: From<airlock::EnqueueError>`"
)]
pub trait ShimOutput {
    #[doc(hidden)]
    fn of(enqueued: Result<IntentId, EnqueueError>) -> Self;
}

impl ShimOutput for () {
    /// There is nowhere to put the error, and dropping it would lose the effect.
    #[track_caller]
    fn of(enqueued: Result<IntentId, EnqueueError>) {
        if let Err(error) = enqueued {
            panic!("{error}");
        }
    }
}

#[diagnostic::do_not_recommend]
impl<E: From<EnqueueError>> ShimOutput for Result<(), E> {
    fn of(enqueued: Result<IntentId, EnqueueError>) -> Self {
        enqueued.map(drop).map_err(E::from)
    }
}

/// What a direct call of a `shim` in a scope gives.
#[doc(hidden)]
#[track_caller]
pub fn shim_output<R: ShimOutput>(enqueued: Result<IntentId, EnqueueError>) -> R {
    R::of(enqueued)
}
