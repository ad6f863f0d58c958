//! What is JSON and can't be in a `jsonb` column of Postgres.

use crate::systems::python::readable;
use crate::systems::python::tokens::{Token, Tokens};

/// `numeric`, which holds the numbers, has 16,383 digits after the point and 131,072 before it. Far less is more than any
/// float has.
const MOST_DIGITS: usize = 16_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unstorable {
    #[error(
        "a string in the arguments holds a NUL character, which Postgres can't store; leave it out, or encode the string"
    )]
    Nul,
    #[error("a number in the arguments has more digits than Postgres can store; send it as a string")]
    Digits,
}

/// Whether Postgres takes it.
pub(super) fn check(json: &str) -> Result<(), Unstorable> {
    let may_have_nul = json.contains("\\u0000");
    for token in Tokens::new(json) {
        match token {
            Token::Key(text) | Token::Text(text) if may_have_nul && holds_nul(text) => return Err(Unstorable::Nul),
            Token::Plain(number) if digits(number) > MOST_DIGITS => return Err(Unstorable::Digits),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a quoted string does.
fn holds_nul(text: &str) -> bool {
    readable::text(text).is_some_and(|text| text.contains('\0'))
}

/// How many digits it takes when it is written out, about.
fn digits(number: &str) -> usize {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, ""));
    let exponent = exponent.trim_start_matches(['+', '-']);
    let exponent = if exponent.is_empty() { 0 } else { exponent.parse().unwrap_or(usize::MAX) };
    exponent.saturating_add(mantissa.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgres_refuses_is_found() {
        for json in [r#"["a\u0000"]"#, r#"{"\u0000":1}"#, r#"[["\\\u0000"]]"#] {
            assert_eq!(check(json), Err(Unstorable::Nul), "{json}");
        }
        for json in ["[1e-99999]", "[0e999999999999999999999]", "[1E+20000]"] {
            assert_eq!(check(json), Err(Unstorable::Digits), "{json}");
        }
        assert_eq!(check(&format!("[0.{}]", "1".repeat(16_400))), Err(Unstorable::Digits));
        for json in [r#"["\\u0000","\\\\u0000"]"#, "[5e-324,1.7976931348623157e308,true,null]", r#"["1e-99999"]"#] {
            assert_eq!(check(json), Ok(()), "{json}");
        }
    }
}
