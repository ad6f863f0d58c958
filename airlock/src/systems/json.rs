//! Writing JSON by hand, where the order of the fields is part of a wire format.

#[cfg(feature = "dramatiq")]
use std::borrow::Cow;

#[cfg(feature = "dramatiq")]
use crate::brokers::AmqpValue;
use crate::dispatch::Rejection;

/// Whether a message may be so large.
pub(crate) fn check_size(bytes: usize, limit: usize) -> Result<(), Rejection> {
    if bytes <= limit {
        return Ok(());
    }
    Err(Rejection::new(format!(
        "the message takes {bytes} bytes and {limit} are allowed; store the value and send its key, or raise the limit"
    )))
}

/// A JSON string.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    // Writing a string into memory doesn't fail.
    let _ = serde_json::to_writer(out, text);
}

/// A table as an object.
#[cfg(feature = "dramatiq")]
pub(crate) fn table(out: &mut Vec<u8>, table: &[(Cow<'static, str>, AmqpValue)]) {
    out.push(b'{');
    for (index, (name, value)) in table.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        text(out, name);
        out.push(b':');
        self::value(out, value);
    }
    out.push(b'}');
}

#[cfg(feature = "dramatiq")]
fn value(out: &mut Vec<u8>, value: &AmqpValue) {
    match value {
        AmqpValue::Null => out.extend_from_slice(b"null"),
        AmqpValue::Bool(true) => out.extend_from_slice(b"true"),
        AmqpValue::Bool(false) => out.extend_from_slice(b"false"),
        AmqpValue::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        AmqpValue::Text(value) => text(out, value),
        AmqpValue::List(values) => {
            out.push(b'[');
            for (index, item) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                self::value(out, item);
            }
            out.push(b']');
        }
        AmqpValue::Table(inner) => table(out, inner),
    }
}
