//! From a text to the parts of a URL.

use percent_encoding::percent_decode_str;
use std::str::FromStr;

use ::url::{Host, ParseError, Url};

use super::parameters::Parameters;
use super::refused::{check_account, check_file, check_path, check_place, check_supported, check_text};
use super::{BrokerUrl, BrokerUrlError, Scheme};
use crate::brokers::transport::Transport;

/// The parts as they are written, before `::url` reads those that it has to: it takes tabs and line breaks out of a URL,
/// resolves `..` in a path, which is a name here, and forgets a colon behind a user.
pub(super) struct Written<'a> {
    pub(super) account: Option<&'a str>,
    /// Host and port.
    pub(super) place: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
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
        check_supported(url)?;
        check_text(url)?;
        let (scheme, rest) = Scheme::split(url).ok_or(BrokerUrlError::Scheme)?;
        let written = Written::new(rest);
        match scheme {
            Scheme::Sqlite => Self::of_file(rest),
            Scheme::RedisSocket => Self::of_socket(&written),
            _ => Self::of_server(scheme, &written),
        }
    }
}

impl BrokerUrl {
    fn of_server(scheme: Scheme, written: &Written<'_>) -> Result<Self, BrokerUrlError> {
        check_path(written, scheme)?;
        check_account(written, scheme)?;
        let is_postgres = scheme.transport() == Transport::Postgres;
        let (folder, place) = if is_postgres { folder(written.place)? } else { (None, written.place) };
        check_place(place)?;
        // Postgres has a socket on the same machine where no host is named.
        let is_left_out = is_postgres && (place.is_empty() || place.starts_with(':'));
        let host = if is_left_out { "localhost" } else { "" };
        let account = written.account.map_or_else(String::new, |account| format!("{account}@"));
        let read = Url::parse(&format!("{}://{account}{host}{place}", scheme.name())).map_err(|error| match error {
            ParseError::InvalidPort => BrokerUrlError::Port,
            ParseError::InvalidIpv6Address => BrokerUrlError::Address,
            ParseError::InvalidDomainCharacter => BrokerUrlError::HostCharacter,
            _ => BrokerUrlError::Host,
        })?;
        let host = match read.host() {
            _ if is_left_out => String::new(),
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err(BrokerUrlError::Host),
        };
        let port = match read.port() {
            Some(0) => return Err(BrokerUrlError::Port),
            port => port.unwrap_or(scheme.port()),
        };
        // Only now: a password that is cut off at a `?` is none of them.
        let parameters = Parameters::read(scheme, written.query.unwrap_or_default())?;
        let user = decoded(read.username())?.map(printable).transpose()?;
        let password = read.password().map_or(Ok(None), decoded)?;
        let path = decoded(written.path)?.map(printable).transpose()?.unwrap_or_default();
        let url = Self { scheme, user, password, host, port, path, socket: folder, parameters };
        url.parameters.check_pair("ssl_certfile", "ssl_keyfile")?;
        url.parameters.check_pair("certfile", "keyfile")?;
        match scheme.transport() {
            Transport::Redis => url.of_redis(),
            Transport::Postgres => url.of_postgres(),
            // As the Python side reads it: nothing is the default virtual host.
            Transport::Amqp if url.path.is_empty() => Ok(Self { path: "/".to_owned(), ..url }),
            _ => Ok(url),
        }
    }

    fn of_redis(mut self) -> Result<Self, BrokerUrlError> {
        // What stands in the account counts more, as redis-py reads it.
        let (user, password) = (self.parameters.take("username"), self.parameters.take("password"));
        self.user = self.user.or(user.map(printable).transpose()?);
        self.password = self.password.or(password);
        if let Some(database) = self.parameters.take("db") {
            self.path = database;
        } else if self.path.is_empty() {
            "0".clone_into(&mut self.path);
        }
        self.path = self.path.parse::<u32>().map_err(|_| BrokerUrlError::Database)?.to_string();
        // `user:@host`: the server is given the user, also where they need no password.
        if self.user.is_some() {
            self.password.get_or_insert_default();
        }
        Ok(self)
    }

