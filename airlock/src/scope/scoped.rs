//! What expansions of `#[scoped]` call.

use std::future::Future;
use std::sync::Arc;

use super::builder::ScopeBuilder;
use super::run::{self, ScopeBody, ScopeOutput};
use crate::context::futures::InContext;
use crate::flush::FlushError;

/// What a `#[scoped]` function may return without `on_flush_error`.
#[diagnostic::on_unimplemented(
    message = "a `#[scoped]` function can't return `{Self}`",
    label = "a flush error has nowhere to go",
    note = "return `airlock::Result<()>`, or a `Result<T, E>` with `E: From<airlock::FlushError>`",
    note = "or say what happens to it: `#[airlock::scoped(on_flush_error = path)]` with a `fn(airlock::FlushError)`"
)]
pub trait EndsScope: ScopeOutput<Output = Self> + Sized {}

#[diagnostic::do_not_recommend]
impl<T, E: From<FlushError>> EndsScope for Result<T, E> {}

/// How a `#[scoped]` function ends, as functions: made where the compiler looks at the return type. The functions below
/// have no bounds of their own, as on the `async` one each would be three errors about the same type.
#[doc(hidden)]
#[derive(Debug)]
pub struct End<R> {
    succeeded: fn(&R) -> bool,
    flush_failed: FlushFailed<R>,
}

#[derive(Debug)]
enum FlushFailed<R> {
    Returned(fn(R, FlushError) -> R),
    Told(fn(FlushError)),
}

impl<R> End<R> {
    fn after(self, output: R, flush: Result<(), FlushError>) -> R {
        match (flush, self.flush_failed) {
            (Ok(()), _) => output,
            (Err(error), FlushFailed::Returned(returned)) => returned(output, error),
            (Err(error), FlushFailed::Told(told)) => {
                told(error);
                output
            }
        }
    }
}

#[doc(hidden)]
#[must_use]
pub fn ends<R: EndsScope>() -> End<R> {
    End { succeeded: R::succeeded, flush_failed: FlushFailed::Returned(|output, error| output.after(Err(error))) }
}

#[doc(hidden)]
#[must_use]
pub fn ends_or<R: ScopeBody>(on_flush_error: fn(FlushError)) -> End<R> {
    End { succeeded: R::succeeded, flush_failed: FlushFailed::Told(on_flush_error) }
}

#[doc(hidden)]
pub fn scoped<R>(scope: ScopeBuilder, end: End<R>, body: impl FnOnce() -> R) -> R {
    let guard = scope.enter();
    let output = body();
    let flush = run::end(guard.leave(), (end.succeeded)(&output));
    end.after(output, flush)
}

#[doc(hidden)]
pub async fn scoped_async<R>(scope: ScopeBuilder, end: End<R>, body: impl Future<Output = R>) -> R {
    let owned = scope.begin();
    let output = InContext::only(Arc::clone(owned.frame()), body).await;
    let flush = run::end_async(owned, (end.succeeded)(&output)).await;
    end.after(output, flush)
}
