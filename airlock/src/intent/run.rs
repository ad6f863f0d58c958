//! Running the task of an intent here.

use super::{Identity, Intent};
use crate::context::futures::InContext;
use crate::context::stack::{self, ContextSwap};
use crate::dispatch::{DispatchError, Rejection};
use crate::runtime::panics::{catch_panic, catching_panics};
use crate::state::State;
use crate::task::{Started, TaskKind, missing, start};

impl Intent {
    /// Runs the task here and now, in an empty context, as the inline executor does in a sync flush.
    ///
    /// The arguments move into the task if this is the last handle; otherwise they are cloned.
    ///
    /// # Errors
    /// `TaskFailed` if the task fails or panics; `Rejected` if it is an `async fn`, has no body here, or lacks its state.
    pub fn call(self) -> Result<(), DispatchError> {
        if self.task().kind == TaskKind::Async {
            return Err(DispatchError::rejected(format!(
                "`{}` is an async task; use `call_async`, or `run_async` for the scope",
                self.name()
            )));
        }
        let _empty = ContextSwap::empty();
        match self.start()? {
            Started::Done(result) => result.map_err(DispatchError::task_failed),
            Started::Pending(_) => unreachable!("only an async task gives a future"),
        }
    }

    /// [`call`](Self::call) for a plain function, where the context mostly is empty as it is.
    #[inline]
    pub(crate) fn call_in_flush(self) -> Result<(), DispatchError> {
        if stack::is_empty() {
            return self.call_here();
        }
        let _empty = ContextSwap::empty();
        self.call_here()
    }

    #[inline]
    pub(crate) fn call_here(self) -> Result<(), DispatchError> {
        let body = self.body;
        match catch_panic(move || start(body, State::none())) {
            Ok(Ok(Started::Done(Ok(())))) => Ok(()),
            Ok(Ok(Started::Done(Err(error)))) => Err(DispatchError::task_failed(error)),
            Ok(Ok(Started::Pending(_)) | Err(_)) => unreachable!("only plain functions are called"),
            Err(message) => Err(DispatchError::panicked(message)),
        }
    }

    /// Runs the task here, awaiting it if it is an `async fn`, in an empty context.
    ///
    /// # Errors
    /// `TaskFailed` if the task fails or panics; `Rejected` if it has no body here, or lacks its state.
    pub async fn call_async(self) -> Result<(), DispatchError> {
        let started = {
            let _empty = ContextSwap::empty();
            self.start()?
        };
        let result = match started {
            Started::Done(result) => result,
            Started::Pending(future) => {
                catching_panics(InContext::empty(future)).await.map_err(DispatchError::panicked)?
            }
        };
        result.map_err(DispatchError::task_failed)
    }

    #[inline]
    pub(crate) fn start(self) -> Result<Started, DispatchError> {
        let Self { identity: Identity { task, .. }, body, context, .. } = self;
        let state = State::around(context.as_ref());
        let started = catch_panic(|| start(body, &state)).map_err(DispatchError::panicked)?;
        started.map_err(|unable| unable.rejection(task, &state))
    }

    /// Whether the task can run in this process: it has a body here, and the state it needs. Executors that run tasks
    /// themselves ask this in [`accepts`](crate::Executor::accepts), before anything is handed over.
    ///
    /// # Errors
    /// It can't; the reason says what to do.
    pub fn can_run_here(&self) -> Result<(), Rejection> {
        if self.task().kind == TaskKind::Elsewhere {
            return Err(Rejection::new("it has no body in this program; give the scope an executor that sends it"));
        }
        let needs = self.task().state;
        let missing = if needs.is_empty() { None } else { missing(needs, &State::around(self.context.as_ref())) };
        missing.map_or(Ok(()), |missing| Err(Rejection::new(missing)))
    }
}
