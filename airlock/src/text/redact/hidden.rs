//! Where in a text something stands that may be a password.

use std::ops::Range;

use super::{is_secret_name, unescaped};

/// `:`, `//`, `@` and `=` as a URL in the parameter of another one has them, with the `%` escaped any number of times.
const SCHEME: [&str; 3] = ["3a", "2f", "2f"];
const AT: [&str; 1] = ["40"];
const COLON: [&str; 1] = ["3a"];
const EQUALS: [&str; 1] = ["3d"];

/// What not to print, from left to right, none within another. One that is empty is a password that is.
pub(super) fn hidden(text: &str) -> Vec<Range<usize>> {
    if !text.contains(['@', '=', '%', ':']) {
        return Vec::new();
    }
    let mut found = Vec::new();
    of_urls(text, &mut found);
    of_words(text, &mut found);
    of_parameters(text, &mut found);
    joined(found)
}

pub(super) fn joined(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_by_key(|range| (range.start, range.end));
    let mut all: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match all.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => all.push(range),
        }
    }
    all
}

/// Behind each `://`, up to the next one.
fn of_urls(text: &str, found: &mut Vec<Range<usize>>) {
    let starts: Vec<_> = text.match_indices("://").map(|(at, scheme)| at + scheme.len()).collect();
    for (index, &start) in starts.iter().enumerate() {
        // With the next one's scheme: where the first was cut off, nothing says where its password ends.
        let end = starts.get(index + 1).map_or(text.len(), |next| next - "://".len());
        let rest = &text[start..end];
        let word = &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())];
        let authority = &word[..word.find(['/', '?', '#']).unwrap_or(word.len())];
        if let Some(at) = word.rfind('@') {
            found.push(start..start + at);
        } else if let Some(at) = rest.find('@').filter(|_| !is_place(authority)) {
            // A password with a blank in it goes on to the last `@` of that word.
            let last = rest[at..].find(char::is_whitespace).unwrap_or(rest.len() - at);
            found.push(start..start + at + rest[at..at + last].rfind('@').unwrap_or(0));
        } else if !is_place(authority) {
            found.push(start..start + word.trim_end_matches(closes).len());
        }
    }
    for (_, end) in escapes(text, &SCHEME) {
        let word = &text[end..];
        found.push(end..end + word.find(char::is_whitespace).unwrap_or(word.len()));
    }
}

/// Whether this can be a host and a port. Else it is the beginning of a URL that was cut off: an account.
fn is_place(authority: &str) -> bool {
    if authority.starts_with('[') {
        return true;
    }
    let is_escaped = escapes(authority, &AT).next().or_else(|| escapes(authority, &COLON).next()).is_some();
    let Some((host, port)) = authority.split_once(':') else { return !is_escaped };
    let after = port.trim_start_matches(|c: char| c.is_ascii_digit());
    !is_escaped && !host.is_empty() && !after.starts_with(|c: char| !closes(c))
}

/// What ends a word without being part of it.
fn closes(c: char) -> bool {
    ":,;.!|\"'`)]}>\\".contains(c)
}

/// Words without a scheme, of which there is a password only behind a colon: else it is the address of a person.
fn of_words(text: &str, found: &mut Vec<Range<usize>>) {
    let mut from = 0;
    for word in text.split(char::is_whitespace) {
        let start = from;
        from = start + word.len() + text[start + word.len()..].chars().next().map_or(0, char::len_utf8);
        if word.contains("://") {
            continue;
        }
        let escaped = escapes(word, &AT).last().map(|(at, _)| at);
        let Some(at) = word.rfind('@').max(escaped) else { continue };
        let Some(opened) = word[..at].find(|c: char| !"\"'`(<[{".contains(c)) else { continue };
        let account = &word[opened..at];
        if account.contains(':') || escapes(account, &COLON).next().is_some() {
            found.push(start + opened..start + at);
        }
    }
}

/// The values of parameters whose names promise a secret: `?password=…`, `password = '…'`, `"password": "…"`.
fn of_parameters(text: &str, found: &mut Vec<Range<usize>>) {
    let signs = text.match_indices(['=', ':']).map(|(at, sign)| (at, at + sign.len()));
    for (at, end) in signs.chain(escapes(text, &EQUALS)) {
        let before = text[..at].trim_end_matches(|c: char| " \t\"'\\".contains(c));
        let name = &before[before.rfind(|c: char| !is_of_name(c)).map_or(0, |at| at + last_len(&before[at..]))..];
        if !is_secret_name(&unescaped(name)) {
            continue;
        }
        let value = text[end..].trim_start_matches([' ', '\t']);
        let start = text.len() - value.len();
        let opening = value.trim_start_matches('\\').chars().next().filter(|c| "\"'".contains(*c));
        if text[at..].starts_with(':') && opening.is_none() {
            // A sentence.
            continue;
        }
        let len = match opening {
            Some(quote) => {
                let inner = value.find(quote).map_or(0, |at| at + 1);
                value[inner..].find(quote).map_or(value.len(), |at| inner + at + 1)
            }
            None => value.find(|c: char| c == '&' || c.is_whitespace()).unwrap_or(value.len()),
        };
        found.push(start..start + len);
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || "_-.%".contains(c)
}

fn last_len(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Where bytes stand that are escaped as `%3A`, or `%253A` and so on, one directly behind the other.
fn escapes<'a>(text: &'a str, digits: &'a [&'a str]) -> impl Iterator<Item = (usize, usize)> + 'a {
    text.match_indices('%').filter_map(move |(start, _)| {
        let mut at = start;
        for digits in digits {
            at += text[at..].strip_prefix('%').map(|_| 1)?;
            while text[at..].starts_with("25") {
                at += 2;
            }
            let found = text.get(at..at + 2).filter(|found| found.eq_ignore_ascii_case(digits))?;
            at += found.len();
        }
        Some((start, at))
    })
}
