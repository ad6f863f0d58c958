//! What follows the `?` of a URL, as the clients of each broker read it.

use super::{BrokerUrlError, Scheme};
use crate::brokers::transport::Transport;
use crate::text::nearest::{hint, nearest};

use super::parse::decoded;

/// Names and values, each of them known and possible.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// What may stand in the URLs of one kind of broker.
pub(super) type ParameterNames = &'static [(&'static str, ValueKind)];

/// What a parameter takes, and what an error calls that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Text,
    /// A whole number up to this one.
    Number(u64),
    Words(&'static [&'static str], &'static str),
    /// Another name of the parameter of this one.
    As(&'static str),
}

use ValueKind::{As, Number, Text, Words};

const REDIS: ParameterNames = &[
    ("db", Number(u32::MAX as u64)),
    ("virtual_host", As("db")),
    ("username", Text),
    ("password", Text),
    ("ssl_cert_reqs", Words(CERT_REQS, "`required` or `none`")),
    ("ssl_check_hostname", Words(&["true", "false", "True", "False"], "`true` or `false`")),
    ("ssl_ca_certs", Text),
    ("ssl_certfile", Text),
    ("ssl_keyfile", Text),
];

const REDIS_SOCKET: ParameterNames = &[
    ("db", Number(u32::MAX as u64)),
    ("virtual_host", As("db")),
    ("username", Text),
    ("user", As("username")),
    ("password", Text),
    ("pass", As("password")),
];

/// What is optional of a server is required: it has a certificate in any case.
const CERT_REQS: &[&str] = &["required", "optional", "none", "CERT_REQUIRED", "CERT_OPTIONAL", "CERT_NONE"];

const AMQP: ParameterNames = &[
    ("heartbeat", Number(u16::MAX as u64)),
    ("channel_max", Number(u16::MAX as u64)),
    ("frame_max", Number(u32::MAX as u64)),
    ("connection_timeout", Number(u64::MAX)),
    ("auth_mechanism", Words(MECHANISMS, "a mechanism, `plain` for one")),
    // As RabbitMQ's own clients name them, and as kombu does.
    ("cacertfile", Text),
    ("ssl_ca_certs", As("cacertfile")),
    ("certfile", Text),
    ("ssl_certfile", As("certfile")),
    ("keyfile", Text),
    ("ssl_keyfile", As("keyfile")),
    (
        "ssl_cert_reqs",
        Words(&["required", "CERT_REQUIRED"], "`required`: certificates of RabbitMQ are always looked at"),
    ),
];

/// What is about TLS, and has no sense without it.
const OF_TLS: [&str; 3] = ["cacertfile", "certfile", "keyfile"];

const MECHANISMS: &[&str] =
    &["plain", "amqplain", "anonymous", "external", "PLAIN", "AMQPLAIN", "ANONYMOUS", "EXTERNAL"];

const POSTGRES: ParameterNames = &[
    ("sslmode", Words(SSL_MODES, "`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`")),
    ("ssl-mode", As("sslmode")),
    ("sslrootcert", Text),
    ("ssl-root-cert", As("sslrootcert")),
    ("ssl-ca", As("sslrootcert")),
    ("sslcert", Text),
    ("ssl-cert", As("sslcert")),
    ("sslkey", Text),
    ("ssl-key", As("sslkey")),
    ("host", Text),
    ("hostaddr", Text),
    ("port", Number(u16::MAX as u64)),
    ("dbname", Text),
    ("user", Text),
    ("password", Text),
    ("application_name", Text),
    ("options", Text),
    ("statement-cache-capacity", Number(u32::MAX as u64)),
];

const SSL_MODES: &[&str] = &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

const SQLITE: ParameterNames = &[("mode", Words(&["rw", "rwc"], "`rw`, or `rwc` for a file that may have to be made"))];

fn names(scheme: Scheme) -> ParameterNames {
    match scheme.transport() {
        Transport::Redis if scheme == Scheme::RedisSocket => REDIS_SOCKET,
        Transport::Redis => REDIS,
        Transport::Amqp => AMQP,
        Transport::Postgres => POSTGRES,
        Transport::Sqlite => SQLITE,
    }
}

/// What an error lists.
fn known(scheme: Scheme) -> Vec<&'static str> {
    names(scheme).iter().filter(|(_, takes)| !matches!(takes, As(_))).map(|(name, _)| *name).collect()
}

