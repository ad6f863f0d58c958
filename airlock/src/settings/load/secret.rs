//! A setting that is never printed.

use std::fmt;

use zeroize::Zeroizing;

use super::file::Value;
use super::value::Setting;
use crate::text::redact::{HIDDEN, redact_secret};

/// A password, a token, or a URL that may have one in it. Never printed: `Debug` and `Display` give `***`, or the scheme,
/// host and port of the URL, with the path where that names a database or a virtual host. It is wiped from memory when it is dropped.
///
/// ```standalone_crate
/// airlock::register_executor!("webhook", |settings| {
///     let url = settings.required::<airlock::Secret>("url")?;
///     println!("posting to {url}"); // without the password
///     Ok(airlock::executor_fn(move |intent| post(url.expose(), intent.name())))
/// });
/// # fn post(_: &str, _: &str) -> Result<(), String> { Ok(()) }
/// # fn main() {}
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn into_text(self) -> Zeroizing<String> {
        self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact_secret(&self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setting for Secret {
    const SECRET: bool = true;

    fn expected() -> String {
        "a string".to_owned()
    }

    fn example() -> String {
        "…".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned().into()))
    }

    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(|text| Self(text.into()))
    }

    fn shown(&self) -> String {
        self.to_string()
    }

    fn texts(&self) -> Vec<&str> {
        vec![&self.0]
    }
}

impl Setting for crate::SecretKey {
    const SECRET: bool = true;

    fn expected() -> String {
        "some text".to_owned()
    }

    fn example() -> String {
        "…".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }

    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).and_then(|text| Self::new(text).ok())
    }

    fn shown(&self) -> String {
        HIDDEN.to_owned()
    }

    fn texts(&self) -> Vec<&str> {
        std::str::from_utf8(self.bytes()).into_iter().collect()
    }
}
