//! JSON values compared without loss: integers by their digits, floats by their bits, fields in their order.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exact {
    /// `null`, `true`, `false` or an integer of any size, as written.
    Plain(String),
    /// The bits of a float; one that is written like an integer isn't one.
    Float(u64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(Vec<(String, Self)>),
}

impl Exact {
    /// Reads JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn of(json: &str) -> Self {
        let json = json.trim();
        match json.as_bytes().first() {
            Some(b'{') => {
                let Fields(fields) = serde_json::from_str(json).expect("an object");
                Self::Object(fields.into_iter().map(|(name, value)| (name, Self::of(value.get()))).collect())
            }
            Some(b'[') => {
                let values: Vec<Box<RawValue>> = serde_json::from_str(json).expect("an array");
                Self::List(values.iter().map(|value| Self::of(value.get())).collect())
            }
            Some(b'"') => Self::Text(serde_json::from_str(json).expect("a string")),
            Some(b'-' | b'0'..=b'9') if json.contains(['.', 'e', 'E']) => {
                Self::Float(json.parse::<f64>().expect("a float").to_bits())
            }
            _ => Self::Plain(json.to_owned()),
        }
    }
}

/// The fields of an object, in order, repeated ones too.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
