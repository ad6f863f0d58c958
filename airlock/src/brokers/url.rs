//! Where a broker is, without letting its password out.

use std::fmt;

use super::message::Transport;

/// The address of a broker, as Celery and Dramatiq write it: `redis://`, `rediss://` (TLS), `amqp://`, `amqps://`
/// (TLS) or `postgres://`, then `user:password@host:port/path`. What is left out has the usual default. The path of a
/// Redis URL is the number of the database; that of a RabbitMQ URL is the virtual host, `/` if there is none; that of a
/// Postgres URL is the name of the database, the user's if there is none. Postgres has TLS with `?sslmode=verify-full`
/// at the end, and nothing else may stand there.
///
/// A SQLite database is a file, by its absolute path: `sqlite:///srv/shop/db.sqlite3`.
///
/// Special characters in user, password and path are percent-encoded. The password is shown nowhere.
///
/// ```
/// use airlock::BrokerUrl;
///
/// let url: BrokerUrl = "redis://:secret@cache.internal/2".parse()?;
/// assert_eq!(url.to_string(), "redis://***@cache.internal:6379/2");
/// # Ok::<(), airlock::BrokerUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BrokerUrl {
    pub(crate) scheme: Scheme,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The number or the name of a database, a virtual host, or the path of a file.
    pub(crate) path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Redis,
    RedisTls,
    Amqp,
    AmqpTls,
    Sqlite,
    Postgres,
    PostgresTls,
}

/// Why a text is no [`BrokerUrl`]. It does not quote the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerUrlError {
    /// Another scheme, or none.
    #[error(
        "the broker's URL has no known scheme; it starts with `redis://`, `rediss://`, `amqp://`, `amqps://`, \
         `sqlite://` or `postgres://`"
    )]
    Scheme,
    /// There is no host.
    #[error("the broker's URL has no host; write it like `redis://localhost:6379/0`")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the broker's URL has a port that is no number; percent-encode `:`, `/`, `@` and `%` in a password")]
    Port,
    /// The path is no number of a database.
    #[error("the path of a Redis URL is the number of a database; write it like `redis://localhost:6379/0`")]
    Database,
    /// There is no path of a file.
    #[error("the URL of a SQLite database has an absolute path; write it like `sqlite:///srv/shop/db.sqlite3`")]
    Path,
    /// The mode of TLS is none that is known.
    #[error(
        "Postgres has TLS with `?sslmode=verify-full`, which checks the certificate, and none with \
         `?sslmode=disable`; write one of them"
    )]
    Tls,
    /// A `%` is not followed by two hexadecimal digits.
    #[error("the broker's URL has a `%` without two hexadecimal digits; write `%25` for the sign itself")]
    Encoding,
    /// There is a `?` or `#`.
    #[error(
        "the broker's URL has a query or a fragment, which nobody would read; say it on the executor, and write `%3F` \
         and `%23` for the signs themselves"
    )]
    Query,
    /// The system has no workers that read from such a broker.
    #[error("{0} doesn't run over this kind of broker; give the URL of one that its workers read from")]
    System(&'static str),
    /// The transport is not compiled in.
    #[error("this program has no transport for the broker's URL; add the cargo feature `{0}` of airlock")]
    Feature(&'static str),
}

impl Scheme {
    fn split(url: &str) -> Option<(Self, &str)> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "redis" => Self::Redis,
            "rediss" => Self::RedisTls,
            "amqp" | "pyamqp" => Self::Amqp,
            "amqps" => Self::AmqpTls,
            "sqlite" => Self::Sqlite,
            "postgres" | "postgresql" => Self::Postgres,
            _ => return None,
        };
        Some((scheme, rest))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::RedisTls => "rediss",
            Self::Amqp => "amqp",
            Self::AmqpTls => "amqps",
            Self::Sqlite => "sqlite",
            Self::Postgres | Self::PostgresTls => "postgres",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Redis | Self::RedisTls => 6379,
            Self::Amqp => 5672,
            Self::AmqpTls => 5671,
            Self::Postgres | Self::PostgresTls => 5432,
            Self::Sqlite => 0,
        }
    }

    /// The cargo feature it needs, unless that is on.
    pub(crate) fn missing_feature(self) -> Option<&'static str> {
        let (feature, is_on) = match self {
            Self::Redis => ("redis", cfg!(feature = "redis")),
            Self::RedisTls => ("redis-tls", cfg!(feature = "redis-tls")),
            Self::Amqp => ("amqp", cfg!(feature = "amqp")),
            Self::AmqpTls => ("amqp-tls", cfg!(feature = "amqp-tls")),
            Self::Sqlite => ("sqlite", cfg!(feature = "sqlite")),
            Self::Postgres => ("postgres", cfg!(feature = "postgres")),
            Self::PostgresTls => ("postgres-tls", cfg!(feature = "postgres-tls")),
        };
        (!is_on).then_some(feature)
    }

    pub(crate) fn transport(self) -> Transport {
        match self {
            Self::Redis | Self::RedisTls => Transport::Redis,
            Self::Amqp | Self::AmqpTls => Transport::Amqp,
            Self::Sqlite => Transport::Sqlite,
            Self::Postgres | Self::PostgresTls => Transport::Postgres,
        }
    }
}

