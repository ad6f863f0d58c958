//! What can be wrong with a name or a call by name.

use crate::dispatch::{DispatchError, DispatchErrorKind};
use crate::task::TaskDefinition;
use crate::task::args::ArgumentError;
use crate::text::nearest::{hint, nearest};

/// A task that can't be found or called by name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No task has this name.
    #[error(
        "there is no task `{name}`{}; a crate that is only listed in Cargo.toml is not linked: write `use your_tasks as _;`",
        hint(nearest)
    )]
    Unknown {
        /// The name looked up.
        name: String,
        /// The nearest names there are.
        nearest: Vec<&'static str>,
    },
    /// More than one task has this name or alias.
    #[error("the name `{name}` belongs to more than one task: {}; rename all but one", places(tasks))]
    Duplicate {
        /// The name or alias.
        name: String,
        /// The tasks, by place.
        tasks: Vec<&'static TaskDefinition>,
    },
    /// The arguments don't fit the task's parameters.
    #[error("task `{task}` can't be called: {error}")]
    Arguments {
        /// The task.
        task: &'static str,
        /// What doesn't fit.
        error: ArgumentError,
    },
    /// Parameters that no function in Python can have by name.
    #[error(
        "{}; give each another name in messages, `#[name = \"…\"]`, or mark its task `positional`",
        faults.join(", ")
    )]
    NotForPython {
        /// Each parameter with its task, and why.
        faults: Vec<String>,
    },
    /// The text is not a serialised intent.
    #[error("the message can't be read: {fault}")]
    Message {
        /// What is wrong with it.
        fault: String,
    },
    /// The task can't run this way.
    #[error("task `{task}` can't run here: {reason}")]
    NotRunnable {
        /// The task.
        task: &'static str,
        /// Why, and what would run it.
        reason: String,
    },
    /// The task ran and failed.
    #[error("task `{task}` failed")]
    Failed {
        /// The task.
        task: &'static str,
        /// Its error, or its panic.
        #[source]
        source: DispatchError,
    },
}

impl RegistryError {
    pub(super) fn unknown(name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        let nearest = nearest(name, known);
        Self::Unknown { name: name.to_owned(), nearest }
    }

    pub(super) fn of_call(task: &'static str, error: DispatchError) -> Self {
        if error.kind() == DispatchErrorKind::Rejected {
            return Self::NotRunnable { task, reason: error.reason() };
        }
        Self::Failed { task, source: error }
    }
}

fn places(tasks: &[&'static TaskDefinition]) -> String {
    let places: Vec<_> = tasks
        .iter()
        .map(|task| format!("`{}` in `{}` ({}:{})", task.name, task.module_path, task.file, task.line))
        .collect();
    places.join(" and ")
}
