//! A task with its types: what `#[task]` writes, one `static` a task.

use std::any::Any;
use std::fmt;

use super::args::BoundArguments;
use super::{Marks, SharedBody, StateParameter, TaskDefinition, TaskKind, TaskResult, missing};
use crate::dispatch::DispatchError;
use crate::options::Options;
use crate::runtime::BoxFuture;
use crate::state::{NoState, State};

/// How to run a task with typed arguments. Of one form for all kinds of tasks: what calls it is compiled once for each
/// type of arguments.
pub(crate) type TaskFn<A> = fn(A, &State) -> CallResult;

/// What a call gives.
#[doc(hidden)]
pub type CallResult = Result<Started, CallError>;

/// A task that has been called.
#[doc(hidden)]
pub enum Started {
    /// A plain function has returned.
    Done(TaskResult),
    /// An `async fn` has given its future.
    Pending(BoxFuture<'static, TaskResult>),
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done(_) => "Done",
            Self::Pending(_) => "Pending",
        })
    }
}

/// Why a task could not be called.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum CallError {
    /// A `#[state]` parameter has no value.
    Stateless,
    /// There is no function here.
    Elsewhere,
}

impl From<NoState> for CallError {
    fn from(_: NoState) -> Self {
        Self::Stateless
    }
}

impl CallError {
    #[cold]
    pub(crate) fn rejection(self, task: &TaskDefinition, state: &State) -> DispatchError {
        DispatchError::rejected(match self {
            Self::Stateless => missing(task.state, state).unwrap_or_else(|| "its state has no value".to_owned()),
            Self::Elsewhere => "the task has no body in this program; give the scope an executor".to_owned(),
        })
    }
}

/// What a plain function gives.
///
/// # Errors
/// None: it has been called.
#[doc(hidden)]
pub fn done(result: TaskResult) -> CallResult {
    Ok(Started::Done(result))
}

/// What an `async fn` gives.
///
/// # Errors
/// None: it has been called.
#[doc(hidden)]
pub fn pending(future: BoxFuture<'static, TaskResult>) -> CallResult {
    Ok(Started::Pending(future))
}

/// How to run a declaration.
///
/// # Errors
/// Always.
#[doc(hidden)]
pub fn elsewhere<A>(_: A, _: &State) -> CallResult {
    Err(CallError::Elsewhere)
}

/// The definition and the function, made by [`task_1`](crate::checks::task_1) and so on.
#[doc(hidden)]
pub struct TaskEntry<A: 'static> {
    pub definition: TaskDefinition,
    pub(crate) run: TaskFn<A>,
    pub(crate) share: Share<A>,
}

impl<A> fmt::Debug for TaskEntry<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(f)
    }
}

/// What only some tasks have, so that an expansion is no longer than its task needs.
impl<A> TaskEntry<A> {
    #[must_use]
    pub const fn asynchronous(mut self) -> Self {
        self.definition.kind = TaskKind::Async;
        self.definition.plain = false;
        self
    }

    #[must_use]
    pub const fn elsewhere(mut self) -> Self {
        self.definition.kind = TaskKind::Elsewhere;
        self.definition.plain = false;
        self
    }

    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.definition.aliases = aliases;
        self
    }

    #[must_use]
    pub const fn options(mut self, options: &'static Options) -> Self {
        self.definition.options = options;
        self
    }

    #[must_use]
    pub const fn local(mut self) -> Self {
        self.definition.local = true;
        self.definition.plain = false;
        self
    }

    #[must_use]
    pub const fn positional(mut self) -> Self {
        self.definition.positional = true;
        self
    }

    #[must_use]
    pub const fn state(mut self, state: &'static [StateParameter]) -> Self {
        self.definition.state = state;
        self.definition.plain = false;
        self
    }

    #[must_use]
    pub const fn defaults(mut self, defaults: fn(usize) -> Option<Box<dyn Any>>) -> Self {
        self.definition.defaults = defaults;
        self
    }
}

/// Makes what the handles of a new intent share.
pub(crate) type Share<A> = fn(TaskFn<A>, A, Marks) -> SharedBody;

/// A task without its types.
pub(crate) trait AnyTask: Sync {
    /// `None` if an argument doesn't decode; `bound` knows which.
    fn decode(&self, bound: &mut BoundArguments) -> Option<SharedBody>;
}
