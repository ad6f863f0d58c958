//! Texts without the passwords in them.

use std::borrow::Cow;

/// What is printed in place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// A URL as it may be printed: user and password are left out, as are the values of parameters such as
/// `?password=`. Also for several URLs in one text, and for the `password=… host=…` form of SQL clients.
///
/// Rather too much is hidden than too little: a password may hold a `/` or an `@` that should have been escaped.
pub(crate) fn redact_url(text: &str) -> Cow<'_, str> {
    let without_user = redact_user(text);
    let mut out = String::with_capacity(without_user.len());
    for part in without_user.split_inclusive(['?', '&', ';', ' ', '\n']) {
        match part.split_once('=') {
            Some((name, value)) if is_secret_name(name) => {
                out.push_str(&format!("{name}={HIDDEN}"));
                // The separator that ended the part.
                out.extend(value.chars().last().filter(|last| "?&; \n".contains(*last)));
            }
            _ => out.push_str(part),
        }
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// Whether a value of this name is one to hide.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "credential", "signature"].iter().any(|part| name.contains(part))
        || name.split(['_', '-', '.']).any(|word| matches!(word, "key" | "apikey" | "auth" | "pw"))
}

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

#[cfg(test)]
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
    fn names_that_promise_a_secret_are_known() {
        assert!(["password", "DB_PASSWD", "api_key", "auth", "access_token"].iter().all(|name| is_secret_name(name)));
        assert!(!["author", "keyspace", "monkey", "path"].iter().any(|name| is_secret_name(name)));
    }
}
