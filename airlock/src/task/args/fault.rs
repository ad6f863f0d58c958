//! Why a value doesn't decode, in words that show nothing of it: `serde_json` quotes what offends it.

use serde_json::error::Category;
use serde_json::value::RawValue;

/// The largest float has so many digits before its point; no type takes a longer number.
const MOST_DIGITS: usize = 309;

/// What is wrong and where: what `serde_json` says is read for its kind alone.
pub(super) fn describe(json: &str, error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => SHAPE.to_owned(),
        Category::Syntax | Category::Io => of_syntax(json, error),
        Category::Eof => "the value ends too early".to_owned(),
    };
    let (line, column) = (error.line(), error.column());
    // Of what serde has put aside to look at it again, the place is not known.
    if line == 0 {
        return what;
    }
    // Arguments are written on one line, unless a program of another language has indented them.
    let line = if line > 1 { format!("line {line}, ") } else { String::new() };
    format!("{what} ({line}column {column} of the argument)")
}

const SHAPE: &str = "the value has another type or shape";

fn of_syntax(json: &str, error: &serde_json::Error) -> String {
    let said = error.to_string();
    let is = |kind: &str| said.starts_with(kind);
    if is("number out of range") {
        let number = number_at(json, error.line(), error.column());
        if number.len() > MOST_DIGITS && !number.contains(['.', 'e', 'E']) {
            let digits = number.bytes().filter(u8::is_ascii_digit).count();
            return format!("a number has {digits} digits, more than any type of numbers takes");
        }
        return "a number is out of range".to_owned();
    }
    if is("lone leading surrogate") || is("unexpected end of hex escape") || is("invalid unicode code point") {
        return "a text is not Unicode, it has half of a surrogate pair".to_owned();
    }
    if is("recursion limit exceeded") {
        return "the value nests too deep".to_owned();
    }
    // Such as a key of a map that is no number, for a type that has numbers there.
    let is_json = serde_json::from_str::<&RawValue>(json).is_ok();
    if is_json { SHAPE.to_owned() } else { "the value is not JSON".to_owned() }
}

/// The number around the place, where the reader stopped in it or behind it.
fn number_at(json: &str, line: usize, column: usize) -> &str {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let Some(line) = json.split('\n').nth(line.saturating_sub(1)) else { return "" };
    let (before, after) = line.as_bytes().split_at(column.min(line.len()));
    let start = before.len() - before.iter().rev().take_while(|byte| is_of_number(byte)).count();
    let end = before.len() + after.iter().take_while(|byte| is_of_number(byte)).count();
    line.get(start..end).unwrap_or_default()
}
