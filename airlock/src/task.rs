//! What a task is: its definition, its typed entry, and the trait the `#[task]` companion implements.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::args::{Args, ArgumentError, Arguments};
use crate::executors::BoxFuture;
use crate::intent::{self, AnyIntent, Identity, Intent, IntentId};
use crate::options::Options;

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
    /// The parameters, in order.
    pub parameters: &'static [Parameter],
    /// The options given in the attribute; those of a call override them.
    pub options: Options,
    /// Whether the task runs in this process whatever executor a scope has.
    pub local: bool,
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
        self.kind == TaskKind::Sync && !self.local
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
}

impl Parameter {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, type_name: &'static str, redacted: bool) -> Self {
        Self { name, type_name, redacted }
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
            Self::Sync(_) => TaskKind::Sync,
            Self::Async(_) => TaskKind::Async,
            Self::Elsewhere => TaskKind::Elsewhere,
        }
    }
}

/// A task with its types: the definition and the function. One `static` a task, written by `#[task]`.
#[doc(hidden)]
pub struct TaskEntry<A: 'static> {
    pub definition: TaskDefinition,
    pub run: Run<A>,
    make: Make<A>,
}

impl<A> fmt::Debug for TaskEntry<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(f)
    }
}

impl<A> TaskEntry<A> {
    /// Everything the attribute knows, by position: the expansion stays one call however many options there are.
    #[doc(hidden)]
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "called by generated code only")]
    pub const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        parameters: &'static [Parameter],
        options: Options,
        local: bool,
        module_path: &'static str,
        file: &'static str,
        line: u32,
        run: Run<A>,
        make: Make<A>,
    ) -> Self {
        let kind = run.kind();
        let definition = TaskDefinition { name, aliases, parameters, options, local, module_path, file, line, kind };
        Self { definition, run, make }
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
        let args = A::decode(&mut arguments.bind(self.definition.parameters)?)?;
        let id = id.unwrap_or_else(IntentId::fresh);
        Ok(self.intent(id, args, options, location, false))
    }
}
