//! What can't be meant as the URL of a broker, though a parser of URLs would take it and say what it was taken for.

use std::net::Ipv6Addr;

use super::parse::Written;
use super::{BrokerUrlError, Scheme};
use crate::brokers::transport::Transport;

const QUOTES: [char; 7] = ['"', '\'', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'];

/// Servers that the URL can't lead to, before it is looked at: their URLs are lists.
pub(super) fn check_supported(url: &str) -> Result<(), BrokerUrlError> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let scheme = scheme.trim_start_matches(QUOTES).to_ascii_lowercase();
    let is_of_redis = scheme.split(['+', '-']).any(|part| matches!(part, "redis" | "rediss" | "valkey"));
    if scheme.split(['+', '-']).any(|part| part == "sentinel") {
        return Err(BrokerUrlError::Unsupported(
            "Redis Sentinel",
            "give the URL of the primary, or of a proxy before it",
        ));
    }
    if is_of_redis && (scheme.contains("cluster") || rest.contains("cluster=")) {
        return Err(BrokerUrlError::Unsupported("a Redis cluster", "give the URL of a server that is no part of one"));
    }
    Ok(())
}

/// The text as a whole.
pub(super) fn check_text(url: &str) -> Result<(), BrokerUrlError> {
    if url.starts_with(QUOTES) || url.ends_with(QUOTES) {
        return Err(BrokerUrlError::Quotes);
    }
    if url.contains(char::is_control) {
        return Err(BrokerUrlError::Control);
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        // As `${BROKER_URL}`.
        return if url.starts_with(['$', '{', '<', '%']) { Err(BrokerUrlError::Template) } else { Ok(()) };
    };
    if scheme.contains(['$', '{', '<', '%']) {
        return Err(BrokerUrlError::Template);
    }
    if let Some(second) = rest.find("://") {
        let before = rest[..second].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let is_list = before.ends_with(|c: char| ",;|".contains(c) || c.is_whitespace());
        return Err(if is_list { BrokerUrlError::Several } else { BrokerUrlError::Twice });
    }
    Ok(())
}

pub(super) fn check_path(written: &Written<'_>, scheme: Scheme) -> Result<(), BrokerUrlError> {
    if written.path.contains('@') {
        return Err(BrokerUrlError::Slash);
    }
    // What stands before it would be taken for the host and for the name of a parameter.
    if written.query.is_some_and(|query| query.contains('@')) {
        return Err(BrokerUrlError::Query);
    }
    if is_variable(written.path) || scheme.transport() == Transport::Redis && written.path.contains(['$', '{', '<']) {
        return Err(BrokerUrlError::Template);
    }
    Ok(())
}

pub(super) fn check_account(written: &Written<'_>, scheme: Scheme) -> Result<(), BrokerUrlError> {
    let Some(account) = written.account else { return Ok(()) };
    // `a,u:p@b` and `u:p@a,u:p@b` are lists; a comma alone may be part of a password.
    if account.split_once('@').is_some_and(|(_, next)| next.contains([',', ';'])) {
        return Err(BrokerUrlError::Several);
    }
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    if is_variable(user) || is_variable(password) {
        return Err(BrokerUrlError::Template);
    }
    if scheme.transport() == Transport::Redis && !account.is_empty() && !account.contains(':') {
        return Err(BrokerUrlError::Account);
    }
    Ok(())
}

/// Host and port.
pub(super) fn check_place(place: &str) -> Result<(), BrokerUrlError> {
    if place.contains(['$', '{', '}', '<', '>', '%']) {
        return Err(BrokerUrlError::Template);
    }
    if place.contains([',', ';']) {
        return Err(BrokerUrlError::Several);
    }
    if place.starts_with('[') {
        return Ok(());
    }
    let (host, port) = place.split_once(':').unwrap_or((place, ""));
    if port.contains(':') && is_address(place) {
        return Err(BrokerUrlError::Address);
    }
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if host.chars().all(is_of_name) { Ok(()) } else { Err(BrokerUrlError::HostCharacter) }
}

/// The path of a file, which may have anything in it but an account.
pub(super) fn check_file(path: &str) -> Result<(), BrokerUrlError> {
    // A password may have a `/` in it.
    if path.rsplit_once('@').is_some_and(|(account, _)| account.contains(':')) {
        return Err(BrokerUrlError::FileAccount);
    }
    if path.split('/').any(is_variable) {
        return Err(BrokerUrlError::Template);
    }
    Ok(())
}

/// Whether it is the address alone, or with a port behind it.
fn is_address(place: &str) -> bool {
    let is_one = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    is_one(place) || place.rsplit_once(':').is_some_and(|(address, _)| is_one(address))
}

/// Whether this is nothing but a variable of a template: `${NAME}`, `$(NAME)`, `{{ name }}`, `{name}`, `<name>`, `%(name)s`.
fn is_variable(text: &str) -> bool {
    let forms = [("${", "}"), ("$(", ")"), ("{{", "}}"), ("{", "}"), ("<", ">"), ("%(", ")s")];
    let is_name =
        |name: &str| !name.trim().is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c));
    forms
        .iter()
        .any(|(start, end)| text.strip_prefix(start).and_then(|inner| inner.strip_suffix(end)).is_some_and(is_name))
}
