//! The types a setting may have, and how each is written in a file and in a variable.

use std::time::Duration;

use super::file::Value;
use crate::text::redact::redact_url;

/// A type that a setting may have: `String`, `bool`, whole numbers, [`Duration`] (`"90s"`, `"5m"`, `"1h30m"`),
/// [`Secret`](crate::Secret), and a `Vec` of these, which is a list in a file and separated by commas in a variable.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type of settings",
    note = "use `String`, `bool`, a whole number, `std::time::Duration`, `airlock::Secret`, or a `Vec` of these"
)]
pub trait Setting: Sized {
    /// Whether it may stand in a file of its own, named by a variable that ends in `_FILE`.
    #[doc(hidden)]
    const SECRET: bool = false;
    #[doc(hidden)]
    fn expected() -> String;
    /// As it is written in a variable.
    #[doc(hidden)]
    fn example() -> String;
    /// As it is written in a file.
    #[doc(hidden)]
    fn example_in_file() -> String {
        format!("{:?}", Self::example())
    }
    #[doc(hidden)]
    fn from_text(text: &str) -> Option<Self>;
    #[doc(hidden)]
    fn from_value(value: &Value) -> Option<Self>;
    /// As it may be shown.
    #[doc(hidden)]
    fn shown(&self) -> String;
    /// The texts in it, which may have secrets in them.
    #[doc(hidden)]
    fn texts(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl Setting for String {
    fn expected() -> String {
        "a string".to_owned()
    }

    fn example() -> String {
        "…".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.to_string()),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        // Not every password is read as a secret.
        format!("{:?}", redact_url(self))
    }

    fn texts(&self) -> Vec<&str> {
        vec![self]
    }
}

impl Setting for bool {
    fn expected() -> String {
        "`true` or `false`".to_owned()
    }

    fn example() -> String {
        "true".to_owned()
    }

    fn example_in_file() -> String {
        Self::example()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

macro_rules! whole_numbers {
    ($($type:ty)*) => {
        $(impl Setting for $type {
            fn expected() -> String {
                format!("a whole number from {} to {}", Self::MIN, Self::MAX)
            }

            fn example() -> String {
                "10".to_owned()
            }

            fn example_in_file() -> String {
                Self::example()
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Integer(value) => (*value).try_into().ok(),
                    _ => None,
                }
            }

            fn shown(&self) -> String {
                self.to_string()
            }
        })*
    };
}

whole_numbers!(u8 u16 u32 u64 usize i32 i64);

impl Setting for Duration {
    fn expected() -> String {
        "a duration".to_owned()
    }

    fn example() -> String {
        "90s".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        parse_duration(text)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => parse_duration(text),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl<T: Setting> Setting for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn expected() -> String {
        format!("a list, each of it {}", T::expected())
    }

    fn example() -> String {
        format!("{0},{0}", T::example())
    }

    fn example_in_file() -> String {
        format!("[{0}, {0}]", T::example_in_file())
    }

    fn from_text(text: &str) -> Option<Self> {
        let items = || text.split(',').map(str::trim).filter(|item| !item.is_empty());
        // A URL that has commas in its password and stands in the wrong place: a part of it would be taken for a name, and
        // shown. In a list of URLs each has a scheme, or an account.
        let is_account = text.rsplit_once('@').is_some_and(|(account, _)| account.contains(':'));
        let is_one = |sign: &str| items().any(|item| !item.contains(sign));
        if text.contains("://") && is_one("://") || !text.contains("://") && is_account && is_one("@") {
            return T::from_text(text).map(|whole| vec![whole]);
        }
        items().map(T::from_text).collect()
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Array(items) => items.iter().map(T::from_value).collect(),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        format!("[{}]", self.iter().map(T::shown).collect::<Vec<_>>().join(", "))
    }

    fn texts(&self) -> Vec<&str> {
        self.iter().flat_map(T::texts).collect()
    }
}

/// Whole numbers with a unit each, the largest unit first: as in `#[task]`.
fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let (number, unit) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) = unit.split_at(unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len()));
        let (_, factor) = units.find(|(known, _)| *known == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_in_the_attribute() {
        let millis = |text| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("1h30m"), Some(5_400_000));
        assert_eq!(millis("1d2s3ms"), Some(86_402_003));
        assert!(["", "5", "s", "1m1h", "1 s", "1.5s", "-1s", "1s1s"].iter().all(|text| millis(text).is_none()));
    }
}