    /// Parameters that have a place in the URL count more than what stands there, as the clients read them.
    fn of_postgres(mut self) -> Result<Self, BrokerUrlError> {
        let host = self.parameters.take("host");
        // An address counts more than a name.
        if let Some(host) = self.parameters.take("hostaddr").or(host) {
            (self.socket, self.host) = if host.starts_with('/') {
                (Some(printable(host)?), String::new())
            } else {
                if host.contains([':', '[', ']']) && host.parse::<std::net::Ipv6Addr>().is_err() {
                    return Err(BrokerUrlError::Address);
                }
                if !host.contains(':') {
                    check_place(&host)?;
                }
                (None, host)
            };
        }
        if let Some(port) = self.parameters.take("port") {
            self.port = port.parse().map_err(|_| BrokerUrlError::Port)?;
        }
        if let Some(user) = self.parameters.take("user") {
            self.user = Some(printable(user)?);
        }
        if let Some(password) = self.parameters.take("password") {
            self.password = Some(password);
        }
        if let Some(database) = self.parameters.take("dbname") {
            self.path = printable(database)?;
        }
        if matches!(self.parameters.get("sslmode"), Some("require" | "verify-ca" | "verify-full")) {
            self.scheme = Scheme::PostgresTls;
        }
        Ok(self)
    }

    fn of_socket(written: &Written<'_>) -> Result<Self, BrokerUrlError> {
        let scheme = Scheme::RedisSocket;
        check_path(written, Scheme::Sqlite)?;
        check_account(written, scheme)?;
        let parameters = Parameters::read(scheme, written.query.unwrap_or_default())?;
        // What is no account and no path was meant for a host.
        if !written.place.is_empty() || written.path.is_empty() {
            return Err(BrokerUrlError::Path);
        }
        let (user, password) = written.account.and_then(|account| account.split_once(':')).unwrap_or_default();
        let (user, password) = (decoded(user)?.map(printable).transpose()?, decoded(password)?);
        let socket = printable(format!("/{}", decoded(written.path)?.ok_or(BrokerUrlError::Path)?))?;
        let path = String::new();
        Self { scheme, user, password, host: String::new(), port: 0, path, socket: Some(socket), parameters }.of_redis()
    }

    fn of_file(rest: &str) -> Result<Self, BrokerUrlError> {
        let scheme = Scheme::Sqlite;
        let (path, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        check_file(path)?;
        let path = decoded(path)?.unwrap_or_default();
        // Before anything is said of the parameters of such a one.
        if path.contains(":memory:") || query.contains("mode=memory") {
            return Err(BrokerUrlError::Memory);
        }
        let parameters = Parameters::read(scheme, query)?;
        Ok(Self { parameters, ..Self::of_path(&path)? })
    }

    /// The SQLite database in the file of this name.
    pub(crate) fn of_path(path: &str) -> Result<Self, BrokerUrlError> {
        if path.contains(":memory:") {
            return Err(BrokerUrlError::Memory);
        }
        let path = printable(path.to_owned())?;
        // What is made absolute here stays the same file if the process changes its folder.
        let name = path.trim_start_matches('/');
        let path = if name.len() == path.len() { path.clone() } else { format!("/{name}") };
        let absolute = std::path::absolute(&path).ok().filter(|_| !name.is_empty());
        let path = absolute.and_then(|path| path.into_os_string().into_string().ok()).ok_or(BrokerUrlError::Path)?;
        let (scheme, parameters) = (Scheme::Sqlite, Parameters::default());
        Ok(Self { scheme, user: None, password: None, host: String::new(), port: 0, path, socket: None, parameters })
    }

    /// The Postgres database that a client is connected with, for people: without what lets it in.
    pub(crate) fn of_database(host: &str, port: u16, socket: Option<String>, user: &str, database: &str) -> Self {
        let (scheme, parameters) = (Scheme::Postgres, Parameters::default());
        let (user, path) = (Some(user.to_owned()), database.to_owned());
        Self { scheme, user, password: None, host: host.to_owned(), port, path, socket, parameters }
    }
}

/// The folder of a socket in place of a host, which is percent-encoded as it begins with a `/`, and the rest of the place.
fn folder(place: &str) -> Result<(Option<String>, &str), BrokerUrlError> {
    if !place.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f")) {
        return Ok((None, place));
    }
    let (folder, port) = place.split_at(place.find(':').unwrap_or(place.len()));
    Ok((decoded(folder)?.map(printable).transpose()?, port))
}

/// The text without its percent encoding; `None` if it is empty.
pub(super) fn decoded(text: &str) -> Result<Option<String>, BrokerUrlError> {
    // The crate leaves a `%` without two digits as it is; a client may have meant something else.
    let is_escape =
        |after: &str| after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(is_escape) {
        return Err(BrokerUrlError::Encoding);
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| BrokerUrlError::NotUtf8)?;
    Ok((!text.is_empty()).then(|| text.into_owned()))
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
