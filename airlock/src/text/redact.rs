//! Texts without the passwords in them: whatever airlock prints of what others wrote goes through here.

mod hidden;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

/// What is printed in place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// What somebody wrote, as it may be printed: each URL in it without user and password, parameters such as `?password=`
/// without their values, and the words around it as they are.
///
/// Rather too much is hidden than too little: a password may hold a `/` or an `@` that should have been escaped, the
/// URL may have been pasted twice or cut off, and be itself the parameter of another.
pub(crate) fn redact_text(text: &str) -> Cow<'_, str> {
    without(text, &hidden::hidden(text))
}

/// Like [`redact_text`], for a value that is a URL and nothing else, if it is one: a password may hold blanks.
pub(crate) fn redact_url(text: &str) -> Cow<'_, str> {
    without(text, &hidden_of_value(text))
}

/// What is printed of a secret: of one URL its scheme, host and port, and the path where that is the name of a database
/// or the like; of anything else, nothing.
pub(crate) fn redact_secret(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return HIDDEN.to_owned() };
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "\"'`".contains(c);
    let is_one = !scheme.is_empty() && scheme.chars().all(is_scheme) && !rest.contains("://") && !rest.contains(is_odd);
    if !is_one {
        return HIDDEN.to_owned();
    }
    let shown = redact_url(text);
    let from = scheme.len() + 3;
    let end = shown[from..].find(['?', '#']).map_or(shown.len(), |at| from + at);
    let path = shown[from..end].find('/').map_or(end, |at| from + at);
    let is_named = matches!(
        &*scheme.to_ascii_lowercase(),
        "redis" | "rediss" | "amqp" | "pyamqp" | "amqps" | "sqlite" | "postgres" | "postgresql"
    );
    // Elsewhere it may be what lets somebody in, as in the URLs of webhooks.
    let shown_path = match &shown[path..end] {
        "" | "/" => &shown[path..end],
        named if is_named => named,
        _ => "/***",
    };
    format!("{}{shown_path}{}", &shown[..path], if end < shown.len() { "?***" } else { "" })
}

/// What must not be printed of a value that may be a URL, anywhere: user and password together, and the password; also
/// as a client reads them, without `%` escapes.
pub(crate) fn secret_parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for range in hidden::hidden(text).into_iter().chain(hidden_of_value(text)) {
        let part = &text[range];
        parts.push(part.to_owned());
        parts.extend(part.split_once(':').map(|(_, password)| password.to_owned()));
    }
    let read: Vec<_> = parts.iter().filter(|part| part.contains('%')).map(|part| unescaped(part)).collect();
    parts.extend(read);
    let mut seen = std::collections::BTreeSet::new();
    parts.retain(|part| !part.is_empty() && seen.insert(part.clone()));
    parts
}

/// From the scheme to the last `@`, wherever that is, or to the end of what was cut off.
fn hidden_of_value(text: &str) -> Vec<Range<usize>> {
    let mut found = hidden::hidden(text);
    let start = text.find("://").map_or(0, |scheme| scheme + 3);
    match text.rfind('@') {
        // An address of a person is no URL with a user: there is no password in it.
        Some(end) if start <= end && (start > 0 || text[..end].contains(':')) => found.push(start..end),
        _ => {}
    }
    hidden::joined(found)
}

fn without<'a>(text: &'a str, hidden: &[Range<usize>]) -> Cow<'a, str> {
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for range in hidden {
        out.push_str(&text[from..range.start]);
        out.push_str(HIDDEN);
        from = range.end;
    }
    out.push_str(&text[from..]);
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a value of this name is one to hide.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "credential", "signature"].iter().any(|part| name.contains(part))
        || name.split(['_', '-', '.']).any(|word| matches!(word, "key" | "apikey" | "auth" | "pw"))
}
