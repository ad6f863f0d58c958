//! The lock file: a change of a task that older messages don't survive fails a test.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::lock_breaks::{Break, breaks, count};
use super::lock_file::Surface;
use crate::registry::{Registry, RegistryError, registry};

/// Compares the tasks linked into this test with those in a lock file, and panics if a message that may still be in a
/// queue would no longer be understood: a name is gone without an alias, a parameter is gone, is new without a default
/// or has another type.
///
/// Changes that older messages survive are written into the file, which is kept in version control; where the variable
/// `CI` is set they fail the test too, so that committing them is not forgotten. The path is relative to the package's
/// folder. Link the crates whose tasks are meant: `use your_tasks as _;`.
///
/// Types are compared as they are written, so another spelling of the same type is a change, and a change inside a
/// struct is none. The order of parameters counts for `positional` tasks; others are sent by name. A comment of yours in
/// the file is lost with the next change.
///
/// ```no_run
/// // In a test, `messages_in_queues_are_still_understood`:
/// airlock::testing::assert_task_lock("tasks.lock");
/// ```
///
/// A break on purpose is written down with `AIRLOCK_LOCK=overwrite cargo test`.
///
/// # Panics
/// As said above, and if the file can't be read or written, or was not there (it is written then).
#[track_caller]
pub fn assert_task_lock(path: impl AsRef<Path>) {
    if let Err(error) = TaskLock::at(path).check(registry()) {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        panic!("{error}{cause}");
    }
}

/// A lock file, and what may be done to it: [`assert_task_lock`] in its parts.
#[derive(Debug, Clone)]
pub struct TaskLock {
    path: PathBuf,
    /// Or what `AIRLOCK_LOCK` says and isn't known.
    mode: Result<LockMode, String>,
}

/// What a check may write into a lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockMode {
    /// Changes that older messages survive.
    Update,
    /// Nothing: any difference is an error.
    Frozen,
    /// Everything.
    Overwrite,
}

impl TaskLock {
    /// The file at this path. The variable `AIRLOCK_LOCK` says what may be done to it: `overwrite`, `update` or `frozen`;
    /// unless it is set, the file is frozen where `CI` is set (and not `false` or `0`), and updated elsewhere.
    #[must_use]
    pub fn at(path: impl AsRef<Path>) -> Self {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let continuous = set("CI").is_some_and(|value| value != "false" && value != "0");
        let mode = match set("AIRLOCK_LOCK").as_deref() {
            Some("overwrite") => Ok(LockMode::Overwrite),
            Some("update") => Ok(LockMode::Update),
            Some("frozen") => Ok(LockMode::Frozen),
            Some(other) => Err(other.to_owned()),
            None if continuous => Ok(LockMode::Frozen),
            None => Ok(LockMode::Update),
        };
        Self { path: path.as_ref().to_owned(), mode }
    }

    /// What may be done to the file, whatever the variables say.
    #[must_use]
    pub fn mode(mut self, mode: LockMode) -> Self {
        self.mode = Ok(mode);
        self
    }

    /// Compares the file with a registry, and brings it up to date as far as the mode allows.
    ///
    /// # Errors
    /// See [`TaskLockError`].
    pub fn check(&self, registry: &Registry) -> Result<(), TaskLockError> {
        let file = |source| TaskLockError::File { path: self.path.clone(), source };
        let mode = self.mode.clone().map_err(|value| TaskLockError::Mode { value })?;
        registry.check().map_err(TaskLockError::Registry)?;
        let now = Surface::of(registry);
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text.replace("\r\n", "\n"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (path, written) = (self.path.clone(), mode != LockMode::Frozen);
                if written {
                    fs::write(&self.path, now.to_string()).map_err(file)?;
                }
                return if mode == LockMode::Overwrite {
                    Ok(())
                } else {
                    Err(TaskLockError::Missing { path, written })
                };
            }
            Err(error) => return Err(file(error)),
        };
        if text == now.to_string() {
            return Ok(());
        }
        if mode != LockMode::Overwrite {
            let kept =
                Surface::parse(&text).map_err(|line| TaskLockError::Unreadable { path: self.path.clone(), line })?;
            if kept.is_written_as(&now) {
                return Ok(());
            }
            let changes = breaks(&kept, &now);
            if !changes.is_empty() {
                return Err(TaskLockError::Breaking { path: self.path.clone(), changes });
            }
            if mode == LockMode::Frozen {
                return Err(TaskLockError::Stale { path: self.path.clone(), lines: new_lines(&kept, &now) });
            }
        }
        fs::write(&self.path, now.to_string()).map_err(file)
    }
}

