//! What a task may return.

use std::error::Error;

use super::entry::{CallError, Started, done};

/// The result of a task once its value is forgotten: only a failure matters to the flush that dispatched it.
pub type TaskResult = Result<(), Box<dyn Error + Send + Sync>>;

/// What a task may return: nothing, or a `Result` whose error can be reported.
#[diagnostic::on_unimplemented(
    message = "a task can't return `{Self}`",
    label = "not `()` and not a `Result` with a reportable error",
    note = "return `()`, or `Result<T, E>` with `E: Into<Box<dyn std::error::Error + Send + Sync>>`"
)]
pub trait TaskOutput {
    #[doc(hidden)]
    fn into_task_result(self) -> TaskResult;
}

impl TaskOutput for () {
    fn into_task_result(self) -> TaskResult {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Into<Box<dyn Error + Send + Sync>>> TaskOutput for Result<T, E> {
    fn into_task_result(self) -> TaskResult {
        self.map(drop).map_err(Into::into)
    }
}

/// Forgets the value a plain function returned. Stands outside `__private` because the compiler names it in messages.
///
/// # Errors
/// None: it has been called.
#[doc(hidden)]
pub fn task_output<R: TaskOutput>(output: R) -> Result<Started, CallError> {
    done(output.into_task_result())
}

/// The same for an `async fn`.
///
/// # Errors
/// The task's own.
#[doc(hidden)]
pub fn task_result<R: TaskOutput>(output: R) -> TaskResult {
    output.into_task_result()
}