impl std::str::FromStr for BrokerUrl {
    type Err = BrokerUrlError;

    fn from_str(url: &str) -> Result<Self, BrokerUrlError> {
        let (mut scheme, mut rest) = Scheme::split(url.trim()).ok_or(BrokerUrlError::Scheme)?;
        if let (Scheme::Postgres, Some((before, mode))) = (scheme, rest.rsplit_once("?sslmode=")) {
            rest = before;
            scheme = match mode {
                "disable" => Scheme::Postgres,
                "verify-full" => Scheme::PostgresTls,
                _ => return Err(BrokerUrlError::Tls),
            };
        }
        if rest.contains(['?', '#']) {
            return Err(BrokerUrlError::Query);
        }
        if scheme == Scheme::Sqlite {
            return Self::of_file(rest);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (account, place) = match authority.rsplit_once('@') {
            Some((account, place)) => (Some(account), place),
            None => (None, authority),
        };
        let (user, password) = match account.map(|account| account.split_once(':').unwrap_or((account, ""))) {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (None, None),
        };
        let (host, port) = split_port(place)?;
        if host.is_empty() {
            return Err(BrokerUrlError::Host);
        }
        let path = decoded(path)?.unwrap_or_default();
        let path = match scheme.transport() {
            Transport::Redis if path.is_empty() => "0".to_owned(),
            Transport::Redis => path.parse::<u32>().map_err(|_| BrokerUrlError::Database)?.to_string(),
            // As the Python side reads it: nothing is the default virtual host.
            Transport::Amqp if path.is_empty() => "/".to_owned(),
            _ => path,
        };
        Ok(Self { scheme, user, password, host, port: port.unwrap_or(scheme.port()), path })
    }
}

impl BrokerUrl {
    fn of_file(path: &str) -> Result<Self, BrokerUrlError> {
        // Relative to where the process was started, it would be another file for each.
        let path = decoded(path)?.filter(|path| path.len() > 1 && path.starts_with('/')).ok_or(BrokerUrlError::Path)?;
        Ok(Self { scheme: Scheme::Sqlite, user: None, password: None, host: String::new(), port: 0, path })
    }

    /// The url, if this program has a transport for it.
    pub(crate) fn usable(self) -> Result<Self, BrokerUrlError> {
        self.scheme.missing_feature().map_or(Ok(self), |feature| Err(BrokerUrlError::Feature(feature)))
    }

