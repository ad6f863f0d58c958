//! The pickles themselves: each value as Python's own pickler writes it, and any value as its unpicklers read it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use airlock::{BrokerMessage, HueyExecutor, Intent, RedisMessage};
use airlock_tests::python::python;
use airlock_tests::values::runner;
use proptest::prelude::Rng;
use serde_json::value::RawValue;

use crate::golden::now;
use crate::tasks;

/// A Huey message, in hexadecimal: there a value is all but alone.
fn pickled(intent: &Intent) -> String {
    match HueyExecutor::new("redis://localhost").unwrap().message(intent, now()).unwrap() {
        BrokerMessage::Redis(RedisMessage::PushLeft { body, .. }) => {
            body.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.trim().to_owned()).unwrap()
}

#[derive(serde::Deserialize)]
struct File {
    lib: String,
    values: Vec<Pickled>,
}

#[derive(serde::Deserialize)]
struct Pickled {
    json: String,
    hex: String,
}

#[test]
fn each_value_is_as_pythons_own_pickler_writes_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/pickle/values.json");
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for Pickled { json, hex } in &file.values {
        // The arguments are `{"value": …}` and before four times `None`, the end of the tuple, and of the pickle.
        let ours = pickled(&tasks::any::intent(raw(json)));
        let (_, value) = ours.split_once("7d288c0576616c7565").unwrap();
        let value = value.strip_suffix("754e4e4e4e74812e").unwrap();
        assert_eq!(format!("8004{value}2e"), *hex, "{}, {}", json.chars().take(80).collect::<String>(), file.lib);
    }
    assert!(file.values.len() > 60);
}

/// A JSON value at random. Not by a strategy: so many of those take a minute.
fn json(random: &mut impl Rng, depth: u32) -> String {
    let number = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let shifted = number >> (random.next_u32() % 128);
    let few = random.next_u32() % 6;
    match random.next_u32() % if depth < 5 { 10 } else { 8 } {
        0 => ["null", "true", "false", "[]", "{}", "-0"][few as usize].to_owned(),
        1 => shifted.to_string(),
        2 => (number as i128 >> (random.next_u32() % 127)).to_string(),
        3 => (shifted as i64).to_string(),
        4 => Some(f64::from_bits(number as u64)).filter(|float| float.is_finite()).map_or("1E5".to_owned(), quoted),
        5 => quoted(f64::from(number as i32) / 8.0),
        6 | 7 => quoted(text(random)),
        8 => format!("[{}]", (0..few).map(|_| json(random, depth + 1)).collect::<Vec<_>>().join(",")),
        _ => {
            let mut field = || format!("{}:{}", quoted(text(random)), json(random, depth + 1));
            format!("{{{}}}", (0..few).map(|_| field()).collect::<Vec<_>>().join(","))
        }
    }
}

fn text(random: &mut impl Rng) -> String {
    let length = random.next_u32() % [4, 40, 400][random.next_u32() as usize % 3];
    let most = [0x7f, 0xff, 0x3000, 0x11_0000][random.next_u32() as usize % 4];
    (0..length).filter_map(|_| char::from_u32(random.next_u32() % most)).collect()
}

fn quoted(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).unwrap()
}

#[test]
#[expect(clippy::print_stdout, reason = "it is shown when the test fails")]
fn both_of_pythons_unpicklers_read_any_value_as_it_was() {
    const VALUES: usize = 10_000;
    let (mut runner, seed) = runner();
    println!("AIRLOCK_SEED={seed}");
    let mut draw = || json(runner.rng(), 0);
    let mut lines = String::new();
    for number in 0..VALUES {
        // Tuples have a form of their own for each length up to three.
        let values: Vec<_> = (0..[1, 1, 1, 1, 2, 4][number % 6]).map(|_| draw()).collect();
        let (json, intent) = match &values[..] {
            [value] if number % 6 < 3 => (value.clone(), tasks::any::intent(raw(value))),
            [value] => (format!("[{value}]"), tasks::one::intent(raw(value))),
            [a, b] => (format!("[{a},{b}]"), tasks::two::intent(raw(a), raw(b))),
            [a, b, c, d] => (format!("[{a},{b},{c},{d}]"), tasks::four::intent(raw(a), raw(b), raw(c), raw(d))),
            _ => unreachable!("there is no such task"),
        };
        lines.push_str(&format!("{json}\t{}\n", pickled(&intent)));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/unpickle.py");
    let mut command = Command::new(python());
    let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{VALUES} are equal\n"));
}
