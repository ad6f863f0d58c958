//! The values options take. Each reader has the one message for everything that is not such a value.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Lit, LitStr, Path, PathArguments, Result};

use crate::entry::{Entry, peel};
use crate::spelling::spelling;

/// The longest name of a task, a parameter or a scope, in characters.
pub(crate) const LONGEST_NAME: usize = 200;
const MAX_PRIORITY: u64 = 9;

/// A duration as tokens that a `static` can hold, given the way to airlock's private names.
pub(crate) fn duration_tokens(private: &TokenStream, duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(#private::Duration::new(#seconds, #nanos))
}

/// `local`
pub(crate) fn flag(entry: &Entry) -> Result<()> {
    let key = &entry.key;
    match &entry.value {
        None => Ok(()),
        Some(value) => fail(value, format!("`{key}` takes no value; write `{key}` alone or leave it out")),
    }
}

/// `policy = AllowAll`
pub(crate) fn expression(entry: &Entry) -> Result<Expr> {
    let key = &entry.key;
    entry.value.clone().ok_or_else(|| error(key, format!("`{key}` needs a value; write `{key} = …`")))
}

/// `on_flush_error = path::of::a_function`
pub(crate) fn handler(entry: &Entry) -> Result<Path> {
    function_path(entry, "takes the error", "report_lost")
}

/// `succeeded = path::of::a_function`
pub(crate) fn judge(entry: &Entry) -> Result<Path> {
    function_path(entry, "judges what is returned", "is_success")
}

fn function_path(entry: &Entry, purpose: &str, example: &str) -> Result<Path> {
    match entry.value() {
        Some(Expr::Path(path)) if path.qself.is_none() => Ok(path.path.clone()),
        _ => {
            let key = &entry.key;
            fail(entry, format!("`{key}` needs the path of a function that {purpose}; write `{key} = {example}`"))
        }
    }
}

/// `crate = ::path`, `crate = crate::path` or `crate = $crate::path`
pub(crate) fn crate_path(entry: &Entry) -> Result<Path> {
    let Some(Expr::Path(value)) = entry.value() else {
        return fail(entry, "`crate` needs a path; write `crate = ::airlock`");
    };
    let path = &value.path;
    if value.qself.is_some() || path.segments.iter().any(|segment| !matches!(segment.arguments, PathArguments::None)) {
        return fail(value, "`crate` needs a plain path; write `crate = ::airlock`");
    }
    let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    match (path.leading_colon, first.as_str()) {
        // A facade's `macro_rules` knows its own crate as `$crate`.
        (Some(_), _) | (None, "crate" | "$crate") => Ok(path.clone()),
        (None, "self" | "super") => fail(value, "`crate` needs an absolute path; start it with `crate::` or `::`"),
        (None, _) => {
            let path = spelling(path);
            fail(value, format!("`crate` needs an absolute path; write `crate = ::{path}` or `crate = crate::{path}`"))
        }
    }
}

/// `queue = "mail"`
pub(crate) fn text(entry: &Entry) -> Result<LitStr> {
    let key = &entry.key;
    match entry.value().and_then(string) {
        Some(text) if text.value().is_empty() => {
            fail(text, format!("`{key}` is empty; leave it out or give it a value"))
        }
        Some(text) => Ok(text),
        None => fail(entry, format!("`{key}` needs a string; write `{key} = \"…\"`")),
    }
}

/// `name = "shop.send"`
pub(crate) fn name(entry: &Entry) -> Result<LitStr> {
    let name = text(entry)?;
    check_name(&name)?;
    Ok(name)
}

/// `aliases = ["send", "mail"]`
pub(crate) fn names(entry: &Entry) -> Result<Vec<LitStr>> {
    let Some(Expr::Array(array)) = entry.value() else {
        return fail(entry, "`aliases` needs a list of strings; write `aliases = [\"…\"]`");
    };
    if array.elems.is_empty() {
        return fail(array, "`aliases` is empty; name an alias or leave it out");
    }
    let mut names = Vec::new();
    for element in &array.elems {
        let Some(name) = string(peel(element)) else {
            return fail(element, "an alias is a string; write `aliases = [\"…\"]`");
        };
        check_name(&name)?;
        names.push(name);
    }
    Ok(names)
}

/// `priority = 5`
pub(crate) fn priority(entry: &Entry) -> Result<u8> {
    whole(entry, MAX_PRIORITY, 5)
}

/// `max_retries = 3`
pub(crate) fn retries(entry: &Entry) -> Result<u32> {
    whole(entry, u32::MAX.into(), 3)
}

/// `delay = "1h30m"`
pub(crate) fn duration(entry: &Entry) -> Result<Duration> {
    let duration = entry.value().and_then(string).and_then(|text| parse_duration(&text.value()));
    duration.ok_or_else(|| {
        error(entry, format!("`{}` is not a duration; write it like \"90s\", \"5m\" or \"1h30m\"", entry.key))
    })
}

/// `timeout = "90s"`: a duration in which something can happen.
pub(crate) fn span(entry: &Entry) -> Result<Duration> {
    let duration = duration(entry)?;
    if duration.is_zero() {
        let key = &entry.key;
        return fail(entry, format!("`{key}` is zero, so no run could be in time; leave it out or make it longer"));
    }
    Ok(duration)
}

/// `companion = SendEmail`
pub(crate) fn identifier(entry: &Entry) -> Result<Ident> {
    match entry.value() {
        Some(Expr::Path(path)) if path.qself.is_none() && path.attrs.is_empty() => path.path.get_ident().cloned(),
        _ => None,
    }
    .filter(|ident| syn::parse2::<Ident>(ident.to_token_stream()).is_ok())
    .ok_or_else(|| {
        let key = &entry.key;
        error(entry, format!("`{key}` needs a plain name; write `{key} = SendEmail`"))
    })
}

fn whole<N: TryFrom<u64>>(entry: &Entry, max: u64, example: u64) -> Result<N> {
    let number = match entry.value() {
        Some(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => number.base10_parse::<u64>().ok(),
        _ => None,
    };
    number.filter(|number| *number <= max).and_then(|number| N::try_from(number).ok()).ok_or_else(|| {
        let key = &entry.key;
        error(entry, format!("`{key}` needs a whole number from 0 to {max}; write `{key} = {example}`"))
    })
}

fn check_name(name: &LitStr) -> Result<()> {
    let value = name.value();
    let length = value.chars().count();
    if value.is_empty() {
        fail(name, "a name can't be empty; leave it out or write one")
    } else if length > LONGEST_NAME {
        fail(name, format!("a name has at most {LONGEST_NAME} characters; this one has {length}"))
    } else if value.starts_with('#') {
        fail(name, "a name doesn't start with `#`, which is for comments; write it like \"shop.send_email\"")
    } else if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        fail(name, "a name has no spaces or control characters; write it like \"shop.send_email\"")
    } else {
        Ok(())
    }
}

pub(crate) fn string(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    }
}

