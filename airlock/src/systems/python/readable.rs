//! What Python's JSON decoder makes something else of, or nothing at all, although it is valid JSON. Most of it can only
//! come from raw JSON in an argument.

use std::borrow::Cow;

use super::tokens::{Token, Tokens};

/// `sys.int_info.default_max_str_digits`, from which on `int()` raises (`CPython` 3.11).
const MAX_DIGITS: usize = 4300;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("a number in the arguments has more than {MAX_DIGITS} digits, which Python refuses; send it as a string")]
    Digits,
    #[error("a number in the arguments is larger than any float, which Python reads as infinity; send it as a string")]
    Infinite,
    #[error("a string in the arguments holds half of a surrogate pair, which is no text; leave it out")]
    Surrogate,
    #[error(
        "the arguments hold an object of just `__type__` and `__value__`, which Celery's decoder (kombu) turns into \
         another value or fails on; add or rename a field"
    )]
    Typed,
}

/// Whether a Python worker would see the arguments as they are. `typed`: whether kombu decodes them.
pub(crate) fn check(json: &str, typed: bool) -> Result<(), Unreadable> {
    if !needs_a_look(json, typed) {
        return Ok(());
    }
    // Which of the two names, and whether another, the objects around have; if that matters.
    let mut around: Vec<Fields> = Vec::new();
    for token in Tokens::new(json) {
        match token {
            Token::Open(_) if typed => around.push(Fields::default()),
            Token::Open(_) => {}
            Token::Close(_) => {
                if around.pop().is_some_and(|fields| fields.is_typed()) {
                    return Err(Unreadable::Typed);
                }
            }
            Token::Key(key) => {
                let key = text(key).ok_or(Unreadable::Surrogate)?;
                if let Some(fields) = around.last_mut() {
                    fields.note(&key);
                }
            }
            Token::Text(value) => drop(text(value).ok_or(Unreadable::Surrogate)?),
            Token::Plain(number) => check_number(number)?,
        }
    }
    Ok(())
}

/// Whether something in it might be found: an escape, an exponent, a long number, or two underscores. Many arguments have
/// none, and every intent comes through here before any is sent.
fn needs_a_look(json: &str, typed: bool) -> bool {
    /// The largest float has 309 digits before its point.
    const LONG: usize = 300;
    let bytes = json.as_bytes();
    let is_suspect = |(first, second): (&u8, &u8)| {
        let underscores = typed & (*first == b'_') & (*second == b'_');
        (*first == b'\\') | (first.is_ascii_digit() & (*second | 0x20 == b'e')) | underscores
    };
    // All of them are looked at, which takes less than to ask after each whether to go on.
    let is_found = bytes.iter().zip(bytes.iter().skip(1)).fold(false, |found, pair| found | is_suspect(pair));
    is_found || bytes.len() > LONG && bytes.chunk_by(|_, next| next.is_ascii_digit()).any(|run| run.len() > LONG)
}

#[derive(Debug, Default)]
struct Fields {
    r#type: bool,
    value: bool,
    other: bool,
}

impl Fields {
    fn note(&mut self, key: &str) {
        match key {
            "__type__" => self.r#type = true,
            "__value__" => self.value = true,
            _ => self.other = true,
        }
    }

    /// `o.keys() == {"__type__", "__value__"}` (kombu 5.7.0, `utils/json.py`).
    fn is_typed(&self) -> bool {
        self.r#type && self.value && !self.other
    }
}

fn check_number(number: &str) -> Result<(), Unreadable> {
    if number.len() <= 20 && !number.contains(['e', 'E']) {
        return Ok(());
    }
    let float = number.contains(['.', 'e', 'E']);
    if !float && number.len() > MAX_DIGITS {
        return Err(Unreadable::Digits);
    }
    if float && number.parse().is_ok_and(f64::is_infinite) {
        return Err(Unreadable::Infinite);
    }
    Ok(())
}

/// What a quoted string says; `None` if an escape in it is half of a surrogate pair.
pub(crate) fn text(quoted: &str) -> Option<Cow<'_, str>> {
    let inside = quoted.get(1..quoted.len() - 1)?;
    if inside.contains('\\') { serde_json::from_str(quoted).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inside)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_kombu_would_decode_are_found_at_any_depth_and_in_any_spelling() {
        for json in [
            r#"{"__type__":"uuid","__value__":1}"#,
            r#"[1,[{"a":{"__value__":{},"__type__":"x"}}]]"#,
            r#"{"a":{"\u005f_type__":"x" , "__value__":null}}"#,
            r#"{"a":{"__type__":1,"__type__":2,"__value__":3}}"#,
        ] {
            assert_eq!(check(json, true), Err(Unreadable::Typed), "{json}");
            assert_eq!(check(json, false), Ok(()), "{json}");
        }
        for json in [
            r#"{"__type__":1}"#,
            r#"{"__type__":1,"__value__":2,"c":3}"#,
            r#"{"__type__":{"__value__":1}}"#,
            r#"["__type__","__value__"]"#,
            r#"{"a":"{\"__type__\":1,\"__value__\":2}"}"#,
        ] {
            assert_eq!(check(json, true), Ok(()), "{json}");
        }
    }

    #[test]
    fn numbers_and_strings_that_python_reads_otherwise_are_found() {
        assert_eq!(check(&format!("[{}]", "9".repeat(4301)), false), Err(Unreadable::Digits));
        assert_eq!(check(&format!("[{}]", "9".repeat(4300)), false), Ok(()));
        assert_eq!(check("[1e999]", false), Err(Unreadable::Infinite));
        assert_eq!(check("[\"a\",1E999]", true), Err(Unreadable::Infinite));
        assert_eq!(check(&format!("[1{}.5]", "0".repeat(400)), false), Err(Unreadable::Infinite));
        assert_eq!(check(&format!("[\"{}\",1.5]", "0".repeat(400)), false), Ok(()));
        assert_eq!(check("[-1e400,0]", false), Err(Unreadable::Infinite));
        assert_eq!(check("[1.7976931348623157e308, 5e-324, 1180591620717411303424]", false), Ok(()));
        assert_eq!(check(r#"["\ud800"]"#, false), Err(Unreadable::Surrogate));
        assert_eq!(check(r#"{"\udc00x":1}"#, false), Err(Unreadable::Surrogate));
        assert_eq!(check(r#"["\ud83d\ude00", "\\ud800"]"#, false), Ok(()));
    }
}
