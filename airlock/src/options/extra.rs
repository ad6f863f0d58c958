//! The options that only one system knows.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

/// An option that only one system knows.
#[derive(Clone)]
pub struct Extra {
    pub(super) system: Cow<'static, str>,
    pub(super) key: Cow<'static, str>,
    pub(super) value: Box<RawValue>,
}

impl Extra {
    pub(crate) fn new(system: String, key: String, value: Box<RawValue>) -> Self {
        Self { system: system.into(), key: key.into(), value }
    }

    pub(super) fn is_named_as(&self, other: &Self) -> bool {
        self.system == other.system && self.key == other.key
    }

    /// The system it is meant for; others ignore it.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Its name there.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its value, as JSON.
    #[must_use]
    pub fn value(&self) -> &RawValue {
        &self.value
    }
}

impl fmt::Debug for Extra {
    /// The system and the key; values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.system, self.key)
    }
}
