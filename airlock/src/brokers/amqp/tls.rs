//! TLS for `amqps://`, with the certificates that the system trusts. The client's own way installs a crypto provider for the
//! whole process, which is the program's to choose.

use std::io;
use std::sync::Arc;

use lapin::tcp::RustlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

pub(super) fn connector() -> io::Result<RustlsConnector> {
    let mut roots = RootCertStore::empty();
    // Some systems hold certificates that can't be read; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth().into())
}
