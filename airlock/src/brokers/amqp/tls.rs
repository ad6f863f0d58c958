//! TLS for `amqps://`. The client's own way installs a crypto provider for the whole process, which is the program's to choose.

use std::fmt::Display;
use std::sync::Arc;

use lapin::tcp::RustlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;

use crate::brokers::certificates;
use crate::brokers::fault::BrokerFault;
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

/// With the certificates that the system trusts, and those that the URL names.
pub(super) fn connector(url: &BrokerUrl) -> Result<RustlsConnector, DispatchError> {
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
