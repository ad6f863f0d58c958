//! A scope's name and place.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

/// A scope's name and where it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeInfo {
    name: Option<Cow<'static, str>>,
    location: &'static Location<'static>,
}

impl ScopeInfo {
    pub(crate) fn new(name: Option<Cow<'static, str>>, location: &'static Location<'static>) -> Self {
        Self { name, location }
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where it was opened.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl fmt::Display for ScopeInfo {
    /// ``scope `checkout` (src/orders.rs:41:5)``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "scope `{name}` ({})", self.location),
            None => write!(f, "scope ({})", self.location),
        }
    }
}
