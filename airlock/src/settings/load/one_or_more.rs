//! A setting that is a name, or a list of them.

use super::file::Value;
use super::value::Setting;

/// A name, or a list of them.
pub(super) struct OneOrMore(pub(super) Vec<String>);

impl Setting for OneOrMore {
    fn expected() -> String {
        "a name or a list of names".to_owned()
    }

    fn example() -> String {
        "drop_all".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Vec::from_text(text).map(Self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(|name| vec![name]).or_else(|| Vec::from_value(value)).map(Self)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}
