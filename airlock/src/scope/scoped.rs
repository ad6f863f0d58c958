//! What expansions of `#[scoped]` call, in this order: the body runs ([`scoped`]), its output is judged ([`ends`] or one
//! of its siblings), the scope ends accordingly ([`Ending::flush`]), and a flush error goes into the output ([`ends`]
//! again) or to the function of the user's ([`handled`]).

use std::future::Future;
use std::sync::Arc;

use super::builder::ScopeBuilder;
use super::guard::OwnedScope;
use super::run::{self, ScopeBody, ScopeOutput};
use crate::context::futures::InContext;
use crate::flush::FlushError;

/// What a `#[scoped]` function may return without `on_flush_error`.
#[diagnostic::on_unimplemented(
    message = "a `#[scoped]` function can't return `{Self}`",
    label = "a flush error has nowhere to go",
    note = "return `airlock::Result<()>`, or a `Result<T, E>` with `E: From<airlock::FlushError>`",
    note = "or say what happens to it: `#[airlock::scoped(on_flush_error = path)]` with a `fn(airlock::FlushError)`, or a `fn(airlock::FlushError) -> E` for a `Result<T, E>`",
    note = "what is neither `()` nor a `Result` needs `succeeded = path` as well, with a `fn(&T) -> bool`; a function that returns a future is written as `async fn`"
)]
pub trait EndsScope: ScopeOutput<Output = Self> + Sized {}

#[diagnostic::do_not_recommend]
impl<T, E: From<FlushError>> EndsScope for Result<T, E> {}

/// What a `#[scoped]` function may return with `on_flush_error` and without `succeeded`.
#[diagnostic::on_unimplemented(
    message = "whether `{Self}` is a success can't be told",
    label = "not `()`, `Result`, or a type with `airlock::ScopeBody`",
    note = "say how: `#[airlock::scoped(succeeded = path, on_flush_error = path)]` with a `fn(&T) -> bool`",
    note = "or return `airlock::Result<()>`, or implement `airlock::ScopeBody` for a type of your own"
)]
pub trait TellsSuccess: ScopeBody {}

#[diagnostic::do_not_recommend]
impl<R: ScopeBody> TellsSuccess for R {}

/// What the function of `on_flush_error` may return. `How` tells apart what could be two of them.
#[diagnostic::on_unimplemented(
    message = "`on_flush_error` can't return `{Self}` here",
    label = "not `()`, not the error of what the function returns, and not what it returns",
    note = "write a `fn(airlock::FlushError)`, or a `fn(airlock::FlushError) -> E` where the `#[scoped]` function returns `Result<T, E>`"
)]
pub trait FlushAnswer<R, How> {
    #[doc(hidden)]
    fn put_into(self, output: R, succeeded: bool) -> R;
}

/// The function answers nothing, and the output stays.
#[derive(Debug)]
pub struct Unanswered;
/// The answer is the error.
#[derive(Debug)]
pub struct AsError;
/// The answer is the output.
#[derive(Debug)]
pub struct AsOutput;

impl<R> FlushAnswer<R, Unanswered> for () {
    fn put_into(self, output: R, _: bool) -> R {
        output
    }
}

impl<T, E> FlushAnswer<Result<T, E>, AsError> for E {
    fn put_into(self, output: Result<T, E>, _: bool) -> Result<T, E> {
        // The body's own error stays.
        output.and(Err(self))
    }
}

impl<R> FlushAnswer<R, AsOutput> for R {
    fn put_into(self, output: R, succeeded: bool) -> R {
        if succeeded { self } else { output }
    }
}

/// The output of a body, whose scope has yet to end, or to say how that went.
#[derive(Debug)]
#[must_use = "the scope ends with it"]
pub struct Ending<R> {
    output: R,
    succeeded: bool,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Open(OwnedScope),
    Flushed(Result<(), FlushError>),
}

impl<R> Ending<R> {
    fn ran(output: R, scope: OwnedScope) -> Self {
        Self { output, succeeded: false, step: Step::Open(scope) }
    }

    /// Ends the scope as it was judged.
    pub fn flush(self) -> Self {
        let Self { output, succeeded, step } = self;
        let flush = match step {
            Step::Open(scope) => run::end(scope, succeeded),
            Step::Flushed(flush) => flush,
        };
        Self { output, succeeded, step: Step::Flushed(flush) }
    }

    /// Ends the scope as it was judged, and awaits that.
    pub async fn flush_async(self) -> Self {
        let Self { output, succeeded, step } = self;
        let flush = match step {
            Step::Open(scope) => run::end_async(scope, succeeded).await,
            Step::Flushed(flush) => flush,
        };
        Self { output, succeeded, step: Step::Flushed(flush) }
    }

    /// What the function returns.
    pub fn output(self) -> R {
        self.output
    }
}

/// Judges the output, and after the flush puts its error there. One function for both: to the compiler the same words
/// at the same place are one question, whose answer is one error.
///
/// The call that makes the error stands in the user's function, not behind a pointer: an error that notes its caller
/// notes that.
#[track_caller]
pub fn ends<R: EndsScope>(ending: Ending<R>) -> Ending<R> {
    let Ending { output, succeeded, step } = ending;
    match step {
        Step::Open(scope) => Ending { succeeded: output.succeeded(), ..Ending::ran(output, scope) },
        Step::Flushed(flush) => Ending { output: output.after(flush), succeeded, step: Step::Flushed(Ok(())) },
    }
}

/// Judges the output of a function with `on_flush_error`.
pub fn succeeds<R: TellsSuccess>(ending: Ending<R>) -> Ending<R> {
    Ending { succeeded: ending.output.succeeded(), ..ending }
}

/// Judges the output by the function of `succeeded`.
pub fn succeeds_if<R>(ending: Ending<R>, succeeded: fn(&R) -> bool) -> Ending<R> {
    Ending { succeeded: succeeded(&ending.output), ..ending }
}

/// Gives a flush error to the function of `on_flush_error`, and what that returns to the caller.
pub fn handled<R, A: FlushAnswer<R, How>, How>(ending: Ending<R>, on_flush_error: fn(FlushError) -> A) -> R {
    let Ending { output, succeeded, step } = ending;
    match step {
        Step::Flushed(Err(error)) => on_flush_error(error).put_into(output, succeeded),
        Step::Flushed(Ok(())) | Step::Open(_) => output,
    }
}

/// Runs the body in the scope, which is still open afterwards, and no longer current.
pub fn scoped<R>(scope: ScopeBuilder, body: impl FnOnce() -> R) -> Ending<R> {
    let guard = scope.enter();
    let output = body();
    Ending::ran(output, guard.leave())
}

/// The same for a future: the scope opens at the first poll, and the body is gone when this is ready.
pub async fn scoped_async<R>(scope: ScopeBuilder, body: impl Future<Output = R>) -> Ending<R> {
    let owned = scope.begin();
    let output = InContext::only(Arc::clone(owned.frame()), body).await;
    Ending::ran(output, owned)
}

/// Calls a closure: how a plain function makes the future that it returns.
pub fn made<R>(make: impl FnOnce() -> R) -> R {
    make()
}

/// The future that a plain function returns. Of no type that clippy takes for the body of an `async fn`.
pub fn future<F: Future>(future: F) -> impl Future<Output = F::Output> {
    future
}
