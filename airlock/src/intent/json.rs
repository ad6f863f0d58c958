//! The JSON form of an intent, with real values, for those who store intents themselves.
//!
//! ```json
//! {
//!   "id": "0a0b0c0d-0102-4304-8506-0708090a0b0c",
//!   "task": "shop.send_email",
//!   "arguments": {"order_id": 42},
//!   "options": {"queue": "mail", "delay_ms": 300000},
//!   "location": "src/orders.rs:12:9"
//! }
//! ```
//!
//! `options` holds what is in force and is left out when nothing is: `queue`, `priority`, `max_retries`, `delay_ms`
//! or `eta_ms`, `expires_in_ms` or `expires_at_ms`, `timeout_ms`, `origin`, `label`, `headers` (an object of strings)
//! and `extra` (an object a system). Durations are whole milliseconds, times milliseconds since 1970 (UTC).
//! `location` is for people and not read back.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Intent, IntentId};
use crate::options::{Extra, Options, When};
use crate::task::args::Arguments;

impl Serialize for Intent {
    /// Writes the form that [`Registry::decode`](crate::Registry::decode) reads, real values included.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let arguments = self.to_json().map_err(S::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id())?;
        map.serialize_entry("task", self.name())?;
        map.serialize_entry("arguments", &arguments)?;
        if !OptionsForm(self.options()).is_empty() {
            map.serialize_entry("options", &OptionsForm(self.options()))?;
        }
        map.serialize_entry("location", &self.location().to_string())?;
        map.end()
    }
}

/// Options as an object, empty if none is set.
pub(crate) struct OptionsForm<'a>(pub(crate) &'a Options);

impl OptionsForm<'_> {
    fn is_empty(&self) -> bool {
        let options = self.0;
        options.get_queue().is_none()
            && options.get_priority().is_none()
            && options.get_max_retries().is_none()
            && options.get_start().is_none()
            && options.get_expiry().is_none()
            && options.get_timeout().is_none()
            && options.get_origin().is_none()
            && options.get_label().is_none()
            && options.get_headers().is_empty()
            && options.get_extras().is_empty()
    }
}

impl Serialize for OptionsForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn entry<M: SerializeMap, T: Serialize>(map: &mut M, key: &str, value: Option<T>) -> Result<(), M::Error> {
            value.map_or(Ok(()), |value| map.serialize_entry(key, &value))
        }
        fn when<M: SerializeMap>(map: &mut M, relative: &str, fixed: &str, when: Option<When>) -> Result<(), M::Error> {
            match when {
                None => Ok(()),
                Some(When::In(duration)) => map.serialize_entry(relative, &milliseconds(duration)),
                Some(When::At(time)) => {
                    map.serialize_entry(fixed, &milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default()))
                }
            }
        }

        let options = self.0;
        let mut map = serializer.serialize_map(None)?;
        entry(&mut map, "queue", options.get_queue())?;
        entry(&mut map, "priority", options.get_priority())?;
        entry(&mut map, "max_retries", options.get_max_retries())?;
        when(&mut map, "delay_ms", "eta_ms", options.get_start())?;
        when(&mut map, "expires_in_ms", "expires_at_ms", options.get_expiry())?;
        entry(&mut map, "timeout_ms", options.get_timeout().map(milliseconds))?;
        entry(&mut map, "origin", options.get_origin())?;
        entry(&mut map, "label", options.get_label())?;
        if !options.get_headers().is_empty() {
            let headers: BTreeMap<_, _> = options.get_headers().iter().map(|(name, value)| (name, value)).collect();
            map.serialize_entry("headers", &headers)?;
        }
        if !options.get_extras().is_empty() {
            let mut systems: BTreeMap<&str, BTreeMap<&str, &RawValue>> = BTreeMap::new();
            for extra in options.get_extras() {
                systems.entry(extra.system()).or_default().insert(extra.key(), extra.value());
            }
            map.serialize_entry("extra", &systems)?;
        }
        map.end()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A message whose task is not looked up yet.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: IntentId,
    pub(crate) task: String,
    pub(crate) arguments: Arguments,
    pub(crate) options: Option<Options>,
}

impl Message {
    /// Reads the form above. The error says which field is wrong and how, never its value.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut id, mut task, mut arguments, mut options) = (None, None, None, None);
        for (key, value) in fields(text, "the message")? {
            match key.as_str() {
                "id" => id = Some(field(&key, &value)?),
                "task" => task = Some(field(&key, &value)?),
                "arguments" => arguments = Some(field(&key, &value)?),
                "options" => options = Some(parse_options(&value)?),
                "location" => {}
                _ => return Err(format!("it has an unknown field `{key}`")),
            }
        }
        let missing = |field: &str| format!("its field `{field}` is missing");
        Ok(Self {
            id: id.ok_or_else(|| missing("id"))?,
            task: task.ok_or_else(|| missing("task"))?,
            arguments: arguments.ok_or_else(|| missing("arguments"))?,
            options,
        })
    }
}

pub(crate) fn fields(text: &str, what: impl Display) -> Result<Vec<(String, Box<RawValue>)>, String> {
    serde_json::from_str::<Arguments>(text)
        .ok()
        .filter(|_| text.trim_start().starts_with('{'))
        .and_then(Arguments::into_named)
        .ok_or_else(|| format!("{what} is not a JSON object"))
}

pub(crate) fn field<T: DeserializeOwned>(key: &str, value: &RawValue) -> Result<T, String> {
    serde_json::from_str(value.get()).map_err(|_| format!("its field `{key}` has another type or shape"))
}

pub(crate) fn parse_options(value: &RawValue) -> Result<Options, String> {
    let duration = |key: &str, value: &RawValue| field(key, value).map(Duration::from_millis);
    let time = |key: &str, value: &RawValue| -> Result<SystemTime, String> {
        let since = duration(key, value)?;
        UNIX_EPOCH.checked_add(since).ok_or_else(|| format!("its field `{key}` is no time"))
    };
    let mut options = Options::new();
    for (key, value) in fields(value.get(), "its field `options`")? {
        options = match key.as_str() {
            "queue" => options.queue(field::<String>(&key, &value)?),
            "priority" => options.priority(field(&key, &value)?),
            "max_retries" => options.max_retries(field(&key, &value)?),
            "delay_ms" => options.delay(duration(&key, &value)?),
            "eta_ms" => options.eta(time(&key, &value)?),
            "expires_in_ms" => options.expires_in(duration(&key, &value)?),
            "expires_at_ms" => options.expires_at(time(&key, &value)?),
            "timeout_ms" => options.timeout(duration(&key, &value)?),
            "origin" => options.origin(field::<String>(&key, &value)?),
            "label" => options.label(field::<String>(&key, &value)?),
            "headers" => {
                let headers: BTreeMap<String, String> = field(&key, &value)?;
                headers.into_iter().fold(options, |options, (name, value)| options.header(name, value))
            }
            "extra" => {
                let systems: BTreeMap<String, BTreeMap<String, Box<RawValue>>> = field(&key, &value)?;
                for (system, entries) in systems {
                    for (name, value) in entries {
                        options.set_extra(Extra::new(system.clone(), name, value));
                    }
                }
                options
            }
            _ => return Err(format!("its options have an unknown field `{key}`")),
        };
    }
    options.check().map_err(|error| format!("its options are wrong: {error}"))?;
    Ok(options)
}
