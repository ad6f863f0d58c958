//! The registry as people and their tools read it.

use std::fmt;
use std::time::Duration;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::Registry;
use crate::intent::OptionsForm;
use crate::options::{Options, When};
use crate::task::{Parameter, TaskDefinition, TaskKind};

/// Every task of a registry, sorted by name: prints as text, and serialises into a stable shape. See
/// [`Registry::listing`].
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a>(&'a Registry);

impl Registry {
    /// A listing of all tasks: for an operator's `--list-tasks`, or for a tool that reads it as JSON.
    ///
    /// ```
    /// #[airlock::task(name = "shop.send", aliases = ["send"], queue = "mail", delay = "5m")]
    /// fn send_email(order_id: u64, #[default = false] express: bool) {
    ///     let _ = (order_id, express);
    /// }
    ///
    /// let registry = airlock::Registry::new().with::<send_email>();
    /// let text = registry.listing().to_string();
    /// assert!(text.starts_with("shop.send(order_id: u64, express: bool = false)\n"), "{text}");
    ///
    /// let json = serde_json::to_value(registry.listing())?;
    /// assert_eq!(json["tasks"][0]["options"]["delay_ms"], 300_000);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// The JSON is one object, `{"tasks": [..]}`. Each task has these keys, and later versions may add others:
    ///
    /// | key | value |
    /// | --- | --- |
    /// | `name` | the name on every wire |
    /// | `aliases` | older names, a list |
    /// | `kind` | `"sync"`, `"async"` or `"elsewhere"` (no body here) |
    /// | `parameters` | a list of `{"name", "type", "default", "redacted"}`; `default` is the expression as written, or null |
    /// | `state` | a list of `{"name", "type"}` |
    /// | `options` | as in a serialised intent: `queue`, `priority`, `max_retries`, `delay_ms`, `expires_in_ms`, `timeout_ms` |
    /// | `local`, `positional` | whether the attribute says so |
    /// | `module`, `file`, `line` | where the function is |
    #[must_use]
    pub fn listing(&self) -> Listing<'_> {
        Listing(self)
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for task in self.0.iter() {
            let asynchronous = if task.kind == TaskKind::Async { "async " } else { "" };
            writeln!(f, "{asynchronous}{}({})", task.name, parameters(task))?;
            if !task.aliases.is_empty() {
                writeln!(f, "    also {}", task.aliases.join(", "))?;
            }
            let options = options(task);
            if !options.is_empty() {
                writeln!(f, "    {options}")?;
            }
            writeln!(f, "    {}:{} in {}", task.file, task.line, task.module_path)?;
        }
        Ok(())
    }
}

fn parameters(task: &TaskDefinition) -> String {
    let carried = task.parameters.iter().map(|parameter| {
        // A string in an expression may run over lines.
        let default = parameter.default.map(|default| format!(" = {}", default.replace('\n', "\\n")));
        let redacted = if parameter.redacted { "#[redact] " } else { "" };
        format!("{redacted}{}: {}{}", parameter.name, parameter.type_name, default.unwrap_or_default())
    });
    let state = task.state.iter().map(|state| format!("#[state] {state}"));
    carried.chain(state).collect::<Vec<_>>().join(", ")
}

fn options(task: &TaskDefinition) -> String {
    let options: &Options = task.options;
    let duration = |name: &str, duration: Option<Duration>| duration.map(|duration| format!("{name} {duration:?}"));
    let counted = |when: Option<When>| match when {
        Some(When::In(duration)) => Some(duration),
        _ => None,
    };
    [
        (task.kind == TaskKind::Elsewhere).then(|| "runs elsewhere".to_owned()),
        task.local.then(|| "local".to_owned()),
        task.positional.then(|| "positional".to_owned()),
        options.get_queue().map(|queue| format!("queue {queue}")),
        options.get_priority().map(|priority| format!("priority {priority}")),
        options.get_max_retries().map(|retries| format!("max retries {retries}")),
        duration("delay", counted(options.get_start())),
        duration("expires", counted(options.get_expiry())),
        duration("timeout", options.get_timeout()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}

impl Serialize for Listing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("tasks", &List(|| self.0.iter().map(ListedTask)))?;
        map.end()
    }
}

/// A sequence that is made when it is written.
struct List<F>(F);

impl<I, F> Serialize for List<F>
where
    I: Iterator<Item: Serialize>,
    F: Fn() -> I,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        (self.0)().try_for_each(|item| seq.serialize_element(&item))?;
        seq.end()
    }
}

struct ListedTask(&'static TaskDefinition);

impl Serialize for ListedTask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let task = self.0;
        let kind = match task.kind {
            TaskKind::Sync => "sync",
            TaskKind::Async => "async",
            TaskKind::Elsewhere => "elsewhere",
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", task.name)?;
        map.serialize_entry("aliases", task.aliases)?;
        map.serialize_entry("kind", kind)?;
        map.serialize_entry("parameters", &List(|| task.parameters.iter().map(ListedParameter)))?;
        let state = || task.state.iter().map(|state| ListedState { name: state.name, ty: state.type_name });
        map.serialize_entry("state", &List(state))?;
        map.serialize_entry("options", &OptionsForm(task.options))?;
        map.serialize_entry("local", &task.local)?;
        map.serialize_entry("positional", &task.positional)?;
        map.serialize_entry("module", task.module_path)?;
        map.serialize_entry("file", task.file)?;
        map.serialize_entry("line", &task.line)?;
        map.end()
    }
}

struct ListedParameter(&'static Parameter);

impl Serialize for ListedParameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("name", self.0.name)?;
        map.serialize_entry("type", self.0.type_name)?;
        map.serialize_entry("default", &self.0.default)?;
        map.serialize_entry("redacted", &self.0.redacted)?;
        map.end()
    }
}

struct ListedState {
    name: &'static str,
    ty: &'static str,
}

impl Serialize for ListedState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("type", self.ty)?;
        map.end()
    }
}
