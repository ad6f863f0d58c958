//! Texts without the passwords in them.

use std::borrow::Cow;

/// What is printed in place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// A URL as it may be printed: user and password are left out, as are the values of parameters such as
/// `?password=`. Also for several URLs in one text, and for the `password=… host=…` form of SQL clients.
///
/// Rather too much is hidden than too little: a password may hold a `/` or an `@` that should have been escaped.
#[cfg(feature = "settings")]
pub(crate) fn redact_url(text: &str) -> Cow<'_, str> {
    let out = redact_parameters(&redact_user(text));
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// Without the values of parameters whose names promise a secret.
fn redact_parameters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(['?', '&', ';', ' ', '\n']) {
        match part.split_once('=') {
            Some((name, value)) if is_secret_name(name) => {
                out.push_str(&format!("{name}={HIDDEN}"));
                // The separator that ended the part.
                out.extend(value.chars().last().filter(|last| "?&; \n".contains(*last)));
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// What somebody wrote, as it may be printed: each URL in it without user and password, and the words around it as
/// they are.
pub(crate) fn redact_text(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at..]);
        match hidden_from(before) {
            Some(start) => {
                out.push_str(&before[..start]);
                out.push_str(HIDDEN);
            }
            None => out.push_str(before),
        }
        // A password may hold an `@` itself: what is hidden goes on to the last one before the word or the URL ends.
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let end = after[..end].find("://").map_or(end, |scheme| after[..scheme].rfind(separates).unwrap_or(0).max(1));
        let last = if hidden_from(before).is_some() { after[..end].rfind('@').unwrap_or(0) } else { 0 };
        out.push('@');
        rest = &after[last + 1..];
    }
    out.push_str(rest);
    let parameters = redact_parameters(&out);
    if parameters == text { Cow::Borrowed(text) } else { Cow::Owned(parameters) }
}

/// Where the user and password begin that end here, if that is what ends here.
fn hidden_from(before: &str) -> Option<usize> {
    let word =
        before.rfind(char::is_whitespace).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    if let Some(scheme) = before[word..].find("://") {
        return Some(word + scheme + 3);
    }
    if let Some(scheme) = before.rfind("://") {
        let user = scheme + 3;
        // A password with a space in it: the URL is a word before, and what follows its colon is no port.
        let is_port =
            |port: &str| port.is_empty() || port.starts_with(|c: char| c.is_ascii_digit() || "/:".contains(c));
        let host = before[user..].split(char::is_whitespace).next().unwrap_or_default();
        if host.split_once(':').is_some_and(|(_, port)| !is_port(port)) && !host.starts_with('[') {
            return Some(user);
        }
    }
    // Without a scheme there is a password only behind a colon; else it is the address of a person.
    let start = word + before[word..].find(|c: char| !"\"'`(<[{".contains(c))?;
    before[start..].contains(':').then_some(start)
}

fn separates(c: char) -> bool {
    c.is_whitespace() || ",;|\"'`<>()[]{}".contains(c)
}

/// What must not be printed of a value that may be a URL, anywhere: user and password together, and the password; also
/// as a client reads them, without `%` escapes.
#[cfg(feature = "settings")]
pub(crate) fn secret_parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    if let (Some(scheme), Some(end)) = (text.find("://"), text.rfind('@'))
        && let Some(user) = text.get(scheme + 3..end)
    {
        parts.push(user.to_owned());
        parts.extend(user.split_once(':').map(|(_, password)| password.to_owned()));
    }
    for part in text.split(['?', '&', ';', ' ', '\n']) {
        parts.extend(part.split_once('=').filter(|(name, _)| is_secret_name(name)).map(|(_, value)| value.to_owned()));
    }
    let read: Vec<_> = parts.iter().filter(|part| part.contains('%')).map(|part| unescaped(part)).collect();
    parts.extend(read);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(feature = "settings")]
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

#[cfg(feature = "settings")]
fn redact_user(text: &str) -> Cow<'_, str> {
    // From the scheme to the last `@`, wherever that is.
    let Some(end) = text.rfind('@') else { return Cow::Borrowed(text) };
    let start = text.find("://").map_or(0, |scheme| scheme + 3);
    // An address of a person is no URL with a user: there is no password in it.
    if start == 0 && !text[..end].contains(':') || start > end {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}{HIDDEN}{}", &text[..start], &text[end..]))
}