/// Why a lock file and the tasks of a program don't agree.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskLockError {
    /// Messages that may still be in a queue would no longer be understood. The text is a diff.
    #[error(
        "{} messages that may still be in a queue:\n{}\n\
         undo this; or, if no such message can be left, write it into {} with `AIRLOCK_LOCK=overwrite`",
        count(changes), changes.iter().map(Break::to_string).collect::<String>(), path.display()
    )]
    Breaking {
        /// The lock file.
        path: PathBuf,
        /// The changes, in the order of the file.
        changes: Vec<Break>,
    },
    /// Older messages survive the changes, but the file may not be written here.
    #[error("{} lacks these lines; run the test where `CI` is not set, and commit the file:\n{lines}", path.display())]
    Stale {
        /// The lock file.
        path: PathBuf,
        /// The lines that differ.
        lines: String,
    },
    /// There was no lock file.
    #[error("{} was missing{}", path.display(), if *written { "; it is written now: read it and commit it" } else { "; run the test where `CI` is not set, and commit it" })]
    Missing {
        /// The lock file.
        path: PathBuf,
        /// Whether it is there now.
        written: bool,
    },
    /// The file is none that this helper wrote.
    #[error("{}:{line}: this line is no part of a lock file; restore the file, or write it anew with `AIRLOCK_LOCK=overwrite`", path.display())]
    Unreadable {
        /// The lock file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The variable `AIRLOCK_LOCK` has a value that means nothing.
    #[error("AIRLOCK_LOCK is `{value}`; set it to `overwrite`, `update` or `frozen`, or unset it")]
    Mode {
        /// The value.
        value: String,
    },
    /// The file can't be read or written.
    #[error("{} can't be read or written", path.display())]
    File {
        /// The lock file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Two tasks share a name.
    #[error(transparent)]
    Registry(RegistryError),
}

/// What the file would gain or lose, line by line, below the name of its task.
fn new_lines(kept: &Surface, now: &Surface) -> String {
    let mut lines = String::new();
    for new in now.written() {
        let (before, after) =
            (kept.tasks.iter().find(|old| old.name == new.name).map(ToString::to_string), new.to_string());
        let before = before.unwrap_or_default();
        if before == after {
            continue;
        }
        let (mut old, mut new) = (before.lines().peekable(), after.lines().peekable());
        // Both in one order, but for what is there once only: what is left is reported as gone, then as new.
        while old.peek().is_some() || new.peek().is_some() {
            match (old.peek(), new.peek()) {
                (Some(line), Some(same)) if line == same => {
                    lines += &format!("  {line}\n");
                    old.next();
                    new.next();
                }
                (Some(line), _) if !after.lines().any(|other| other == *line) => {
                    lines += &format!("- {line}\n");
                    old.next();
                }
                (_, Some(line)) => {
                    lines += &format!("+ {line}\n");
                    new.next();
                }
                (Some(line), None) => {
                    lines += &format!("- {line}\n");
                    old.next();
                }
                (None, None) => {}
            }
        }
    }
    for old in kept.tasks.iter().filter(|old| now.written().all(|new| new.name != old.name)) {
        lines += &format!("- {}\n", old.heading());
    }
    lines
}