    /// What an error calls the broker.
    pub(crate) fn place(&self) -> String {
        if self.scheme == Scheme::Sqlite {
            self.path.clone()
        } else if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// The host without the brackets of an IPv6 address, and the port.
fn split_port(place: &str) -> Result<(String, Option<u16>), BrokerUrlError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or(BrokerUrlError::Host)?;
            (host, rest.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = match port {
        None | Some("") => None,
        Some(port) => Some(port.parse().ok().filter(|&port| port > 0).ok_or(BrokerUrlError::Port)?),
    };
    Ok((host.to_owned(), port))
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
    let text = String::from_utf8(bytes).map_err(|_| BrokerUrlError::Encoding)?;
    Ok((!text.is_empty()).then_some(text))
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.name())?;
        match (&self.user, &self.password) {
            (Some(user), Some(_)) => write!(f, "{user}:***@")?,
            (Some(user), None) => write!(f, "{user}@")?,
            (None, Some(_)) => f.write_str("***@")?,
            (None, None) => {}
        }
        match self.scheme {
            Scheme::Sqlite => f.write_str(&self.path),
            Scheme::PostgresTls => write!(f, "{}/{}?sslmode=verify-full", self.place(), self.path),
            _ => write!(f, "{}/{}", self.place(), self.path),
        }
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> BrokerUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_is_left_out_has_the_usual_default() {
        assert_eq!(url("redis://localhost").to_string(), "redis://localhost:6379/0");
        assert_eq!(url("REDISS://localhost/3").to_string(), "rediss://localhost:6379/3");
        assert_eq!(url("amqp://localhost").to_string(), "amqp://localhost:5672//");
        assert_eq!(url("amqp://localhost/").path, "/");
        // As Celery's own documentation writes it.
        assert_eq!(url("pyamqp://guest@localhost//").path, "/");
        assert_eq!(url("amqps://localhost/shop%2Feu").to_string(), "amqps://localhost:5671/shop/eu");
        assert_eq!(url("redis://[::1]:7000").to_string(), "redis://[::1]:7000/0");
        assert_eq!(url("postgresql://shop@db").to_string(), "postgres://shop@db:5432/");
        assert_eq!(url("postgres://db/shop?sslmode=disable").to_string(), "postgres://db:5432/shop");
        assert_eq!(
            url("postgres://db/shop?sslmode=verify-full").to_string(),
            "postgres://db:5432/shop?sslmode=verify-full"
        );
        assert_eq!(url("sqlite:///srv/my%20shop/db%3F.sqlite3").place(), "/srv/my shop/db?.sqlite3");
        assert_eq!(url("sqlite:///srv/db.sqlite3").to_string(), "sqlite:///srv/db.sqlite3");
    }

    #[test]
    fn the_password_is_read_and_not_shown() {
        let url = url("amqp://shop:p%40ss%2Fw%25rd@localhost/live");
        assert_eq!((url.user.as_deref(), url.password.as_deref()), (Some("shop"), Some("p@ss/w%rd")));
        for shown in [url.to_string(), format!("{url:?}"), url.place()] {
            assert!(!shown.contains("p@ss") && !shown.contains("p%40ss"), "{shown}");
        }
        assert_eq!(self::url("redis://:p@ss@localhost").password.as_deref(), Some("p@ss"));
    }

    #[test]
    fn what_is_no_url_is_told_without_quoting_it() {
        let mistakes = [
            ("localhost:6379", BrokerUrlError::Scheme),
            ("http://:secret@localhost", BrokerUrlError::Scheme),
            ("redis://:secret@", BrokerUrlError::Host),
            ("redis://:sec/ret@localhost", BrokerUrlError::Port),
            ("redis://:secret@localhost/db", BrokerUrlError::Database),
            ("redis://:sec%ret@localhost", BrokerUrlError::Encoding),
            ("redis://:secret@localhost?ssl=1", BrokerUrlError::Query),
            ("postgres://shop:secret@localhost/shop?sslmode=require", BrokerUrlError::Tls),
            ("postgres://shop:secret@localhost/shop?sslmode=disable&user=sec", BrokerUrlError::Tls),
            ("postgres://shop:secret@localhost/shop?user=sec", BrokerUrlError::Query),
            ("sqlite://secret.sqlite3", BrokerUrlError::Path),
            ("sqlite:///", BrokerUrlError::Path),
            ("sqlite://", BrokerUrlError::Path),
            ("sqlite:///secret?mode=memory", BrokerUrlError::Query),
        ];
        for (text, expected) in mistakes {
            let error = text.parse::<BrokerUrl>().expect_err("a mistake");
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("sec"), "{error}");
        }
    }

    #[test]
    fn a_transport_that_is_off_is_named() {
        for url in [
            "redis://localhost",
            "rediss://localhost",
            "amqp://localhost",
            "amqps://localhost",
            "sqlite:///db",
            "postgres://localhost",
            "postgres://localhost?sslmode=verify-full",
        ] {
            if let Some(feature) = self::url(url).scheme.missing_feature() {
                let error = self::url(url).usable().expect_err("it is off");
                assert!(error.to_string().contains(&format!("`{feature}`")), "{error}");
            }
        }
    }
}
