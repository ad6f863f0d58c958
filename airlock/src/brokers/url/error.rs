//! What a text is instead of the URL of a broker.

use super::parameters::Parameters;

/// Why a text is no [`BrokerUrl`](crate::BrokerUrl). It does not quote the text, which may hold a password; of a parameter it
/// names the name alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerUrlError {
    /// Another scheme, or none.
    #[error(
        "the broker's URL has no known scheme; it starts with `redis://`, `rediss://`, `redis+socket://`, `amqp://`, \
         `amqps://`, `sqlite:` or `postgres://`"
    )]
    Scheme,
    /// There is no host.
    #[error("the broker's URL has no host; write it like `redis://localhost:6379/0`")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the broker's URL has a port that is no number; percent-encode `:`, `/`, `@` and `%` in a password")]
    Port,
    /// Something else than a port stands behind an IPv6 address, or the brackets hold none, or are missing.
    #[error(
        "the host in the broker's URL is no IPv6 address, and looks like one; write it in brackets, with nothing but the \
         port behind them, like `redis://[::1]:6379/0`"
    )]
    Address,
    /// A character that no name of a host has.
    #[error(
        "the host in the broker's URL has a character that no host has, such as a blank; it has letters, digits, `-`, `_` \
         and `.` (an international name is written `xn--…`), and in user and password may_have_options characters are \
         percent-encoded"
    )]
    HostCharacter,
    /// Quotes around it.
    #[error(
        "the broker's URL stands in quotes, as env files hand them on; leave them out, and write `%22` and `%27` for the \
         signs themselves"
    )]
    Quotes,
    /// A line break or another control character.
    #[error("the broker's URL has a line break, a tab or another control character in it; write it on one line")]
    Control,
    /// A variable of a template that was not filled in.
    #[error(
        "the broker's URL has `$`, `{{`, `<` or `%` where a template has a variable, which was not filled in; fill it in, \
         and percent-encode the signs in user and password; a host has none of them"
    )]
    Template,
    /// More than one broker.
    #[error(
        "the broker's URL is a list, and an executor has one broker; write one URL, and percent-encode `,`, `;` and `@` \
         in user, password and path"
    )]
    Several,
    /// There is another URL in it.
    #[error(
        "the broker's URL has a second `://` in it, as if it was pasted twice; write it once, and percent-encode `:` and \
         `/` in user, password and path"
    )]
    Twice,
    /// There is an `@` behind the first `/`, so what stands before it may be a password.
    #[error(
        "the broker's URL has an `@` behind a `/`, so that a part of user and password would be taken for the host; \
         percent-encode `/` as `%2F` in user and password, and `@` as `%40` in the path"
    )]
    Slash,
    /// The account of a Redis URL has no colon, so it may be the password.
    #[error(
        "the account in the Redis URL has no `:`, so it may be a user or a password; write `redis://:password@host`, or \
         `redis://user:@host` for a user without a password"
    )]
    Account,
    /// The URL of a SQLite database has what looks like a user and a password.
    #[error(
        "the URL of a SQLite database has no user and password, and this looks as if it had; write `%40` for an `@` in \
         the path"
    )]
    FileAccount,
    /// The path is no number of a database.
    #[error("the path of a Redis URL is the number of a database; write it like `redis://localhost:6379/0`")]
    Database,
    /// There is no path of a file.
    #[error(
        "the broker's URL has no path of a file; write it like `sqlite:///srv/shop/db.sqlite3`, `sqlite:shop.sqlite3` or \
         `redis+socket:///run/redis/redis.sock`"
    )]
    Path,
    /// A SQLite database in memory.
    #[error(
        "a SQLite database in memory is there for the connection that made it alone, and no worker could read from it; \
         give the path of a file"
    )]
    Memory,
    /// Several servers behind one name.
    #[error("{0} is not supported, which the workers' systems need a client of its own for; {1}")]
    Unsupported(&'static str, &'static str),
    /// A parameter that is not read. Its value may be a password.
    #[error("the broker's URL has the parameter `{name}`, which is not read{}", Parameters::remedy(name, known))]
    Parameter {
        /// The name alone.
        name: String,
        /// What is read of such a URL.
        known: Vec<&'static str>,
    },
    /// A parameter that is read, with a value that it can't have.
    #[error("the parameter `{name}` of the broker's URL has a value that it can't have; it takes {takes}")]
    Value {
        /// Which it is.
        name: &'static str,
        /// What it may have.
        takes: &'static str,
    },
    /// A parameter about TLS, without TLS.
    #[error(
        "the broker's URL has the parameter `{0}`, which is about TLS, and none of that; write `rediss://` or `amqps://`"
    )]
    NoTls(&'static str),
    /// A `%` is not followed by two hexadecimal digits.
    #[error("the broker's URL has a `%` without two hexadecimal digits; write `%25` for the sign itself")]
    Encoding,
    /// What is percent-encoded is not UTF-8.
    #[error("the broker's URL has percent-encoded bytes that are not UTF-8; encode its text as UTF-8")]
    NotUtf8,
    /// What follows a `?` or `#` is no list of parameters.
    #[error(
        "the broker's URL has something behind a `?` or `#` that is no parameter like `name=value`; write `%3F` and `%23` \
         for the signs in user, password and path, and `%40` for an `@` behind them"
    )]
    Query,
    /// The system has no workers that read from such a broker.
    #[error("{0} doesn't run over this kind of broker; give the URL of one that its workers read from")]
    System(&'static str),
    /// The transport is not compiled in.
    #[error("this program has no transport for the broker's URL; add the cargo feature `{0}` of airlock")]
    Feature(&'static str),
}
