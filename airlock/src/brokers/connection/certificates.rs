//! Certificates for TLS: those that the system trusts, and those that the URL of a broker names.

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::fault::BrokerFault;
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

/// Whom the client trusts: the system's authorities, and those in the file of this parameter.
pub(in crate::brokers) fn roots(url: &BrokerUrl, parameter: &str) -> Result<RootCertStore, DispatchError> {
    let mut roots = RootCertStore::empty();
    // Some systems hold certificates that can't be read; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(own) = url.file(parameter)? {
        for certificate in certificates(&own, parameter)? {
            roots.add(certificate).map_err(|_| no_pem(parameter))?;
        }
    }
    Ok(roots)
}

/// The client's own certificate and key, if the URL names both.
pub(in crate::brokers) fn client(
    url: &BrokerUrl,
    certificate: &str,
    key: &str,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, DispatchError> {
    let (Some(own), Some(secret)) = (url.file(certificate)?, url.file(key)?) else { return Ok(None) };
    let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|_| no_pem(key))?;
    Ok(Some((certificates(&own, certificate)?, secret)))
}

fn certificates(pem: &[u8], parameter: &str) -> Result<Vec<CertificateDer<'static>>, DispatchError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(|| no_pem(parameter))
}

fn no_pem(parameter: &str) -> DispatchError {
    let what = format!("the file that `{parameter}` of the broker's URL names has nothing of it in the format PEM");
    DispatchError::rejected(BrokerFault::new(what))
}
