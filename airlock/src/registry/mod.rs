//! Every task of the program, by name.

mod decode;
mod error;
mod event;
mod listing;
mod python;

use std::collections::HashMap;
use std::panic::Location;
use std::sync::OnceLock;
use std::{fmt, iter, mem, ptr};

use crate::intent::{Intent, Message};
use crate::task::args::Arguments;
use crate::task::{Task, TaskDefinition, TaskKind};

pub use error::RegistryError;
pub use event::{invoke_event, invoke_event_async};
pub use listing::Listing;

// What an expansion of `#[task]` submits. Without a type around it: that would cost the compiler a constructor a task.
inventory::collect!(&'static TaskDefinition);

/// The tasks linked into this program, by name.
///
/// A crate that is only listed in `Cargo.toml` is not linked: write `use your_tasks as _;` where the program starts.
///
/// ```standalone_crate
/// #[airlock::task(name = "mail.send")]
/// fn send_email(order_id: u64) -> Result<(), String> {
///     if order_id == 0 { Err("there is no order 0".to_owned()) } else { Ok(()) }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// assert!(airlock::registry().get("mail.send").is_some());
/// airlock::registry().invoke("mail.send", serde_json::from_str("[42]")?)?;
/// # Ok(()) }
/// ```
#[must_use]
pub fn registry() -> &'static Registry {
    static LINKED: OnceLock<Registry> = OnceLock::new();
    LINKED.get_or_init(|| Registry::of(inventory::iter::<&'static TaskDefinition>.into_iter().copied()))
}

/// The names and aliases of the tasks that this program has a body for, as JSON: what a worker asks for.
pub(crate) fn runnable_names() -> String {
    names_of(|task| task.kind != TaskKind::Elsewhere)
}

/// Those of all tasks, also of those whose body is elsewhere: what a relay asks for.
pub(crate) fn known_names() -> String {
    names_of(|_| true)
}

/// The names and aliases of some tasks, as JSON.
pub(crate) fn names_of(is_meant: impl Fn(&TaskDefinition) -> bool) -> String {
    let registry = registry();
    let names =
        registry.iter().filter(|task| is_meant(task)).flat_map(|task| iter::once(&task.name).chain(task.aliases));
    let names: Vec<_> = names.filter(|name| registry.get(name).is_some()).collect();
    serde_json::to_string(&names).unwrap_or_default()
}

/// Tasks by name: those of the program ([`registry()`]), or an explicit list.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::Registry;
///
/// let few = Registry::new().with::<send_email>();
/// assert_eq!(few.iter().count(), 1);
/// ```
#[derive(Default)]
pub struct Registry {
    /// Each once, as they came.
    tasks: Vec<&'static TaskDefinition>,
    /// By name, once somebody asks: programs start faster than they can sort.
    sorted: OnceLock<Vec<&'static TaskDefinition>>,
    names: HashMap<&'static str, NamedTask>,
}

enum NamedTask {
    One(&'static TaskDefinition),
    Many(Vec<&'static TaskDefinition>),
}

impl Registry {
    /// An empty registry, to be filled with [`with`](Self::with).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task. A task that is there already is added once.
    #[must_use]
    pub fn with<T: Task>(mut self) -> Self {
        self.add(T::definition());
        self
    }

    fn of(tasks: impl Iterator<Item = &'static TaskDefinition>) -> Self {
        let tasks: Vec<_> = tasks.collect();
        let mut registry = Self::new();
        registry.names.reserve(tasks.len());
        tasks.into_iter().for_each(|task| registry.add(task));
        registry
    }

    fn add(&mut self, task: &'static TaskDefinition) {
        if self.names.get(task.name).is_some_and(|named| named.has(task)) {
            return;
        }
        for &name in iter::once(&task.name).chain(task.aliases) {
            self.names.entry(name).and_modify(|named| named.add(task)).or_insert(NamedTask::One(task));
        }
        self.tasks.push(task);
        self.sorted = OnceLock::new();
    }

    /// The task of this name or alias. `None` if there is none, or more than one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static TaskDefinition> {
        match self.names.get(name)? {
            NamedTask::One(task) => Some(task),
            NamedTask::Many(_) => None,
        }
    }

    /// Like [`get`](Self::get), but says what is wrong.
    ///
    /// # Errors
    /// There is no task of this name, or more than one.
    pub fn find(&self, name: &str) -> Result<&'static TaskDefinition, RegistryError> {
        match self.names.get(name) {
            Some(NamedTask::One(task)) => Ok(task),
            Some(NamedTask::Many(tasks)) => {
                Err(RegistryError::Duplicate { name: name.to_owned(), tasks: tasks.clone() })
            }
            None => Err(RegistryError::unknown(name, self.names.keys().copied())),
        }
    }

    /// All tasks, sorted by name; tasks that share a name are all there.
    pub fn iter(&self) -> impl Iterator<Item = &'static TaskDefinition> {
        let sorted = || {
            let mut tasks = self.tasks.clone();
            tasks.sort_unstable_by_key(by_name_and_place);
            tasks
        };
        self.sorted.get_or_init(sorted).iter().copied()
    }

    /// Whether every name and alias belongs to one task. Programs call it as they start, tests once.
    ///
    /// # Errors
    /// Two tasks share a name or alias: the error names both functions with file and line.
    pub fn check(&self) -> Result<(), RegistryError> {
        let mut shared: Vec<_> = self.names.iter().filter(|(_, named)| matches!(named, NamedTask::Many(_))).collect();
        shared.sort_unstable_by_key(|(name, _)| **name);
        shared.first().map_or(Ok(()), |(name, _)| self.find(name).map(drop))
    }

    /// Whether all these tasks are linked. Programs call it as they start.
    ///
    /// # Errors
    /// The first name that no task has, or more than one.
    pub fn require<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), RegistryError> {
        names.into_iter().try_for_each(|name| self.find(name).map(drop))
    }

    /// An intent from a name and untyped arguments; enqueue it with [`Scope::push`](crate::Scope::push).
    ///
    /// # Errors
    /// There is no such task, or the arguments don't fit.
    #[track_caller]
    pub fn intent(&self, name: &str, arguments: Arguments) -> Result<Intent, RegistryError> {
        let task = self.find(name)?;
        task.decode(None, arguments, None, Location::caller())
            .map_err(|error| RegistryError::Arguments { task: task.name, error })
    }

    /// Runs a task by name, here and now: what a worker does with a message. Arguments may be positional, named or
    /// mixed: positional first, then named, like a call.
    ///
    /// # Errors
    /// There is no such task, the arguments don't fit, it is an `async fn` or has no body here, or it failed.
    #[track_caller]
    pub fn invoke(&self, name: &str, arguments: Arguments) -> Result<(), RegistryError> {
        run(self.intent(name, arguments)?, "invoke_async")
    }

    /// Like [`invoke`](Self::invoke), for `async` tasks as well as others.
    ///
    /// # Errors
    /// There is no such task, the arguments don't fit, it has no body here, or it failed.
    pub async fn invoke_async(&self, name: &str, arguments: Arguments) -> Result<(), RegistryError> {
        run_async(self.intent(name, arguments)?).await
    }

    /// Reads what [`Intent`]'s `Serialize` wrote: same task, same arguments, same options, same id.
    ///
    /// # Errors
    /// It is no such message, there is no such task, or the arguments don't fit.
    #[track_caller]
    pub fn decode(&self, message: &str) -> Result<Intent, RegistryError> {
        let message = Message::parse(message).map_err(|fault| RegistryError::Message { fault })?;
        let task = self.find(&message.task)?;
        task.decode(Some(message.id), message.arguments, message.options, Location::caller())
            .map_err(|error| RegistryError::Arguments { task: task.name, error })
    }
}

