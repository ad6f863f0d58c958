//! What an intent is to look like.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use super::json::{Arrays, same};
use super::options;
use super::text::clip;
use crate::encode::{EncodeError, Encoder, Shape};
use crate::intent::Intent;
use crate::options::Options;
use crate::task::args::{ArgumentError, Arguments};
use crate::task::{Parameter, Task, TaskDefinition};
use crate::text::nearest::{hint, nearest};

/// What an intent is to look like: its task, arguments by name, options, and how often there is to be one. The
/// assertion macros write it as `send_email { order_id: 42, .. }`.
///
/// Values are compared as they are encoded, after the expected one went through the type of its parameter: `42` is a
/// `u64` where the parameter is one, and a `"42"` there is reported as none. Keys of maps have no order; a `HashSet` has
/// the order it is encoded in.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::testing::Expected;
///
/// let expected = Expected::of::<send_email>().field("order_id", &42);
/// assert!(expected.matches(&send_email::intent(42)) && !expected.matches(&send_email::intent(43)));
/// ```
pub struct Expected {
    task: &'static TaskDefinition,
    fields: Vec<(String, Result<Box<RawValue>, EncodeError>)>,
    /// Whether parameters that are not named may have any value.
    rest: bool,
    options: Options,
    pub(super) times: Option<usize>,
}

impl fmt::Debug for Expected {
    /// The names: no value, and no option.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Expected")
            .field("task", &self.task.name)
            .field("fields", &fields)
            .field("rest", &self.rest)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// One thing in which an intent is not as expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Expected {
    /// An intent of this task, with any arguments until one is named.
    #[must_use]
    pub fn of<T: Task>() -> Self {
        Self { task: T::definition(), fields: Vec::new(), rest: true, options: Options::new(), times: None }
    }

    /// The value of a parameter, by its name in messages or in the function.
    #[must_use]
    pub fn field<V: Serialize + ?Sized>(mut self, name: &str, value: &V) -> Self {
        // A raw identifier is a parameter of its plain name.
        let name = name.strip_prefix("r#").unwrap_or(name);
        let renamed = self.task.parameters.iter().find(|parameter| parameter.ident == Some(name));
        let name = renamed.map_or(name, |parameter| parameter.name).to_owned();
        self.fields.push((name, Encoder::encode(value)));
        self
    }

    /// Every parameter has to be named; without this, those that are not may have any value.
    #[must_use]
    pub fn exactly(mut self) -> Self {
        self.rest = false;
        self
    }

