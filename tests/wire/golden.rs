//! Reading the files, and writing JSON as Python does, so that what is compared is bytes: the order of the fields, the
//! digits of the numbers, the escapes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use serde_json::value::RawValue;

/// The time at which all files were written: 2030-01-02 03:04:05.678901.
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(1_893_553_445_678_901)
}

/// The calls that each system has a file of.
pub(crate) const CALLS: [&str; 4] = ["none", "named", "positional", "options"];

#[derive(serde::Deserialize)]
pub(crate) struct File {
    /// Which version of the library wrote it.
    pub(crate) lib: String,
    /// The fields that differ from run to run.
    volatile: Vec<String>,
    #[serde(default)]
    pub(crate) list: String,
    #[serde(default)]
    pub(crate) hash: String,
    #[serde(default)]
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) raw: String,
    #[serde(default)]
    pub(crate) raw_hex: String,
    pub(crate) score: Option<i64>,
    #[serde(default)]
    pub(crate) routing_key: String,
    #[serde(default)]
    pub(crate) body_raw: String,
    pub(crate) properties: Option<Properties>,
    /// Of a row, as the database writes them.
    #[serde(default)]
    pub(crate) columns: BTreeMap<String, Option<String>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Properties {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) headers: Option<Box<RawValue>>,
    pub(crate) delivery_mode: u8,
    pub(crate) priority: Option<u8>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) reply_to: Option<String>,
    pub(crate) expiration: Option<String>,
}

impl File {
    pub(crate) fn read(system: &str, name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire").join(system).join(format!("{name}.json"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    pub(crate) fn is_volatile(&self, field: &str) -> bool {
        self.volatile.iter().any(|name| name == field)
    }

    /// JSON with the volatile strings taken out.
    pub(crate) fn steady(&self, json: &str) -> String {
        self.volatile.iter().fold(json.to_owned(), |json, field| without(&json, field))
    }
}

/// The text with the value of a field, a string without escapes, taken out.
pub(crate) fn without(json: &str, field: &str) -> String {
    let marks = [format!("\"{field}\": \""), format!("\"{field}\":\"")];
    let start = marks.iter().find_map(|mark| Some(json.find(mark)? + mark.len()));
    let start = start.unwrap_or_else(|| panic!("no `{field}` in {json}"));
    let length = json[start..].find('"').unwrap();
    format!("{}{}", &json[..start], &json[start + length..])
}

/// Compact JSON as Python's `json.dumps` writes it: with these separators, and in ASCII.
pub(crate) fn as_python(json: &str, comma: &str, colon: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for character in json.chars() {
        match character {
            ',' if !quoted => out.push_str(comma),
            ':' if !quoted => out.push_str(colon),
            _ if !character.is_ascii() => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => out.push(character),
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
    }
    out
}

/// A field of an object, as text.
pub(crate) fn text(json: &str, field: &str) -> String {
    let object: Value = serde_json::from_str(json).unwrap();
    object[field].as_str().unwrap().to_owned()
}
