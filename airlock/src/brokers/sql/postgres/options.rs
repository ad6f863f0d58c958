//! How Postgres is connected to: what a URL says.

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::brokers::connection::BrokerFault;
use crate::brokers::url::BrokerUrl;

/// What the URL says, and no password from elsewhere. The client crate adds what `PGUSER`, `PGOPTIONS`, `PGSSLROOTCERT`,
/// `PGSSLCERT` and `PGSSLKEY` say, as all clients do.
pub(in crate::brokers::sql) fn options(url: &BrokerUrl) -> Result<PgConnectOptions, sqlx::Error> {
    // `options` is taken from a URL alone. This one has a password, so that none is looked for in a file.
    let mut read =
        ::url::Url::parse("postgres://:-@localhost").map_err(|error| sqlx::Error::Configuration(error.into()))?;
    read.query_pairs_mut().extend_pairs(url.parameters.iter());
    let options: PgConnectOptions = read.as_str().parse()?;
    let options = match (url.socket.as_deref(), &*url.host) {
        (Some(folder), _) => options.socket(folder),
        (None, "") => match folder_of_socket(url.port) {
            Some(folder) => options.socket(folder),
            None => options,
        },
        (None, host) => options.host(host),
    };
    let options = match &url.user {
        Some(user) => options.username(user),
        None => options,
    };
    let database = if url.path.is_empty() { options.get_username().to_owned() } else { url.path.clone() };
    let options = match url.parameters.get("application_name") {
        Some(_) => options,
        None => options.application_name("airlock"),
    };
    let options = match url.parameters.get("sslmode") {
        Some(_) => options,
        None => options.ssl_mode(PgSslMode::Disable),
    };
    let options = options
        .port(url.port)
        .password(url.password.as_deref().unwrap_or_default())
        // No float is read, and PgBouncer refuses connections that ask for more digits of them.
        .extra_float_digits(None)
        .database(&database);
    Ok(options.disable_statement_logging())
}

/// Where the server on this machine has its socket, if it has one: where the packages of systems put it.
fn folder_of_socket(port: u16) -> Option<&'static str> {
    let folders = ["/run/postgresql", "/var/run/postgresql", "/private/tmp", "/tmp"];
    folders.into_iter().find(|folder| std::path::Path::new(folder).join(format!(".s.PGSQL.{port}")).exists())
}

/// That the files which are named can be read: the client crate would have it that there is no connection.
pub(super) fn check_files(url: &BrokerUrl) -> Result<(), sqlx::Error> {
    let uses_tls = url.parameters.get("sslmode").is_some_and(|mode| !matches!(mode, "disable" | "allow"));
    for (name, variable) in [("sslrootcert", "PGSSLROOTCERT"), ("sslcert", "PGSSLCERT"), ("sslkey", "PGSSLKEY")] {
        let (from, path) = match url.parameters.get(name) {
            Some(path) => (format!("`{name}` of the database's URL"), Some(path.to_owned())),
            None => (format!("`{variable}`"), std::env::var(variable).ok()),
        };
        // It may be the certificate itself.
        let path = path.filter(|path| uses_tls && !path.trim_start().starts_with("-----BEGIN"));
        if let Some(Err(error)) = path.map(std::fs::File::open) {
            let what = format!("the file that {from} names can't be read: {}", error.kind());
            return Err(sqlx::Error::Configuration(BrokerFault::new(what).into()));
        }
    }
    Ok(())
}