    /// Options that have to be set to the same; those not set here may be anything.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn option(self, set: impl FnOnce(Options) -> Options) -> Self {
        let options = set(self.options.clone());
        self.options(options)
    }

    /// How often there has to be one; at least once if this is not said.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Whether the intent is as expected.
    #[must_use]
    pub fn matches(&self, intent: &Intent) -> bool {
        self.is_task_of(intent) && self.differences(intent).is_empty()
    }

    pub(super) fn task(&self) -> &'static TaskDefinition {
        self.task
    }

    pub(super) fn is_task_of(&self, intent: &Intent) -> bool {
        std::ptr::eq(intent.task(), self.task())
    }

    fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.task().parameters.iter().find(|parameter| parameter.name == name)
    }

    /// What is wrong with the expectation itself.
    pub(super) fn check(&self) -> Result<(), String> {
        let task = self.task();
        let names = || task.parameters.iter().map(|parameter| parameter.name);
        for (index, (name, value)) in self.fields.iter().enumerate() {
            if self.parameter(name).is_none() {
                let takes: Vec<_> = names().map(|name| format!("`{name}`")).collect();
                let takes = if takes.is_empty() { "none".to_owned() } else { takes.join(", ") };
                let near = hint(&nearest(name, names()));
                let near = if near.is_empty() { ";".to_owned() } else { near };
                return Err(format!("`{}` has no parameter `{name}`{near} it takes {takes}", task.name));
            }
            if self.fields[..index].iter().any(|(other, _)| other == name) {
                return Err(format!("`{name}` of `{}` is named twice; keep one", task.name));
            }
            if let Err(error) = value {
                return Err(format!(
                    "the value expected for `{name}` of `{}` can't be encoded: {}",
                    task.name,
                    error.fault()
                ));
            }
        }
        let unnamed: Vec<_> = names().filter(|name| !self.fields.iter().any(|(named, _)| named == name)).collect();
        if !self.rest && !unnamed.is_empty() {
            let unnamed: Vec<_> = unnamed.iter().map(|name| format!("`{name}`")).collect();
            let unnamed = unnamed.join(" and ");
            return Err(format!("`{}` takes {unnamed} as well; give a value, or end with `..`", task.name));
        }
        self.options
            .check()
            .map_err(|error| format!("the options expected of `{}` contradict themselves: {error}", task.name))
    }

    /// What is wrong with a value: one that its parameter's type doesn't read can be in no intent, so that an assertion
    /// with it would say nothing. Seen by the other values of an intent of the task.
    pub(super) fn check_types(&self, intent: &Intent) -> Result<(), String> {
        let Ok(found) = named(intent) else { return Ok(()) };
        for (name, value) in &self.fields {
            let (Some(parameter), Ok(value)) = (self.parameter(name), value) else { continue };
            if self.typed(intent, &found, name, value).is_err() {
                let value = if parameter.redacted { "***".to_owned() } else { clip(value.get()) };
                let task = self.task().name;
                return Err(format!("`{name}` of `{task}` is a `{}`; {value} is none", parameter.type_name));
            }
        }
        Ok(())
    }

    /// In what an intent of the same task differs.
    pub(super) fn differences(&self, intent: &Intent) -> Vec<Difference> {
        let mut differences = Vec::new();
        match named(intent) {
            Ok(found) => {
                let fields = self.fields.iter().filter_map(|(name, value)| Some((name, value.as_ref().ok()?)));
                differences.extend(fields.filter_map(|(name, value)| self.differs(intent, &found, name, value)));
            }
            Err(fault) => differences.push(Difference {
                what: "the arguments".to_owned(),
                expected: "something that can be encoded".to_owned(),
                found: fault,
            }),
        }
        differences.extend(options::differences(&self.options, intent.options()));
        differences
    }

    fn differs(
        &self,
        intent: &Intent,
        found: &[(String, Box<RawValue>)],
        name: &str,
        value: &RawValue,
    ) -> Option<Difference> {
        let parameter = self.parameter(name)?;
        let actual = &found.iter().find(|(found, _)| found == name)?.1;
        let hide = |text: &str| if parameter.redacted { "***".to_owned() } else { clip(text) };
        let difference = |expected: String| Difference { what: name.to_owned(), expected, found: hide(actual.get()) };
        // What the type doesn't read is reported as a mistake of the assertion; see `check_types`.
        let typed = self.typed(intent, found, name, value);
        let expected = typed.as_ref().map_or_else(|_| value.get(), |typed| typed.get());
        let equal = typed.is_ok() && same(expected, actual.get(), Arrays::Ordered);
        (!equal).then(|| difference(hide(expected)))
    }

    /// The expected value as its parameter's type writes it.
    fn typed(
        &self,
        intent: &Intent,
        found: &[(String, Box<RawValue>)],
        name: &str,
        value: &RawValue,
    ) -> Result<Box<RawValue>, String> {
        let mut arguments = Arguments::new();
        for (other, actual) in found {
            let value = if other == name { value } else { actual };
            arguments = arguments.named(other, value).map_err(|error| error.to_string())?;
        }
        let typed = self.task.decode(None, arguments, None, intent.location());
        let typed = named(&typed.map_err(|error: ArgumentError| error.to_string())?)?;
        typed.into_iter().find(|(other, _)| other == name).map(|(_, value)| value).ok_or_else(String::new)
    }

    /// As in the assertion: `send_email(order_id=42, ..)`.
    pub(super) fn to_text(&self) -> String {
        let mut parts = Vec::new();
        for (name, value) in &self.fields {
            let redacted = self.parameter(name).is_some_and(|parameter| parameter.redacted);
            let value = value.as_ref().map_or_else(|_| "<not encodable>".to_owned(), |value| clip(value.get()));
            parts.push(format!("{name}={}", if redacted { "***" } else { &value }));
        }
        if self.rest && self.fields.len() < self.task().parameters.len() {
            parts.push("..".to_owned());
        }
        format!("{}({}){}", self.task().name, parts.join(", "), options::text_of(&self.options))
    }
}

fn named(intent: &Intent) -> Result<Vec<(String, Box<RawValue>)>, String> {
    let json = intent.json_as(Shape::Object).map_err(|error| error.to_string())?;
    let arguments: Arguments = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    Ok(arguments.into_named().unwrap_or_default())
}
