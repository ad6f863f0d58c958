//! A table of values as JSON.

use std::borrow::Cow;

use crate::brokers::AmqpValue;
use crate::systems::json;

/// A table as an object.
pub(super) fn write(out: &mut Vec<u8>, table: &[(Cow<'static, str>, AmqpValue)]) {
    out.push(b'{');
    for (index, (name, value)) in table.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::text(out, name);
        out.push(b':');
        self::value(out, value);
    }
    out.push(b'}');
}

fn value(out: &mut Vec<u8>, value: &AmqpValue) {
    match value {
        AmqpValue::Null => out.extend_from_slice(b"null"),
        AmqpValue::Bool(true) => out.extend_from_slice(b"true"),
        AmqpValue::Bool(false) => out.extend_from_slice(b"false"),
        AmqpValue::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        AmqpValue::Text(value) => json::text(out, value),
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
        AmqpValue::Table(inner) => write(out, inner),
    }
}
