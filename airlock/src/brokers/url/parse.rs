//! From a text to the parts of a URL.

use std::str::FromStr;

use ::url::{Host, ParseError, Url};

use super::refused::{check_account, check_file, check_path, check_place, check_text};
use super::{BrokerUrl, BrokerUrlError, Scheme};
use crate::brokers::message::Transport;

/// The parts as they are written, before `::url` reads those that it has to: it takes tabs and line breaks out of a URL,
/// resolves `..` in a path, which is a name here, and forgets a colon behind a user.
pub(super) struct Written<'a> {
    pub(super) account: Option<&'a str>,
    /// Host and port.
    pub(super) place: &'a str,
    pub(super) path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Written<'a> {
    fn new(rest: &'a str) -> Self {
        let (rest, query) = match rest.find(['?', '#']) {
            Some(end) => (&rest[..end], Some(&rest[end..])),
            None => (rest, None),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (account, place) = match authority.rsplit_once('@') {
            Some((account, place)) => (Some(account), place),
            None => (None, authority),
        };
        Self { account, place, path, query }
    }
}

impl FromStr for BrokerUrl {
    type Err = BrokerUrlError;

    fn from_str(url: &str) -> Result<Self, BrokerUrlError> {
        let url = url.trim();
        check_text(url)?;
        let (scheme, rest) = Scheme::split(url).ok_or(BrokerUrlError::Scheme)?;
        let written = Written::new(rest);
        let scheme = match (scheme, written.query) {
            (Scheme::Postgres, Some(query)) => tls(query)?,
            (_, Some(_)) => return Err(BrokerUrlError::Query),
            (scheme, None) => scheme,
        };
        if scheme == Scheme::Sqlite {
            return Self::of_file(rest);
        }
        check_path(&written, scheme)?;
        check_account(&written, scheme)?;
        check_place(written.place)?;
        let read = Url::parse(url).map_err(|error| match error {
            ParseError::InvalidPort => BrokerUrlError::Port,
            ParseError::InvalidIpv6Address => BrokerUrlError::Address,
            ParseError::InvalidDomainCharacter => BrokerUrlError::HostCharacter,
            _ => BrokerUrlError::Host,
        })?;
        let host = match read.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err(BrokerUrlError::Host),
        };
        let port = match read.port() {
            Some(0) => return Err(BrokerUrlError::Port),
            port => port.unwrap_or(scheme.port()),
        };
        let user = decoded(read.username())?.map(printable).transpose()?;
        let password = read.password().map_or(Ok(None), decoded)?;
        let path = decoded(written.path)?.map(printable).transpose()?.unwrap_or_default();
        let path = match scheme.transport() {
            Transport::Redis if path.is_empty() => "0".to_owned(),
            Transport::Redis => path.parse::<u32>().map_err(|_| BrokerUrlError::Database)?.to_string(),
            // As the Python side reads it: nothing is the default virtual host.
            Transport::Amqp if path.is_empty() => "/".to_owned(),
            _ => path,
        };
        Ok(Self { scheme, user, password, host, port, path })
    }
}

impl BrokerUrl {
    fn of_file(path: &str) -> Result<Self, BrokerUrlError> {
        check_file(path)?;
        // Relative to where the process was started, it would be another file for each.
        let path = decoded(path)?.filter(|path| path.len() > 1 && path.starts_with('/')).ok_or(BrokerUrlError::Path)?;
        let path = printable(path)?;
        Ok(Self { scheme: Scheme::Sqlite, user: None, password: None, host: String::new(), port: 0, path })
    }
}

/// What the query of a Postgres URL says.
fn tls(query: &str) -> Result<Scheme, BrokerUrlError> {
    match query.strip_prefix("?sslmode=") {
        Some("disable") => Ok(Scheme::Postgres),
        Some("verify-full") => Ok(Scheme::PostgresTls),
        Some(_) => Err(BrokerUrlError::Tls),
        None => Err(BrokerUrlError::Query),
    }
}

/// The text without its percent encoding; `None` if it is empty.
fn decoded(text: &str) -> Result<Option<String>, BrokerUrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(BrokerUrlError::Encoding) };
        bytes.push(u8::try_from(high << 4 | low).map_err(|_| BrokerUrlError::Encoding)?);
    }
    let text = String::from_utf8(bytes).map_err(|_| BrokerUrlError::NotUtf8)?;
    Ok((!text.is_empty()).then_some(text))
}

/// A user or a path, which are printed: neither has another URL or a line of its own in it.
fn printable(text: String) -> Result<String, BrokerUrlError> {
    if text.contains(char::is_control) {
        Err(BrokerUrlError::Control)
    } else if text.contains("://") {
        Err(BrokerUrlError::Twice)
    } else {
        Ok(text)
    }
}
