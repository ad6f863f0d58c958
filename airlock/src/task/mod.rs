//! What a task is: its definition, its typed entry, its arguments, and how it is called.

pub(crate) mod args;
mod call;
mod definition;
mod entry;
mod marks;
mod output;
mod parameter;
mod state;

pub use args::{Args, Argument, ArgumentError, Arguments};
pub(crate) use call::{AnyCall, Call, SharedBody, moved, share, start, with_options};
pub use definition::{Task, TaskDefinition, TaskKind};
pub(crate) use entry::{AnyTask, CallError, Started, TaskFn};
pub use entry::{CallResult, TaskEntry, done, elsewhere, pending};
pub(crate) use marks::Marks;
pub use output::{TaskOutput, TaskResult, task_output, task_result};
pub use parameter::Parameter;
pub use state::StateParameter;
pub(crate) use state::missing;
