//! A settings file as tables of values that know their line.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::error::SettingsProblem;
use crate::settings::source::Source;
use crate::text::redact::redact_text;

/// A parsed file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: Arc<str>,
    pub(super) root: Table,
}

/// A table: its entries as they stand in the file.
#[derive(Debug)]
pub struct Table {
    entries: Vec<Entry>,
}

/// One `key = value`, or a table of that name.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What a key may have.
#[derive(Debug)]
pub enum Value {
    /// It may be a password or a key.
    String(Zeroizing<String>),
    Integer(i128),
    Boolean(bool),
    Array(Vec<Value>),
    Table(Table),
    /// A float or a date, which no setting takes.
    Other,
}

impl Table {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl File {
    pub(super) fn parse(name: Arc<str>, text: &str) -> Result<Self, SettingsProblem> {
        let name: Arc<str> = Arc::from(&*redact_text(&name));
        match DeTable::parse(text) {
            Ok(root) => Ok(Self { name, root: table(text, root.get_ref()) }),
            Err(error) => {
                let line = line_of(text, error.span().map_or(0, |span| span.start));
                // Only the message: its `Display` quotes the line, and there may be a password in it.
                let message = format!("this is no TOML: {}; see toml.io for the format", error.message());
                Err(SettingsProblem::new(Source::File { name, line }, message))
            }
        }
    }

    pub(super) fn place(&self, line: usize) -> Source {
        Source::File { name: Arc::clone(&self.name), line }
    }
}

fn table(text: &str, table: &DeTable<'_>) -> Table {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, found)| Entry {
            key: key.get_ref().clone().into_owned(),
            line: line_of(text, key.span().start),
            value: value(text, found.get_ref()),
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    Table { entries }
}

fn value(text: &str, found: &DeValue<'_>) -> Value {
    match found {
        DeValue::String(string) => Value::String(string.clone().into_owned().into()),
        DeValue::Integer(integer) => {
            i128::from_str_radix(integer.as_str(), integer.radix()).map_or(Value::Other, Value::Integer)
        }
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| value(text, item.get_ref())).collect()),
        DeValue::Table(found) => Value::Table(table(text, found)),
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Other,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
