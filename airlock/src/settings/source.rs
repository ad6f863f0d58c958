//! Where a setting comes from.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// It was not set.
    Default,
    /// A call in the program.
    Code(&'static Location<'static>),
    /// A line of a file.
    File { name: Arc<str>, line: usize },
    /// An environment variable.
    Variable(Arc<str>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Code(location) => location.fmt(f),
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// A setting, and where it comes from.
#[derive(Clone)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
    /// What to print for values that have no name of their own.
    pub(crate) name: Option<Cow<'static, str>>,
    /// What was read to make the value.
    pub(crate) options: Vec<Shown>,
}

/// An option that was read from a table, as it may be shown.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) source: Source,
}

impl<T> Sourced<T> {
    pub(crate) fn default(value: T) -> Self {
        Self { value, source: Source::Default, name: None, options: Vec::new() }
    }

    #[track_caller]
    pub(crate) fn code(value: T) -> Self {
        Self { source: Source::Code(Location::caller()), ..Self::default(value) }
    }

    pub(crate) fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: Some(name.into()), ..self }
    }
}
