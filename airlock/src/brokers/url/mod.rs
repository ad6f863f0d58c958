//! Where a broker is, without letting its password out.

mod error;
mod parse;
mod refused;
mod scheme;
#[cfg(test)]
mod tests;

use std::fmt;

pub use error::BrokerUrlError;
pub(crate) use scheme::Scheme;

/// The address of a broker, as Celery and Dramatiq write it: `redis://`, `rediss://` (TLS), `amqp://`, `amqps://`
/// (TLS) or `postgres://`, then `user:password@host:port/path`. What is left out has the usual default. The path of a
/// Redis URL is the number of the database; that of a RabbitMQ URL is the virtual host, `/` if there is none; that of a
/// Postgres URL is the name of the database, the user's if there is none. Postgres has TLS with `?sslmode=verify-full`
/// at the end, and nothing else may stand there.
///
/// A SQLite database is a file, by its absolute path: `sqlite:///srv/shop/db.sqlite3`.
///
/// Special characters in user, password and path are percent-encoded. The password is shown nowhere. A Redis URL says
/// with a colon which of the two it has: `redis://:password@host`, or `redis://user:@host`. What can't be the URL of one
/// broker is refused: lists, what was pasted twice, quotes around it, variables of a template that were not filled in.
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

impl BrokerUrl {
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
