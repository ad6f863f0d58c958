//! Environment variables: which there are, and which were asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;

use zeroize::Zeroize;

use super::error::SettingsProblem;
use crate::settings::source::Source;
use crate::text::redact::redact_text;

const PREFIX: &str = "AIRLOCK_";

/// Names the settings file.
pub(super) const CONFIG: &str = "AIRLOCK_CONFIG";

/// The test kit's word for what may be done to a lock file of tasks; no setting.
const LOCK: &str = "AIRLOCK_LOCK";

/// The variables that begin with `AIRLOCK_`. One that is empty counts as not set.
pub(super) struct Variables {
    values: BTreeMap<String, OsString>,
    /// The names that mean something, whether set or not.
    known: RefCell<BTreeSet<String>>,
}

impl Drop for Variables {
    /// There may be passwords and keys among them.
    fn drop(&mut self) {
        for value in self.values.values_mut() {
            std::mem::take(value).into_encoded_bytes().zeroize();
        }
    }
}

impl Variables {
    pub(super) fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let values = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty() && !is_service_link(name))
            .filter(|(name, _)| name != LOCK)
            .collect();
        Self { values, known: RefCell::new(BTreeSet::from([CONFIG.to_owned()])) }
    }

    /// The variable of a key, at the top or in a table.
    pub(super) fn name(table: Option<&str>, key: &str) -> String {
        let upper = |name: &str| name.replace('-', "_").to_ascii_uppercase();
        match table {
            Some(table) => format!("{PREFIX}{}__{}", upper(table), upper(key)),
            None => format!("{PREFIX}{}", upper(key)),
        }
    }

    /// The value, if it is set; an error if it is no text. From now on the name is a known one.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, SettingsProblem> {
        self.known.borrow_mut().insert(name.to_owned());
        let Some(value) = self.values.get(name) else { return Ok(None) };
        value
            .to_str()
            .map(Some)
            .ok_or_else(|| SettingsProblem::new(Self::place(name), "its value is not UTF-8; write it anew"))
    }

    /// The value, whatever it is made of.
    pub(super) fn get_os(&self, name: &str) -> Option<&OsString> {
        self.values.get(name)
    }

    pub(super) fn place(name: &str) -> Source {
        Source::Variable(Arc::from(&*redact_text(name)))
    }

    /// The variables that no table asked for.
    pub(super) fn unknown(&self) -> Vec<&str> {
        let known = self.known.borrow();
        self.values.keys().filter(|name| !known.contains(*name)).map(String::as_str).collect()
    }

    pub(super) fn known(&self) -> Vec<String> {
        self.known.borrow().iter().cloned().collect()
    }

    /// The table and the key a variable of a table names, in lower case.
    pub(super) fn table_of(name: &str) -> Option<String> {
        let (table, _) = name.strip_prefix(PREFIX)?.split_once("__")?;
        Some(table.to_ascii_lowercase())
    }
}

/// Whether a cluster sets it in every pod beside a service called `airlock`: `AIRLOCK_SERVICE_HOST`,
/// `AIRLOCK_SERVICE_PORT`, `AIRLOCK_SERVICE_PORT_HTTP`, `AIRLOCK_PORT`, `AIRLOCK_PORT_80_TCP` and
/// `AIRLOCK_PORT_80_TCP_ADDR`, `…_PORT`, `…_PROTO`. Kubernetes wrote them, so they are no mistakes.
fn is_service_link(name: &str) -> bool {
    let Some(name) = name.strip_prefix(PREFIX) else { return false };
    if matches!(name, "SERVICE_HOST" | "SERVICE_PORT" | "PORT") {
        return true;
    }
    if let Some(port) = name.strip_prefix("SERVICE_PORT_") {
        // `__` parts the table of a setting from its key.
        return !port.is_empty() && !port.starts_with('_') && !port.contains("__");
    }
    let Some(port) = name.strip_prefix("PORT_") else { return false };
    let parts: Vec<_> = port.split('_').collect();
    let [number, protocol, rest @ ..] = &*parts else { return false };
    number.parse::<u16>().is_ok()
        && matches!(*protocol, "TCP" | "UDP" | "SCTP")
        && matches!(rest, [] | ["ADDR" | "PORT" | "PROTO"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_a_service_called_airlock_are_no_settings_and_what_is_like_them_is() {
        let links = [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_HTTP",
            "SERVICE_PORT_HTTP_2",
            "PORT",
            "PORT_80_TCP",
            "PORT_80_TCP_ADDR",
            "PORT_53_UDP_PORT",
            "PORT_9_SCTP_PROTO",
        ];
        assert!(links.iter().all(|name| is_service_link(&format!("AIRLOCK_{name}"))));
        let others = [
            "SERVICE",
            "SERVICE_HOSTS",
            "SERVICE_PORT_",
            "SERVICE_PORT__X",
            "SERVICE__HOST",
            "PORT_",
            "PORT_X_TCP",
            "PORT_80",
            "PORT_80_TCP_NAME",
            "PORT_80_TCP_ADDR_X",
            "PORTS",
            "EXECUTOR",
        ];
        assert!(!others.iter().any(|name| is_service_link(&format!("AIRLOCK_{name}"))));
    }
}
