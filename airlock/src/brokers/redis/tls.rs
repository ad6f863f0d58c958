//! TLS for `rediss://`, with the certificates that the system trusts.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::stream::PeerClosed;
use crate::brokers::fault::BrokerFault;
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

pub(super) async fn connect(url: &BrokerUrl, stream: TcpStream) -> Result<TlsStream<TcpStream>, DispatchError> {
    let place = url.place();
    let name = ServerName::try_from(url.host.clone()).map_err(|_| {
        DispatchError::rejected(BrokerFault::new(format!("`{}` is no name that a certificate can have", url.host)))
    })?;
    TlsConnector::from(Arc::new(config()?)).connect(name, stream).await.map_err(|error| {
        let what = BrokerFault::new(format!("no TLS with {place}: {error}"));
        // A certificate that isn't trusted now isn't trusted in a second either.
        let is_refused = error.get_ref().is_some_and(|inner| inner.is::<tokio_rustls::rustls::Error>());
        if is_refused { DispatchError::rejected(what) } else { DispatchError::unavailable(what) }
    })
}

impl PeerClosed for TlsStream<TcpStream> {
    fn has_ended(&self) -> bool {
        self.get_ref().0.has_ended()
    }
}

fn config() -> Result<ClientConfig, DispatchError> {
    let mut roots = RootCertStore::empty();
    // Some systems hold certificates that can't be read; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| DispatchError::rejected(BrokerFault::new(format!("no TLS: {error}"))))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
