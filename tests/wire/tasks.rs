//! The tasks that the files are about.

use std::collections::BTreeMap;

use airlock::Intent;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Nested {
    a: (u8, BTreeMap<String, Option<u8>>),
    f: f64,
    t: bool,
    e: Vec<u8>,
}

#[airlock::task(name = "wire.none")]
pub(crate) fn none();

#[airlock::task(name = "wire.named")]
pub(crate) fn named(order_id: u64, note: String, large: u128, nothing: Option<u8>, nested: Nested);

#[airlock::task(name = "wire.positional", positional)]
pub(crate) fn positional(first: u8, second: String, third: Option<u8>);

#[airlock::task(name = "dotless")]
pub(crate) fn dotless();

#[airlock::task(name = "wire.any")]
pub(crate) fn any(value: Box<RawValue>);

#[airlock::task(name = "wire.one", positional)]
pub(crate) fn one(value: Box<RawValue>);

#[airlock::task(name = "wire.two", positional)]
pub(crate) fn two(first: Box<RawValue>, second: Box<RawValue>);

#[airlock::task(name = "wire.four", positional)]
pub(crate) fn four(first: Box<RawValue>, second: Box<RawValue>, third: Box<RawValue>, fourth: Box<RawValue>);

#[airlock::task(name = "wire.float")]
pub(crate) fn float(value: f64);

#[airlock::task(name = "wire.secret")]
pub(crate) fn secret(order_id: u64, #[redact] token: String);

#[airlock::task(name = "wire.typed")]
pub(crate) fn typed(__type__: String, __value__: u8);

/// The intent of a file's call, with the id that all of them have and the options in the form that intents are stored in.
pub(crate) fn of(name: &str, options: &str) -> Intent {
    of_with(name, options, "\0")
}

/// The same with another text where some brokers can't have NUL.
pub(crate) fn of_with(name: &str, options: &str, nul: &str) -> Intent {
    let intent = match name {
        "named" => {
            let nested = Nested { a: (1, BTreeMap::from([("b".to_owned(), None)])), f: 1.5, t: true, e: Vec::new() };
            let note = format!("héllo ☃ 😀 \"it's\" \\ \n{nul}");
            named::intent(42, note, 1 << 70, None, nested)
        }
        "positional" => positional::intent(1, "zwei".to_owned(), None),
        _ => none::intent(),
    };
    let arguments = intent.to_json().unwrap();
    let stored = format!(
        r#"{{"id":"11111111-1111-4111-8111-111111111111","task":"{}","arguments":{arguments},"options":{options}}}"#,
        intent.name(),
    );
    airlock::registry().decode(&stored).unwrap()
}