/// Here and now, unless it takes what is named `instead`.
fn run(intent: Intent, instead: &str) -> Result<(), RegistryError> {
    let task = intent.task();
    if task.kind == TaskKind::Async {
        let reason = format!("it is an async task; use `{instead}`");
        return Err(RegistryError::NotRunnable { task: task.name, reason });
    }
    intent.call().map_err(|error| RegistryError::of_call(task.name, error))
}

async fn run_async(intent: Intent) -> Result<(), RegistryError> {
    let task = intent.name();
    intent.call_async().await.map_err(|error| RegistryError::of_call(task, error))
}

impl NamedTask {
    fn has(&self, task: &TaskDefinition) -> bool {
        match self {
            Self::One(first) => ptr::eq(*first, task),
            Self::Many(tasks) => tasks.iter().any(|known| ptr::eq(*known, task)),
        }
    }

    fn add(&mut self, task: &'static TaskDefinition) {
        let mut tasks = match self {
            Self::One(first) => vec![*first],
            Self::Many(tasks) => mem::take(tasks),
        };
        tasks.push(task);
        // So that they are listed in the same order whatever order the linker chose.
        tasks.sort_unstable_by_key(by_name_and_place);
        *self = Self::Many(tasks);
    }
}

fn by_name_and_place(task: &&'static TaskDefinition) -> (&'static str, &'static str, u32) {
    (task.name, task.file, task.line)
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|task| task.name)).finish()
    }
}
