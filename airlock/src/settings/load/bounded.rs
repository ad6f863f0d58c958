//! Settings of which some values would be a mistake in code: here they are told like any other.

use super::file::Value;
use super::value::Setting;
use crate::options::MAX_PRIORITY;

/// A priority.
pub(super) struct Priority(pub(super) u8);

impl Setting for Priority {
    fn expected() -> String {
        format!("a whole number from 0 to {MAX_PRIORITY}")
    }

    fn example() -> String {
        "5".to_owned()
    }

    fn example_in_file() -> String {
        Self::example()
    }

    fn from_text(text: &str) -> Option<Self> {
        u8::from_text(text).filter(|priority| *priority <= MAX_PRIORITY).map(Self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        u8::from_value(value).filter(|priority| *priority <= MAX_PRIORITY).map(Self)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}

/// Text that isn't empty.
#[cfg(feature = "huey")]
pub(super) struct Filled(pub(super) String);

#[cfg(feature = "huey")]
impl Setting for Filled {
    fn expected() -> String {
        "some text".to_owned()
    }

    fn example() -> String {
        String::example()
    }

    fn from_text(text: &str) -> Option<Self> {
        String::from_text(text).filter(|text| !text.is_empty()).map(Self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).filter(|text| !text.is_empty()).map(Self)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }

    fn texts(&self) -> Vec<&str> {
        self.0.texts()
    }
}
