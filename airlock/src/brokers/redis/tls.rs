//! TLS for `rediss://`, with the certificates that the system trusts and those that the URL names.

mod unverified;

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{AlertDescription, ClientConfig, Error, RootCertStore};

use super::stream::PeerClosed;
use crate::brokers::connection::{BrokerFault, certificates};
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

use unverified::{AnyName, Unverified};

pub(super) async fn connect(url: &BrokerUrl, stream: TcpStream) -> Result<TlsStream<TcpStream>, DispatchError> {
    let place = url.place();
    let name = ServerName::try_from(url.host.clone())
        .map_err(|_| rejected(format!("`{}` is no name that a certificate can have", url.host)))?;
    TlsConnector::from(Arc::new(config(url)?)).connect(name, stream).await.map_err(|error| {
        let unavailable = || DispatchError::unavailable(BrokerFault::new(format!("no TLS with {place}: {error}")));
        refusal(url, &error).unwrap_or_else(unavailable)
    })
}

/// What TLS itself says, at the greeting or after it: since its version 1.3, a certificate of the client's that is missing
/// is reported once the connection is there. It is so in a second as well.
pub(super) fn refusal(url: &BrokerUrl, error: &std::io::Error) -> Option<DispatchError> {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked, CertificateUnknown,
        HandshakeFailure, UnknownCA, UnsupportedCertificate,
    };

    let (place, error) = (url.place(), error.get_ref()?.downcast_ref::<Error>()?);
    let is_given = url.parameters.get("ssl_certfile").is_some();
    Some(rejected(match error {
        Error::AlertReceived(CertificateRequired) if !is_given => format!(
            "{place} wants a certificate of the client ({error}); give `ssl_certfile` and `ssl_keyfile` in the broker's URL, \
             or set `tls-auth-clients no` there"
        ),
        Error::AlertReceived(
            BadCertificate
            | UnsupportedCertificate
            | CertificateRevoked
            | CertificateExpired
            | CertificateUnknown
            | UnknownCA
            | AccessDenied,
        ) if is_given => {
            format!("{place} doesn't take the certificate of `ssl_certfile` ({error}); give one it trusts")
        }
        // So TLS 1.2 says it, among other things.
        Error::AlertReceived(HandshakeFailure) if !is_given => format!(
            "no TLS with {place}: {error}; if it wants a certificate of the client, give `ssl_certfile` and `ssl_keyfile` in \
             the broker's URL"
        ),
        Error::InvalidMessage(_) => {
            format!("no TLS with {place}: {error}; if it has none at this port, write `redis://`")
        }
        _ => format!("no TLS with {place}: {error}"),
    }))
}

impl PeerClosed for TlsStream<TcpStream> {
    fn has_ended(&self) -> bool {
        self.get_ref().0.has_ended()
    }
}

fn config(url: &BrokerUrl) -> Result<ClientConfig, DispatchError> {
    let says =
        |name: &str, word: &str| url.parameters.get(name).is_some_and(|value| value.to_lowercase().ends_with(word));
    let provider = Arc::new(ring::default_provider());
    let failed = |error: &dyn std::fmt::Display| rejected(format!("no TLS: {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let builder = if says("ssl_cert_reqs", "none") {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
    } else if says("ssl_check_hostname", "false") {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(of_any_name(
            certificates::roots(url, "ssl_ca_certs")?,
            provider,
        )?))
    } else {
        builder.with_root_certificates(certificates::roots(url, "ssl_ca_certs")?)
    };
    match certificates::client(url, "ssl_certfile", "ssl_keyfile")? {
        Some((certificate, key)) => builder.with_client_auth_cert(certificate, key).map_err(|error| failed(&error)),
        None => Ok(builder.with_no_client_auth()),
    }
}

fn of_any_name(roots: RootCertStore, provider: Arc<CryptoProvider>) -> Result<AnyName, DispatchError> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map(AnyName)
        .map_err(|error| rejected(format!("no TLS: {error}")))
}

fn rejected(what: String) -> DispatchError {
    DispatchError::rejected(BrokerFault::new(what))
}