#[cfg(all(test, feature = "settings"))]
mod tests {
    use super::*;

    #[test]
    fn urls_are_printed_without_user_and_password() {
        let cases = [
            ("redis://localhost:6379/0", "redis://localhost:6379/0"),
            ("redis://:hunter2@localhost/0", "redis://***@localhost/0"),
            ("amqp://guest:hunter2@mq:5672/%2f", "amqp://***@mq:5672/%2f"),
            ("amqp://guest:hun/ter@2@mq", "amqp://***@mq"),
            ("https://ghp_token@github.com/x", "https://***@github.com/x"),
            ("redis://:hunter2@a;redis://:hunter2@b", "redis://***@b"),
            ("postgres://h/db?user=x&password=hunter2&sslmode=on", "postgres://h/db?user=x&password=***&sslmode=on"),
            ("host=h password=hunter2 dbname=d", "host=h password=*** dbname=d"),
            ("https://h/?api_key=hunter2", "https://h/?api_key=***"),
            ("user:hunter2@host", "***@host"),
            ("ada@example.org", "ada@example.org"),
            ("plain", "plain"),
        ];
        for (url, shown) in cases {
            assert_eq!(redact_url(url), shown, "{url}");
        }
    }

    #[test]
    fn urls_in_a_sentence_are_printed_without_user_and_password_and_the_sentence_stays() {
        let cases = [
            ("can't connect to redis://me:hunter2@h", "can't connect to redis://***@h"),
            ("redis://me:hunter2@h/0: refused; ask ops@h.org", "redis://***@h/0: refused; ask ops@h.org"),
            ("a redis://:hunter2@a and b redis://:hunter2@b fail", "a redis://***@a and b redis://***@b fail"),
            ("redis://:hunter2@a,redis://:hunter2@b", "redis://***@a,redis://***@b"),
            ("redis://:hunter2@a;redis://:hunter2@b;", "redis://***@a;redis://***@b;"),
            ("<amqp://guest:hun/ter@2@mq> is down", "<amqp://***@mq> is down"),
            ("tried 'redis://me:hun ter2@h/0' twice", "tried 'redis://***@h/0' twice"),
            ("redis://localhost:6379: no answer; ask ops@h.org", "redis://localhost:6379: no answer; ask ops@h.org"),
            ("redis://[::1]:6379 is down; ask ops@h.org", "redis://[::1]:6379 is down; ask ops@h.org"),
            ("at \"me:hunter2@h\" nobody answers", "at \"***@h\" nobody answers"),
            ("no answer (host=h password=hunter2 dbname=d)", "no answer (host=h password=*** dbname=d)"),
            ("write to ada@example.org or bob@example.org", "write to ada@example.org or bob@example.org"),
            ("the token is gone", "the token is gone"),
            ("é redis://ü:hunter2@é\u{2003}é:hunter2@ü @", "é redis://***@é\u{2003}***@ü @"),
            ("@", "@"),
            ("://@", "://***@"),
            ("", ""),
        ];
        for (text, shown) in cases {
            assert_eq!(redact_text(text), shown, "{text}");
        }
    }

    #[test]
    fn the_secret_parts_of_a_url_are_user_and_password_as_written_and_as_read() {
        assert_eq!(secret_parts("redis://me:hun%2Fter@h/0"), ["me:hun%2Fter", "hun%2Fter", "me:hun/ter", "hun/ter"]);
        assert_eq!(secret_parts("https://ghp_1@h/?api_key=k%zz"), ["ghp_1", "k%zz", "k%zz"]);
        assert!(
            ["redis://h/0", "ada@example.org", "plain", "x://", "a@b://c"].iter().all(|t| secret_parts(t).is_empty())
        );
    }

    #[test]
    fn names_that_promise_a_secret_are_known() {
        assert!(["password", "DB_PASSWD", "api_key", "auth", "access_token"].iter().all(|name| is_secret_name(name)));
        assert!(!["author", "keyspace", "monkey", "path"].iter().any(|name| is_secret_name(name)));
    }
}
