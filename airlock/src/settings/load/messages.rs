//! What is said of mistakes in the choice of an executor, policy or lifecycle.

use super::file::{Table, Value};
use super::names::list;

pub(super) fn in_code(name: &str, needs: &str) -> String {
    format!(
        "the executor `{name}` takes {needs}, which settings can't hold; make it in code and give it the name: \
         `airlock::register_executor!(\"{name}\", |settings| …)`"
    )
}

pub(super) fn is_off(name: &str, feature: &str) -> String {
    format!("the executor `{name}` is not compiled in; add the feature `{feature}` of airlock in Cargo.toml")
}

/// What to say of `[airlock]` and of `[airlock.log]`.
pub(super) fn no_heading(table: &Table) -> String {
    let inner: Vec<_> = table.iter().filter(|entry| matches!(entry.value, Value::Table(_))).collect();
    let written = |prefix: &str| list(inner.iter().map(|entry| format!("[{prefix}{}]", entry.key)));
    let mut remedies = Vec::new();
    if inner.len() < table.iter().count() || inner.is_empty() {
        remedies.push("leave the heading out".to_owned());
    }
    if !inner.is_empty() {
        remedies.push(format!("write {} instead of {}", written(""), written("airlock.")));
    }
    format!("the whole file is about airlock, without a table `[airlock]`; {}", remedies.join(", and "))
}

/// An error with its sources, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    let message: Vec<_> = sources.map(ToString::to_string).collect();
    message.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
}
