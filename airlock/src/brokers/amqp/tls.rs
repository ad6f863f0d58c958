//! TLS for `amqps://`. The client's own way installs a crypto provider for the whole process, which is the program's to choose.

use std::fmt::Display;
use std::io;
use std::sync::Arc;

use async_compat::Compat;
use lapin::tcp::{AsyncTcpStream, RustlsConnector};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;

use crate::brokers::connection::{BrokerFault, certificates};
use crate::brokers::url::{BrokerUrl, Scheme};
use crate::dispatch::DispatchError;

/// The name that the server's certificate has to have, and whom to trust.
pub(super) type Tls = (String, RustlsConnector);

/// What an `amqps://` URL asks for.
pub(super) fn of(url: &BrokerUrl) -> Result<Option<Tls>, DispatchError> {
    (url.scheme == Scheme::AmqpTls).then(|| Ok((url.host.clone(), connector(url)?))).transpose()
}

pub(super) async fn begin(
    stream: AsyncTcpStream<Compat<TcpStream>>,
    (host, connector): &Tls,
) -> io::Result<AsyncTcpStream<Compat<TcpStream>>> {
    stream.into_rustls(connector, host).await
}

/// With the certificates that the system trusts, and those that the URL names.
fn connector(url: &BrokerUrl) -> Result<RustlsConnector, DispatchError> {
    let failed = |error: &dyn Display| DispatchError::rejected(BrokerFault::new(format!("no TLS: {error}")));
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_root_certificates(certificates::roots(url, "cacertfile")?);
    let config = match certificates::client(url, "certfile", "keyfile")? {
        Some((certificate, key)) => config.with_client_auth_cert(certificate, key).map_err(|error| failed(&error))?,
        None => config.with_no_client_auth(),
    };
    Ok(config.into())
}
