//! Tasks that run in the Python workers.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

#[airlock::task(name = "tests.note")]
pub(crate) fn note(number: u64);

#[airlock::task(name = "tests.none")]
pub(crate) fn none();

#[airlock::task(name = "tests.positional", positional)]
pub(crate) fn positional(first: u64, second: String, third: Option<bool>);

#[airlock::task(name = "tests.numbers")]
pub(crate) fn numbers(small: i64, large: u64, least: i128, most: u128, floats: Vec<f64>, single: f32);

#[airlock::task(name = "tests.texts")]
pub(crate) fn texts(text: String, more: Vec<String>, named: BTreeMap<String, Option<String>>);

#[airlock::task(name = "tests.any")]
pub(crate) fn any(value: Box<RawValue>);

#[airlock::task(name = "tests.secret")]
pub(crate) fn secret(#[name = "from"] order_id: u64, #[redact] token: String);

/// Runs for a minute, unless it is interrupted.
#[airlock::task(name = "tests.slow")]
pub(crate) fn slow(number: u64);

/// Fails each time.
#[airlock::task(name = "tests.failing")]
pub(crate) fn failing(number: u64);

/// Fails each time. The consumer's function has an expiry of its own, of a minute.
#[airlock::task(name = "tests.fleeting")]
pub(crate) fn fleeting(number: u64);

/// `tests.note`, behind a prefix.
#[airlock::task(name = "note")]
pub(crate) fn prefixed(number: u64);
