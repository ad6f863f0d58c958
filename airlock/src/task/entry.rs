//! A task with its types: what `#[task]` writes, one `static` a task.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::{Parameter, TaskDefinition, TaskKind, TaskResult};
use crate::args::{Args, BoundArguments};
use crate::executors::BoxFuture;
use crate::intent::{self, AnyIntent};
use crate::options::{NO_OPTIONS, Options};
use crate::state::{State, StateParameter};

/// How to run a task with typed arguments.
#[doc(hidden)]
pub enum Run<A> {
    Sync(fn(A) -> TaskResult),
    Async(fn(A) -> BoxFuture<'static, TaskResult>),
    /// With `#[state]` parameters; `None` if a value is missing.
    SyncWith(fn(A, &State) -> Option<TaskResult>),
    /// An `async fn` with `#[state]` parameters.
    AsyncWith(fn(A, &State) -> Option<BoxFuture<'static, TaskResult>>),
    Elsewhere,
}

impl<A> fmt::Debug for Run<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl<A> Run<A> {
    const fn kind(&self) -> TaskKind {
        match self {
            Self::Sync(_) | Self::SyncWith(_) => TaskKind::Sync,
            Self::Async(_) | Self::AsyncWith(_) => TaskKind::Async,
            Self::Elsewhere => TaskKind::Elsewhere,
        }
    }
}

/// The definition and the function.
#[doc(hidden)]
pub struct TaskEntry<A: 'static> {
    pub definition: TaskDefinition,
    pub(crate) run: Run<A>,
    share: Share<A>,
}

impl<A> fmt::Debug for TaskEntry<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(f)
    }
}

impl<A> TaskEntry<A> {
    /// What every task has. What only some have is added below, so that an expansion is no longer than its task needs.
    #[must_use]
    #[track_caller]
    pub const fn new(
        name: &'static str,
        module_path: &'static str,
        parameters: &'static [Parameter],
        run: Run<A>,
        make: Make<A>,
    ) -> Self {
        let (kind, place) = (run.kind(), Location::caller());
        let definition = TaskDefinition {
            name,
            aliases: &[],
            parameters,
            state: &[],
            options: &NO_OPTIONS,
            local: false,
            positional: false,
            module_path,
            file: place.file(),
            line: place.line(),
            kind,
            defaults: |_| None,
            plain: matches!(kind, TaskKind::Sync),
            typed: make.typed,
        };
        Self { definition, run, share: make.share }
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

    /// What the handles of a new intent share.
    #[inline]
    pub(crate) fn share(&'static self, args: A, options: Option<Box<Options>>, taken: bool) -> Arc<dyn AnyIntent> {
        (self.share)(self, args, options, taken)
    }
}

type Share<A> = fn(&'static TaskEntry<A>, A, Option<Box<Options>>, bool) -> Arc<dyn AnyIntent>;

/// What needs arguments that are arguments: made once a task, where the compiler looks at each parameter
/// ([`arguments_1`](crate::checks::arguments_1) and so on). Nothing else that an expansion touches has bounds on `A`, as
/// each would be one more error about the same parameter.
#[doc(hidden)]
pub struct Make<A: 'static> {
    share: Share<A>,
    typed: &'static dyn AnyTask,
}

impl<A: Args> Make<A> {
    pub(crate) const fn of(entry: &'static TaskEntry<A>) -> Self {
        Self { share: intent::share, typed: entry }
    }
}

impl<A> fmt::Debug for Make<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Make")
    }
}

/// A task without its types.
pub(crate) trait AnyTask: Sync {
    /// `None` if an argument doesn't decode; `bound` knows which.
    fn decode(
        &'static self,
        bound: &mut BoundArguments,
        options: Option<Box<Options>>,
        taken: bool,
    ) -> Option<Arc<dyn AnyIntent>>;
}

impl<A: Args> AnyTask for TaskEntry<A> {
    fn decode(
        &'static self,
        bound: &mut BoundArguments,
        options: Option<Box<Options>>,
        taken: bool,
    ) -> Option<Arc<dyn AnyIntent>> {
        // Not `Option::map`, which would be one more function for each type of arguments.
        match A::decode(bound) {
            Some(args) => Some(self.share(args, options, taken)),
            None => None,
        }
    }
}
