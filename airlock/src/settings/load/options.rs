//! The options of executors, read from their tables. A value that would be a panic in code is reported like any other mistake.

use std::fmt::Display;
use std::time::Duration;

use zeroize::Zeroizing;

use super::file::Value;
use super::table::{Reported, SettingsTable};
use super::value::Setting;
use crate::executors::OptionReader;
use crate::options::MAX_PRIORITY;
use crate::settings::load::Secret;

impl OptionReader for SettingsTable<'_> {
    type Error = Reported;
    type Url = Zeroizing<String>;

    fn text(&mut self, key: &str) -> Result<Option<String>, Reported> {
        self.optional(key)
    }

    fn filled_text(&mut self, key: &str) -> Result<Option<String>, Reported> {
        Ok(self.optional::<Filled>(key)?.map(|Filled(text)| text))
    }

    fn bool(&mut self, key: &str) -> Result<Option<bool>, Reported> {
        self.optional(key)
    }

    fn flag(&mut self, key: &str) -> Result<Option<()>, Reported> {
        Ok(self.optional::<bool>(key)?.filter(|is_on| *is_on).map(drop))
    }

    fn small_number(&mut self, key: &str) -> Result<Option<u8>, Reported> {
        self.optional(key)
    }

    fn small_numbers(&mut self, key: &str) -> Result<Option<Vec<u8>>, Reported> {
        self.optional(key)
    }

    fn priority(&mut self, key: &str) -> Result<Option<u8>, Reported> {
        Ok(self.optional::<Priority>(key)?.map(|Priority(priority)| priority))
    }

    fn bytes(&mut self, key: &str) -> Result<Option<usize>, Reported> {
        self.optional(key)
    }

    fn count(&mut self, key: &str) -> Result<Option<usize>, Reported> {
        Ok(self.optional::<u32>(key)?.map(|count| count as usize))
    }

    fn positive_count(&mut self, key: &str) -> Result<Option<usize>, Reported> {
        match self.count(key)? {
            Some(0) => Err(self.refuse(key, "with 0 nothing would run; use 1 or more")),
            count => Ok(count),
        }
    }

    fn duration(&mut self, key: &str) -> Result<Option<Duration>, Reported> {
        self.optional(key)
    }

    fn secret_key(&mut self, key: &str) -> Result<Option<crate::SecretKey>, Reported> {
        self.optional(key)
    }

    fn needed_secret_key(&mut self, key: &str) -> Result<crate::SecretKey, Reported> {
        self.required(key)
    }

    fn url(&mut self) -> Result<Zeroizing<String>, Reported> {
        Ok(self.required::<Secret>("url")?.into_text())
    }

    fn refuse_url(&mut self, reason: impl Display) -> Reported {
        self.refuse("url", reason)
    }
}

/// A priority.
struct Priority(u8);

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
struct Filled(String);

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
