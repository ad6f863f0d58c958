//! What messages rely on, and the text in which it is kept:
//!
//! ```text
//! shop.send (positional)
//!   alias mail
//!   order_id: u64
//!   express: bool #[default = false]
//! ```

use std::fmt;

use crate::registry::Registry;
use crate::task::TaskDefinition;

const HEAD: &str = "\
# What messages in queues rely on: the names of tasks, their parameters and types. A test keeps this file; see
# `airlock::testing::assert_task_lock`. Commit it, and read its changes.
";

/// The names, aliases, parameters, defaults and types of all tasks, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Surface {
    pub(super) tasks: Vec<LockedTask>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LockedTask {
    pub(super) name: String,
    pub(super) positional: bool,
    /// Never delivered: no message relies on it, so it isn't written down.
    pub(super) local: bool,
    pub(super) aliases: Vec<String>,
    pub(super) parameters: Vec<LockedParameter>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LockedParameter {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) default: Option<String>,
}

impl Surface {
    pub(super) fn of(registry: &Registry) -> Self {
        Self { tasks: registry.iter().map(LockedTask::of).collect() }
    }

    /// Reads what `Display` wrote, or says which line is none of it.
    pub(super) fn parse(text: &str) -> Result<Self, usize> {
        let mut tasks: Vec<LockedTask> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let Some(detail) = line.strip_prefix("  ") else {
                let (name, positional) = line.strip_suffix(" (positional)").map_or((line, false), |name| (name, true));
                if name.contains(char::is_whitespace) {
                    return Err(number);
                }
                tasks.push(LockedTask {
                    name: name.to_owned(),
                    positional,
                    local: false,
                    aliases: Vec::new(),
                    parameters: Vec::new(),
                });
                continue;
            };
            let task = tasks.last_mut().ok_or(number)?;
            match detail.strip_prefix("alias ") {
                Some(alias) => task.aliases.push(alias.to_owned()),
                None => task.parameters.push(LockedParameter::parse(detail).ok_or(number)?),
            }
        }
        Ok(Self { tasks })
    }

    /// The tasks that messages rely on.
    pub(super) fn written(&self) -> impl Iterator<Item = &LockedTask> {
        self.tasks.iter().filter(|task| !task.local)
    }

    /// Whether the two say the same, whatever comments there are.
    pub(super) fn is_written_as(&self, other: &Self) -> bool {
        self.written().eq(other.written())
    }

    /// The task that a message of this name reaches.
    pub(super) fn reached_by(&self, name: &str) -> Option<&LockedTask> {
        self.tasks.iter().find(|task| task.name == name || task.aliases.iter().any(|alias| alias == name))
    }
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        self.written().try_for_each(|task| write!(f, "\n{task}"))
    }
}

impl LockedTask {
    fn of(task: &'static TaskDefinition) -> Self {
        let mut aliases: Vec<_> = task.aliases.iter().map(|&alias| alias.to_owned()).collect();
        aliases.sort_unstable();
        let parameters = task.parameters.iter().map(|parameter| LockedParameter {
            name: parameter.name.to_owned(),
            ty: one_line(parameter.type_name),
            default: parameter.default.map(one_line),
        });
        Self {
            name: task.name.to_owned(),
            positional: task.positional,
            local: task.local,
            aliases,
            parameters: parameters.collect(),
        }
    }

    /// The line with the name.
    pub(super) fn heading(&self) -> String {
        format!("{}{}", self.name, if self.positional { " (positional)" } else { "" })
    }
}

impl fmt::Display for LockedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.heading())?;
        self.aliases.iter().try_for_each(|alias| writeln!(f, "  alias {alias}"))?;
        self.parameters.iter().try_for_each(|parameter| writeln!(f, "  {parameter}"))
    }
}

impl LockedParameter {
    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once(": ")?;
        let (ty, default) = match rest.strip_suffix(']').and_then(|rest| rest.split_once(" #[default = ")) {
            Some((ty, default)) => (ty, Some(default.to_owned())),
            None => (rest, None),
        };
        Some(Self { name: name.to_owned(), ty: ty.to_owned(), default })
    }
}

impl fmt::Display for LockedParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)?;
        self.default.iter().try_for_each(|default| write!(f, " #[default = {default}]"))
    }
}

/// A string in an expression may run over lines; here it may not.
fn one_line(source: &str) -> String {
    source.replace('\r', "\\r").replace('\n', "\\n")
}
