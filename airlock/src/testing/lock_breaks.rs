//! The changes between two locks that older messages don't survive.

use std::fmt;

use super::lock_file::{LockedParameter, LockedTask, Surface};

/// One change that older messages don't survive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Break {
    /// The task's name in the lock file.
    pub task: String,
    /// The line that was there, if there was one.
    pub before: Option<String>,
    /// The line that is there now, if there is one.
    pub after: Option<String>,
    /// What is wrong with that, and what to do.
    pub reason: &'static str,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  {}", self.task)?;
        self.before.iter().try_for_each(|line| writeln!(f, "-   {line}"))?;
        self.after.iter().try_for_each(|line| writeln!(f, "+   {line}"))?;
        writeln!(f, "    {}", self.reason)
    }
}

pub(super) fn count(changes: &[Break]) -> String {
    match changes.len() {
        1 => "1 change breaks".to_owned(),
        many => format!("{many} changes break"),
    }
}

pub(super) fn breaks(kept: &Surface, now: &Surface) -> Vec<Break> {
    let mut found = Vec::new();
    for old in &kept.tasks {
        let Some(new) = now.reached_by(&old.name) else {
            found.push(Break {
                task: old.heading(),
                before: None,
                after: None,
                reason: "no task has this name; add it to the `aliases` of the task that took over (or is its crate not \
                         linked? `use your_tasks as _;`)",
            });
            continue;
        };
        for alias in old.aliases.iter().filter(|alias| now.reached_by(alias).is_none_or(|task| task.name != new.name)) {
            found.push(Break {
                task: old.heading(),
                before: Some(format!("alias {alias}")),
                after: None,
                reason: "messages under this name no longer find the task; keep the alias",
            });
        }
        parameter_breaks(old, new, &mut found);
    }
    found
}

fn parameter_breaks(old: &LockedTask, new: &LockedTask, found: &mut Vec<Break>) {
    let mut note = |before: Option<&LockedParameter>, after: Option<&LockedParameter>, reason| {
        let line = |parameter: Option<&LockedParameter>| parameter.map(ToString::to_string);
        found.push(Break { task: old.heading(), before: line(before), after: line(after), reason });
    };
    for (index, before) in old.parameters.iter().enumerate() {
        let after = new.parameters.iter().find(|after| after.name == before.name);
        match after {
            None => note(
                Some(before),
                None,
                "older messages carry it and would be refused; keep the parameter, it may be unused",
            ),
            Some(after) if after.ty != before.ty => note(
                Some(before),
                Some(after),
                "older messages carry the old type; keep it, and take the new one in a new parameter with a default",
            ),
            Some(after) if before.default.is_some() && after.default.is_none() => {
                note(Some(before), Some(after), "older messages may lack it; keep the default");
            }
            Some(after) => {
                let there = new.parameters.get(index);
                if old.positional && there != Some(after) {
                    note(Some(before), there, "arguments go by position; keep the order, and add new ones at the end");
                }
            }
        }
    }
    for after in &new.parameters {
        if after.default.is_none() && old.parameters.iter().all(|before| before.name != after.name) {
            note(None, Some(after), "older messages lack it; give it a `#[default]`");
        }
    }
}