/// Whole numbers with a unit each, the largest unit first.
fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let (number, unit) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) = unit.split_at(unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len()));
        let (_, factor) = units.find(|(known, _)| *known == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::from_millis(millis))
}

fn error(tokens: impl ToTokens, message: impl std::fmt::Display) -> syn::Error {
    syn::Error::new_spanned(tokens, message)
}

fn fail<T>(tokens: impl ToTokens, message: impl std::fmt::Display) -> Result<T> {
    Err(error(tokens, message))
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use syn::LitStr;

    use super::{check_name, parse_duration};

    #[test]
    fn names_have_letters_and_a_length() {
        for (name, valid) in [
            ("shop.send", true),
            ("", false),
            ("a b", false),
            ("#a", false),
            ("a#", true),
            ("a\n", false),
            (&"x".repeat(200), true),
            (&"é".repeat(201), false),
        ] {
            assert_eq!(check_name(&LitStr::new(name, Span::call_site())).is_ok(), valid, "{name}");
        }
    }

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, millis) in [
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("2d", 172_800_000),
            ("1m5ms", 60_005),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_millis()), Some(millis), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_duration() {
        for text in ["", "90", "s", "1.5h", "-1s", "1 h", "30m1h", "1m1m", "1w", "1h30", "99999999999999999999s", "٣s"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
