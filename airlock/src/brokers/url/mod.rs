//! Where a broker is, without letting its password out.

mod error;
#[cfg(feature = "_tls")]
mod files;
mod parameters;
mod parse;
mod refused;
mod scheme;
#[cfg(test)]
mod tests;

use std::fmt;

pub use error::BrokerUrlError;
pub(crate) use parameters::Parameters;
pub(crate) use scheme::Scheme;

/// The address of a broker, as Celery and Dramatiq write it: `redis://`, `rediss://` (TLS), `amqp://`, `amqps://`
/// (TLS) or `postgres://`, then `user:password@host:port/path`. What is left out has the usual default. The path of a
/// Redis URL is the number of the database; that of a RabbitMQ URL is the virtual host, `/` if there is none; that of a
/// Postgres URL is the name of the database, the user's if there is none.
///
/// A SQLite database is a file, `sqlite:///srv/shop/db.sqlite3`, or `sqlite:db.sqlite3` from the folder that the process is
/// in when the URL is read. Redis on the same machine may be a file, too: `redis+socket:///run/redis/redis.sock`.
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
#[doc = include_str!("../../../docs/urls.md")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BrokerUrl {
    pub(crate) scheme: Scheme,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// Empty if there is a socket, or if Postgres is looked for on this machine.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The number or the name of a database, a virtual host, or the path of a file.
    pub(crate) path: String,
    /// A file that a Redis server listens at, or the folder of those of Postgres.
    pub(crate) socket: Option<String>,
    pub(crate) parameters: Parameters,
}

impl BrokerUrl {
    /// The url, if this program has a transport for it.
    pub(crate) fn usable(self) -> Result<Self, BrokerUrlError> {
        self.scheme.missing_feature().map_or(Ok(self), |feature| Err(BrokerUrlError::Feature(feature)))
    }

    /// What an error calls the broker.
    pub(crate) fn place(&self) -> String {
        match (&self.socket, self.scheme) {
            (_, Scheme::Sqlite) => self.path.clone(),
            (Some(socket), Scheme::RedisSocket) => socket.clone(),
            (Some(folder), _) => format!("{}/.s.PGSQL.{}", folder.trim_end_matches('/'), self.port),
            (None, _) if self.host.is_empty() => format!("localhost:{}", self.port),
            (None, _) => self.authority(),
        }
    }

    /// Host and port, as far as there are any.
    fn authority(&self) -> String {
        let port = if self.host.is_empty() && self.port == self.scheme.port() {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        if self.host.contains(':') { format!("[{}]{port}", self.host) } else { format!("{}{port}", self.host) }
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
        let mut parameters: Vec<_> = self.parameters.shown(self.scheme).collect();
        match (&self.socket, self.scheme) {
            (_, Scheme::Sqlite) => f.write_str(&self.path)?,
            (Some(socket), Scheme::RedisSocket) => {
                f.write_str(socket)?;
                parameters.insert(0, format!("db={}", self.path));
            }
            (socket, _) => {
                write!(f, "{}/{}", self.authority(), self.path)?;
                parameters.extend(socket.as_ref().map(|folder| format!("host={folder}")));
            }
        }
        for (place, parameter) in parameters.iter().enumerate() {
            write!(f, "{}{parameter}", if place == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerUrl({self})")
    }
}
