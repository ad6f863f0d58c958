//! What a direct call of a task means, if the attribute says `enqueue_only` or `shim`.

use std::error::Error;
use std::fmt;

use super::EnqueueError;
use crate::intent::IntentId;
use crate::task::TaskResult;

/// Implemented by no type: what a task that can only be enqueued asks of its callers.
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
    label = "not `()`, and not a `Result<(), E>` that can take an `EnqueueError`",
    note = "an enqueued call has no value: return `()`, or `Result<(), E>` with `E: From<airlock::EnqueueError>`",
    note = "and with `E: Into<Box<dyn std::error::Error + Send + Sync>>`, as the error of any task"
)]
pub trait ShimOutput {
    #[doc(hidden)]
    fn of(enqueued: Result<IntentId, EnqueueError>) -> Self;
    #[doc(hidden)]
    fn forget(self) -> TaskResult;
}

impl ShimOutput for () {
    /// There is nowhere to put the error, and dropping it would lose the effect.
    fn of(enqueued: Result<IntentId, EnqueueError>) {
        if let Err(error) = enqueued {
            panic!("{error}");
        }
    }

    fn forget(self) -> TaskResult {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: From<EnqueueError> + Into<Box<dyn Error + Send + Sync>>> ShimOutput for Result<(), E> {
    fn of(enqueued: Result<IntentId, EnqueueError>) -> Self {
        enqueued.map(drop).map_err(E::from)
    }

    fn forget(self) -> TaskResult {
        self.map_err(Into::into)
    }
}

/// What the output of a `shim` is good for. Asked in two places, in the same words: to the compiler, that is one error.
#[doc(hidden)]
#[must_use]
pub fn shim<R: ShimOutput>() -> Shim<R> {
    Shim { of: R::of, forget: R::forget }
}

#[doc(hidden)]
pub struct Shim<R> {
    of: fn(Result<IntentId, EnqueueError>) -> R,
    forget: fn(R) -> TaskResult,
}

impl<R> Shim<R> {
    /// What a direct call in a scope gives.
    pub fn enqueued(self, enqueued: Result<IntentId, EnqueueError>) -> R {
        (self.of)(enqueued)
    }

    /// What the task gives.
    ///
    /// # Errors
    /// The task's own.
    pub fn task(self, output: R) -> TaskResult {
        (self.forget)(output)
    }
}

impl<R> fmt::Debug for Shim<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shim")
    }
}
