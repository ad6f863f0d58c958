//! What is in force, for people.

use std::fmt;

use super::Settings;
use super::source::{Shown, Source, Sourced};
use crate::executors::OnFailure;
use crate::text::redact::redact_text;

struct Row<'a> {
    key: String,
    value: String,
    source: &'a Source,
}

impl<'a> Row<'a> {
    fn new<T>(key: &str, value: impl Into<String>, slot: &'a Sourced<T>) -> Self {
        let value = slot.name.as_ref().map_or_else(|| value.into(), |name| name.clone().into_owned());
        let value = redact_text(&value).into_owned();
        Self { key: key.to_owned(), value, source: &slot.source }
    }

    fn option(shown: &'a Shown) -> Self {
        Self { key: format!("  {}", shown.key), value: shown.value.clone(), source: &shown.source }
    }
}

impl fmt::Display for Settings {
    /// One line a setting: its name, what is in force, and where that comes from: the default, a line of code, a line
    /// of a file, or a variable. Options of an executor or policy follow it, secrets as `***` and URLs without their
    /// password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = rows(self);
        let keys = rows.iter().map(|row| row.key.chars().count()).max().unwrap_or(0);
        let values = rows.iter().map(|row| row.value.chars().count()).max().unwrap_or(0);
        for (index, Row { key, value, source }) in rows.iter().enumerate() {
            let end = if index + 1 == rows.len() { "" } else { "\n" };
            write!(f, "{key:keys$}  {value:values$}  {source}{end}")?;
        }
        Ok(())
    }
}

fn rows(settings: &Settings) -> Vec<Row<'_>> {
    let on_failure = match settings.on_failure.value {
        OnFailure::Continue => "continue",
        OnFailure::FailFast => "fail_fast",
    };
    let deadline = settings.deadline.value.map_or_else(|| "none".to_owned(), |deadline| format!("{deadline:?}"));
    let on_lost = if settings.on_lost.value.is_some() { "a closure" } else { "none" };
    let mut rows = vec![Row::new("executor", settings.executor.value.name(), &settings.executor)];
    rows.extend(settings.executor.options.iter().map(Row::option));
    rows.push(Row::new("policy", settings.policy.value.name(), &settings.policy));
    rows.extend(settings.policy.options.iter().map(Row::option));
    rows.push(Row::new("lifecycle", "a lifecycle", &settings.lifecycle));
    rows.extend(settings.lifecycle.options.iter().map(Row::option));
    rows.push(Row::new("on_failure", on_failure, &settings.on_failure));
    rows.push(Row::new("deadline", deadline, &settings.deadline));
    rows.push(Row::new("timings", settings.timings.value.to_string(), &settings.timings));
    rows.push(Row::new("on_lost", on_lost, &settings.on_lost));
    rows
}
