//! What a task is: its definition, its typed entry, and the trait the `#[task]` companion implements.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::args::{Args, ArgumentError, Arguments};
use crate::executors::BoxFuture;
use crate::intent::{self, AnyIntent, Identity, Intent, IntentId};
use crate::options::Options;
use crate::state::{State, StateParameter};

/// A function registered under a stable name.
///
/// `#[airlock::task]` implements this for the companion it puts beside a function, so that types can name tasks:
/// `intent.args::<send_email>()`, `BlockTasks::of::<(send_email,)>()`. It is not meant to be implemented by hand.
///
/// ```
/// use airlock::Task;
///
/// #[airlock::task(name = "shop.send_email")]
/// fn send_email(order_id: u64) {
///     let _ = order_id;
/// }
///
/// assert_eq!(send_email::NAME, "shop.send_email");
/// assert_eq!(send_email::definition().parameters[0].name, "order_id");
/// ```
pub trait Task: 'static {
    /// The parameters, as a tuple.
    type Args: Args;
    /// The name on every wire and in every report.
    const NAME: &'static str;

    /// All that is known about the task before it is called.
    fn definition() -> &'static TaskDefinition {
        &Self::__entry().definition
    }

    #[doc(hidden)]
    fn __entry() -> &'static TaskEntry<Self::Args>;
}

/// All that is known about a task before it is called.
#[non_exhaustive]
pub struct TaskDefinition {
    /// The name on every wire and in every report.
    pub name: &'static str,
    /// Older names under which messages still find the task.
    pub aliases: &'static [&'static str],
    /// The parameters that a message carries, in order.
    pub parameters: &'static [Parameter],
    /// The `#[state]` parameters, in order.
    pub state: &'static [StateParameter],
    /// The options given in the attribute; those of a call override them.
    pub options: Options,
    /// Whether the task runs in this process whatever executor a scope has.
    pub local: bool,
    /// Whether arguments go by position on every wire, and not by name.
    pub positional: bool,
    /// Where the function is: its module, as `module_path!()` gives it.
    pub module_path: &'static str,
    /// Where the function is: its file, as `file!()` gives it.
    pub file: &'static str,
    /// Where the function is: the line of its attribute.
    pub line: u32,
    /// How the task can be run.
    pub kind: TaskKind,
}

impl fmt::Debug for TaskDefinition {
    /// Name and place: errors hold definitions, and a `main` that returns one prints it like this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskDefinition({} at {}:{})", self.name, self.file, self.line)
    }
}

impl TaskDefinition {
    /// Whether it is a plain function for any executor: nothing that runs it inline has to ask first.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.kind == TaskKind::Sync && !self.local && self.state.is_empty()
    }
}

/// How a task can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskKind {
    /// A plain function.
    Sync,
    /// An `async fn`.
    Async,
    /// A declaration without a body: only a worker elsewhere can run it.
    Elsewhere,
}

/// One parameter of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name, which is its key in named arguments.
    pub name: &'static str,
    /// Its type, as written in the signature.
    pub type_name: &'static str,
    /// Whether its values print as `***`.
    pub redacted: bool,
    /// What a message that lacks it gets, as written in the attribute: an expression, `***` if values are redacted.
    pub default: Option<&'static str>,
}

impl Parameter {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, type_name: &'static str) -> Self {
        Self { name, type_name, redacted: false, default: None }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn redacted(mut self) -> Self {
        self.redacted = true;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn default(mut self, expression: &'static str) -> Self {
        self.default = Some(expression);
        self
    }
}

/// The result of a task once its value is forgotten: only a failure matters to whoever dispatched it.
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

/// Forgets the value a task returned. Stands outside `__private` because the compiler names it in messages.
#[doc(hidden)]
pub fn task_output<R: TaskOutput>(output: R) -> TaskResult {
    output.into_task_result()
}

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

/// A task with its types: the definition and the function. One `static` a task, written by `#[task]`.
#[doc(hidden)]
pub struct TaskEntry<A: 'static> {
    pub definition: TaskDefinition,
    pub run: Run<A>,
    /// The value of a parameter, by its index, for messages that lack it.
    pub(crate) defaults: Defaults,
    make: Make<A>,
}

