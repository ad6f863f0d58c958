//! Environment variables: which there are, and which were asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
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
            .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty() && !is_service_link(name, value))
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

/// Whether Kubernetes sets it in every pod beside a service called `airlock` or `airlock-something`: `…_SERVICE_HOST`,
/// `…_SERVICE_PORT`, `…_SERVICE_PORT_HTTP`, `…_PORT`, `…_PORT_80_TCP` and `…_PORT_80_TCP_ADDR`, `…_PORT`, `…_PROTO`, with
/// values of such services. They come with the cluster, so they are no mistakes.
fn is_service_link(name: &str, value: &OsStr) -> bool {
    const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];
    let (Some(name), Some(value)) = (name.strip_prefix("AIRLOCK"), value.to_str()) else { return false };
    // `__` parts the table of a setting from its key.
    if name.contains("__") || name.ends_with('_') {
        return false;
    }
    let is_number = |text: &str| text.parse::<u16>().is_ok();
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    let is_place = |value: &str| value.split_once("://").is_some_and(|(protocol, _)| PROTOCOLS.contains(&protocol));
    // Names of services and of their ports may have such parts themselves.
    if name.ends_with("_SERVICE_HOST") && is_address(value)
        || (name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_")) && is_number(value)
        || name.ends_with("_PORT") && is_place(value)
    {
        return true;
    }
    let mut parts = name.rsplit('_').peekable();
    let holds = match parts.next_if(|part| matches!(*part, "ADDR" | "PORT" | "PROTO")) {
        None => is_place(value),
        Some("ADDR") => is_address(value),
        Some("PORT") => is_number(value),
        Some(_) => PROTOCOLS.contains(&value),
    };
    holds
        && parts.next().is_some_and(|protocol| PROTOCOLS.contains(&&*protocol.to_ascii_lowercase()))
        && parts.next().is_some_and(is_number)
        && parts.next() == Some("PORT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_services_are_no_settings_and_what_is_like_them_is() {
        let is_link = |name: &str, value: &str| is_service_link(name, OsStr::new(value));
        let links = [
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_HOST", "fd00::1"),
            ("SERVICE_PORT", "80"),
            ("SERVICE_PORT_HTTP", "80"),
            ("SERVICE_PORT_HTTP_2", "80"),
            ("PORT", "tcp://10.0.0.1:80"),
            ("PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("PORT_80_TCP_ADDR", "10.0.0.1"),
            ("PORT_53_UDP_PORT", "53"),
            ("PORT_9_SCTP_PROTO", "sctp"),
        ];
        for service in ["", "WEB_", "WEB_PORT_", "WEB_SERVICE_", "80_", "SERVICE_PORT_"] {
            for (name, value) in links {
                let name = format!("AIRLOCK_{service}{name}");
                assert!(is_link(&name, value), "{name}={value}");
            }
        }
        let others = [
            ("SERVICE", "10.0.0.1"),
            ("SERVICE_HOSTS", "10.0.0.1"),
            ("SERVICE_HOST", "me"),
            ("WEB_SERVICE_HOST", "${HOST}"),
            ("SERVICE_PORT_", "80"),
            ("SERVICE_PORT__X", "80"),
            ("SERVICE_PORT", "many"),
            ("SERVICE__HOST", "10.0.0.1"),
            ("WEB__PORT", "tcp://10.0.0.1:80"),
            ("PORT", "80"),
            ("WEB_PORT", "80"),
            ("PORT_", "tcp://10.0.0.1:80"),
            ("PORT_X_TCP", "tcp://10.0.0.1:80"),
            ("PORT_80", "tcp://10.0.0.1:80"),
            ("PORT_80_TCP", "80"),
            ("PORT_80_TCP_NAME", "tcp"),
            ("PORT_80_TCP_ADDR_X", "10.0.0.1"),
            ("PORTS", "80"),
            ("EXECUTOR", "tcp://10.0.0.1:80"),
        ];
        for (name, value) in others {
            assert!(!is_link(&format!("AIRLOCK_{name}"), value), "{name}={value}");
        }
    }
}
