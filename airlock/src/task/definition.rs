//! What a task is: its definition, its typed entry, and the trait the `#[task]` companion implements.

use std::any::Any;
use std::fmt;
use std::panic::Location;

use super::args::Args;
use super::{AnyTask, Parameter, StateParameter};
use crate::options::{NO_OPTIONS, Options};

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
    #[doc(hidden)]
    const DEFINITION: &'static TaskDefinition;
    /// The name on every wire and in every report.
    const NAME: &'static str = Self::DEFINITION.name;

    /// All that is known about the task before it is called.
    #[must_use]
    fn definition() -> &'static TaskDefinition {
        Self::DEFINITION
    }
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
    pub options: &'static Options,
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
    /// The value of a `#[default]` parameter, by its index, for messages that lack it.
    pub(crate) defaults: Defaults,
    /// See [`is_plain`](Self::is_plain), which is asked at every call.
    pub(super) plain: bool,
    /// The task with its types, behind a trait that has none.
    pub(crate) typed: &'static dyn AnyTask,
}

/// The value of a `#[default]` parameter, by its index.
pub(crate) type Defaults = fn(usize) -> Option<Box<dyn Any>>;

fn no_default(_: usize) -> Option<Box<dyn Any>> {
    None
}

impl fmt::Debug for TaskDefinition {
    /// Name and place: errors hold definitions, and a `main` that returns one prints it like this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskDefinition({} at {}:{})", self.name, self.file, self.line)
    }
}

impl TaskDefinition {
    #[track_caller]
    pub(crate) const fn new(
        name: &'static str,
        module_path: &'static str,
        parameters: &'static [Parameter],
        typed: &'static dyn AnyTask,
    ) -> Self {
        let place = Location::caller();
        Self {
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
            kind: TaskKind::Sync,
            defaults: no_default,
            plain: true,
            typed,
        }
    }

    /// Whether it is a plain function for any executor: nothing that runs it inline has to ask first.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// The options of a call over those of the attribute.
    pub(crate) fn over(&self, options: Options) -> Box<Options> {
        Box::new(options.over(self.options))
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