impl Parameters {
    /// What the text from the `?` or `#` on says.
    pub(super) fn read(scheme: Scheme, query: &str) -> Result<Self, BrokerUrlError> {
        let mut all = Self::default();
        let query = match query.split_once('#') {
            // As redis-rs writes it.
            Some((query, "insecure")) if scheme == Scheme::RedisTls => {
                all.0.push(("ssl_cert_reqs".to_owned(), "none".to_owned()));
                query
            }
            Some((query, "")) => query,
            Some(_) => return Err(BrokerUrlError::Query),
            None => query,
        };
        let query = query.strip_prefix('?').unwrap_or(query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(BrokerUrlError::Query)?;
            let text = |text: &str| Ok(decoded(&text.replace('+', " "))?.unwrap_or_default());
            let (name, value) = (text(name)?, text(value)?);
            if name.len() > 48 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.[]".contains(c)) {
                return Err(BrokerUrlError::Query);
            }
            all.add(scheme, name, value)?;
        }
        Ok(all)
    }

    fn add(&mut self, scheme: Scheme, name: String, value: String) -> Result<(), BrokerUrlError> {
        let find = |name: &str| names(scheme).iter().find(|(known, _)| *known == name);
        let of_session = |name: &str| name.strip_prefix("options[").is_some_and(|name| name.ends_with(']'));
        if scheme.transport() == Transport::Postgres && of_session(&name) {
            self.0.push((name, value));
            return Ok(());
        }
        let Some((written, takes)) = find(&name) else {
            return Err(BrokerUrlError::Parameter { name, known: known(scheme) });
        };
        // Errors name it as it is written.
        let (known, takes) = match takes {
            As(other) => (other, find(other).map_or(takes, |(_, takes)| takes)),
            _ => (written, takes),
        };
        let possible = match takes {
            Text | As(_) => Ok(()),
            Number(most) => match value.parse::<u64>() {
                Ok(number) if number <= *most => Ok(()),
                _ => Err("a whole number"),
            },
            Words(words, message) => {
                if words.contains(&&*value) {
                    Ok(())
                } else {
                    Err(*message)
                }
            }
        };
        // A queue is asked about on another channel than the one that messages go through.
        let possible = match (*known, &*value) {
            ("channel_max", "1") => Err("0 for no limit, or a number from 2 on"),
            ("port", "0") => Err("a port"),
            _ => possible,
        };
        possible.map_err(|takes| BrokerUrlError::Value { name: written, takes })?;
        let is_of_tls = known.starts_with("ssl_") || OF_TLS.contains(known);
        if is_of_tls && matches!(scheme, Scheme::Redis | Scheme::Amqp) {
            return Err(BrokerUrlError::NoTls(written));
        }
        self.0.push(((*known).to_owned(), value));
        Ok(())
    }

    /// The last value of this name: as the clients read it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// The same as a number, or what else it is.
    pub(crate) fn parsed<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.get(name)?.parse().ok()
    }

    /// That a certificate comes with its key, and the key with its certificate.
    pub(super) fn check_pair(&self, certificate: &str, key: &'static str) -> Result<(), BrokerUrlError> {
        if self.get(certificate).is_some() == self.get(key).is_some() {
            return Ok(());
        }
        Err(BrokerUrlError::Value { name: key, takes: "the path of a key, which goes together with its certificate" })
    }

    /// Takes out what has a place of its own in the URL.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let value = self.get(name).map(str::to_owned);
        self.0.retain(|(known, _)| known != name);
        value
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// As it is printed: only what is a number or one of a few words is shown.
    pub(super) fn shown(&self, scheme: Scheme) -> impl Iterator<Item = String> {
        self.iter().map(move |(name, value)| {
            let takes = names(scheme).iter().find(|(known, _)| *known == name).map(|(_, takes)| takes);
            match takes {
                Some(Number(_) | Words(..)) => format!("{name}={value}"),
                _ => format!("{name}=***"),
            }
        })
    }

    /// What to do about a name that is not known.
    pub(super) fn remedy(name: &str, known: &[&str]) -> String {
        let near = hint(&nearest(name, known.iter().copied()));
        let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
        format!(
            "{near}{} leave it out, or say it on the executor; read are {}",
            if near.is_empty() { ";" } else { "" },
            known.join(", ")
        )
    }
}
