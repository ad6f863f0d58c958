//! Plain values as the client's.

use std::borrow::Cow;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString, ShortStringError};

use crate::brokers::message::{AmqpMessage, AmqpProperties, AmqpValue};

/// Survives a restart of the server, in a durable queue.
const PERSISTENT: u8 = 2;

pub(super) fn properties(message: &AmqpMessage) -> Result<BasicProperties, ShortStringError> {
    let own = &message.properties;
    let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    if let Some(content_type) = own.content_type {
        properties = properties.with_content_type(ShortString::try_new(content_type)?);
    }
    if let Some(encoding) = own.content_encoding {
        properties = properties.with_content_encoding(ShortString::try_new(encoding)?);
    }
    if let Some(priority) = own.priority {
        properties = properties.with_priority(priority);
    }
    if let Some(id) = &own.correlation_id {
        properties = properties.with_correlation_id(ShortString::try_new(id.as_str())?);
    }
    if let Some(reply_to) = &own.reply_to {
        properties = properties.with_reply_to(ShortString::try_new(reply_to.as_str())?);
    }
    if let Some(expiration) = &own.expiration {
        properties = properties.with_expiration(ShortString::try_new(expiration.as_str())?);
    }
    if !own.headers.is_empty() {
        properties = properties.with_headers(table(own.headers.iter().map(|(name, value)| (&**name, value)))?);
    }
    Ok(properties)
}

pub(super) fn table<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a AmqpValue)>,
) -> Result<FieldTable, ShortStringError> {
    let mut table = FieldTable::default();
    for (name, entry) in entries {
        table.insert(ShortString::try_new(name)?, value(entry)?);
    }
    Ok(table)
}

fn value(value: &AmqpValue) -> Result<AMQPValue, ShortStringError> {
    Ok(match value {
        AmqpValue::Null => AMQPValue::Void,
        AmqpValue::Bool(value) => AMQPValue::Boolean(*value),
        // The smallest of the two sizes, as the Python clients write them.
        AmqpValue::Int(value) => i32::try_from(*value).map_or(AMQPValue::LongLongInt(*value), AMQPValue::LongInt),
        AmqpValue::Text(text) => AMQPValue::LongString(LongString::from(text.as_bytes())),
        AmqpValue::List(values) => {
            let values = values.iter().map(self::value).collect::<Result<Vec<_>, _>>()?;
            AMQPValue::FieldArray(FieldArray::from(values))
        }
        AmqpValue::Table(entries) => {
            AMQPValue::FieldTable(table(entries.iter().map(|(name, value)| (&**name, value)))?)
        }
    })
}

/// How many bytes the frame takes in which the properties are sent, with the parts that every such frame has: its type,
/// channel, size and end, the class, the weight, the size of the body and the flags. It can't be split.
pub(super) fn header_size(properties: &AmqpProperties) -> usize {
    const FRAME: usize = 1 + 2 + 4 + 1;
    const HEADER: usize = 2 + 2 + 8 + 2;
    const DELIVERY_MODE: usize = 1;
    let AmqpProperties { content_type, content_encoding, priority, correlation_id, reply_to, expiration, headers } =
        properties;
    let owned = [correlation_id, reply_to, expiration].map(|text| text.as_deref());
    let texts = owned.into_iter().chain([*content_type, *content_encoding]);
    let texts: usize = texts.flatten().map(|text| 1 + text.len()).sum();
    let headers = if headers.is_empty() { 0 } else { table_size(headers) };
    FRAME + HEADER + DELIVERY_MODE + usize::from(priority.is_some()) + texts + headers
}

fn table_size(entries: &[(Cow<'static, str>, AmqpValue)]) -> usize {
    4 + entries.iter().map(|(name, value)| 1 + name.len() + value_size(value)).sum::<usize>()
}

/// With the byte that says what it is.
fn value_size(value: &AmqpValue) -> usize {
    1 + match value {
        AmqpValue::Null => 0,
        AmqpValue::Bool(_) => 1,
        AmqpValue::Int(value) if i32::try_from(*value).is_ok() => 4,
        AmqpValue::Int(_) => 8,
        AmqpValue::Text(text) => 4 + text.len(),
        AmqpValue::List(values) => 4 + values.iter().map(value_size).sum::<usize>(),
        AmqpValue::Table(entries) => table_size(entries),
    }
}
