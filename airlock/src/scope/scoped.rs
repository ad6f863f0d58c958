//! What expansions of `#[scoped]` call.

use std::future::Future;
use std::sync::Arc;

use super::builder::ScopeBuilder;
use super::futures::InContext;
use super::run::{self, ScopeBody, ScopeOutput};
use crate::error::FlushError;

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

#[doc(hidden)]
pub fn scoped<R: EndsScope>(scope: ScopeBuilder, body: impl FnOnce() -> R) -> R {
    scope.run(body)
}

#[doc(hidden)]
pub async fn scoped_async<R: EndsScope>(scope: ScopeBuilder, body: impl Future<Output = R>) -> R {
    scope.run_async(body).await
}

#[doc(hidden)]
pub fn scoped_or<R: ScopeBody>(
    scope: ScopeBuilder,
    on_flush_error: impl FnOnce(FlushError),
    body: impl FnOnce() -> R,
) -> R {
    let guard = scope.enter();
    let output = body();
    run::end(guard.leave(), output.succeeded()).unwrap_or_else(on_flush_error);
    output
}

#[doc(hidden)]
pub async fn scoped_or_async<R: ScopeBody>(
    scope: ScopeBuilder,
    on_flush_error: impl FnOnce(FlushError),
    body: impl Future<Output = R>,
) -> R {
    let open = scope.open();
    let output = InContext::only(Arc::clone(open.frame()), body).await;
    run::end_async(open, output.succeeded()).await.unwrap_or_else(on_flush_error);
    output
}