/// The value of a `#[default]` parameter, by its index.
pub(crate) type Defaults = fn(usize) -> Option<Box<dyn Any>>;

impl<A> fmt::Debug for TaskEntry<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(f)
    }
}

impl<A> TaskEntry<A> {
    /// What every task has. What only some have is added below, so that an expansion is no longer than its task needs.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn new(
        name: &'static str,
        parameters: &'static [Parameter],
        options: Options,
        module_path: &'static str,
        run: Run<A>,
        make: Make<A>,
    ) -> Self {
        let (kind, place) = (run.kind(), Location::caller());
        let definition = TaskDefinition {
            name,
            aliases: &[],
            parameters,
            state: &[],
            options,
            local: false,
            positional: false,
            module_path,
            file: place.file(),
            line: place.line(),
            kind,
        };
        Self { definition, run, defaults: |_| None, make }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.definition.aliases = aliases;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn local(mut self) -> Self {
        self.definition.local = true;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn positional(mut self) -> Self {
        self.definition.positional = true;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn state(mut self, state: &'static [StateParameter]) -> Self {
        self.definition.state = state;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn defaults(mut self, defaults: fn(usize) -> Option<Box<dyn Any>>) -> Self {
        self.defaults = defaults;
        self
    }

    /// An intent that no scope has seen yet, or one about to be given to a scope: `taken`.
    #[inline]
    #[must_use]
    pub(crate) fn intent(
        &'static self,
        id: IntentId,
        args: A,
        options: Option<Options>,
        location: &'static Location<'static>,
        taken: bool,
    ) -> Intent {
        let options = options.map(|options| Box::new(options.over(&self.definition.options)));
        let identity = Identity { id, task: &self.definition, location };
        Intent::new(identity, (self.make.share)(self, args, options, taken))
    }

    /// The task without its types.
    #[must_use]
    pub fn erased(&'static self) -> &'static dyn AnyTask {
        (self.make.erased)(self)
    }
}

type Share<A> = fn(&'static TaskEntry<A>, A, Option<Box<Options>>, bool) -> Arc<dyn AnyIntent>;

/// What needs arguments that are arguments, as functions: made once a task, where the compiler looks at each parameter
/// ([`arguments_1`](crate::args::arguments_1) and so on). Nothing else that an expansion touches has bounds on `A`, as
/// each would be one more error about the same parameter.
#[doc(hidden)]
pub struct Make<A: 'static> {
    share: Share<A>,
    erased: fn(&'static TaskEntry<A>) -> &'static dyn AnyTask,
}

impl<A: Args> Make<A> {
    pub(crate) const fn of() -> Self {
        Self { share: intent::share, erased: |entry| entry }
    }
}

impl<A> fmt::Debug for Make<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Make")
    }
}

/// A task without its types, as the registry keeps it.
#[doc(hidden)]
pub trait AnyTask: Sync + fmt::Debug {
    fn definition(&'static self) -> &'static TaskDefinition;
    /// Decodes arguments into an intent that no scope has seen yet.
    fn decode(
        &'static self,
        id: Option<IntentId>,
        arguments: Arguments,
        options: Option<Options>,
        location: &'static Location<'static>,
    ) -> Result<Intent, ArgumentError>;
}

impl<A: Args> AnyTask for TaskEntry<A> {
    fn definition(&'static self) -> &'static TaskDefinition {
        &self.definition
    }

    fn decode(
        &'static self,
        id: Option<IntentId>,
        arguments: Arguments,
        options: Option<Options>,
        location: &'static Location<'static>,
    ) -> Result<Intent, ArgumentError> {
        let args = A::decode(&mut arguments.bind(self.definition.parameters, self.defaults)?)?;
        let id = id.unwrap_or_else(IntentId::fresh);
        Ok(self.intent(id, args, options, location, false))
    }
}
