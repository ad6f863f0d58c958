//! JSON in one spelling, so that equal values are equal texts.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The same JSON with the keys of all objects in order, as a `HashMap` is written in the order that it has by chance, and
/// without white space. The order of arrays means something, and numbers stay as they are written.
pub(crate) fn canonical(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    write(json.trim(), &mut out);
    out
}

/// The fields of an object in the order of their names, repeated ones too; `None` if it is something else.
pub(crate) fn sorted_fields(json: &str) -> Option<Vec<(String, &RawValue)>> {
    let SortedFields(mut fields) = serde_json::from_str(json).ok()?;
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    Some(fields)
}

fn write(json: &str, out: &mut String) {
    if let Some(fields) = json.starts_with('{').then(|| sorted_fields(json)).flatten() {
        list('{', fields, '}', out, |(name, value), out| {
            text(&name, out);
            out.push(':');
            write(value.get(), out);
        });
    } else if let Some(items) =
        json.starts_with('[').then(|| serde_json::from_str::<Vec<&RawValue>>(json).ok()).flatten()
    {
        list('[', items, ']', out, |item, out| write(item.get(), out));
    } else if let Some(unescaped) = json.contains('\\').then(|| serde_json::from_str::<String>(json).ok()).flatten() {
        text(&unescaped, out);
    } else {
        out.push_str(json);
    }
}

fn list<T>(open: char, items: Vec<T>, close: char, out: &mut String, each: impl Fn(T, &mut String)) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(close);
}

fn text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// The fields of an object, in the order they are written.
struct SortedFields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for SortedFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Object).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_text_and_others_another() {
        for (json, expected) in [
            (r#"{"b":[{"d":1,"c":2}],"a":{}}"#, r#"{"a":{},"b":[{"c":2,"d":1}]}"#),
            (r#" { "b" : [ 1 , 2 ], "a":"x y" } "#, r#"{"a":"x y","b":[1,2]}"#),
            (r#"["\u0061\/","\ud83d\ude00"]"#, r#"["a/","😀"]"#),
            (r#"{"\u0061":1,"a":0}"#, r#"{"a":1,"a":0}"#),
            (r#"["\ud800",{"2":0,"10":0}]"#, r#"["\ud800",{"10":0,"2":0}]"#),
            (
                "[1.0,1,10e1,340282366920938463463374607431768211455]",
                "[1.0,1,10e1,340282366920938463463374607431768211455]",
            ),
            ("[2,1]", "[2,1]"),
            ("{}", "{}"),
            ("[]", "[]"),
        ] {
            assert_eq!(canonical(json), expected, "{json}");
        }
    }
}
