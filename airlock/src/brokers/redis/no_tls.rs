//! In place of `tls` without its feature, where no `rediss://` URL gets as far as a connection.

use std::io;

use tokio::net::TcpStream;

use crate::brokers::url::{BrokerUrl, BrokerUrlError};
use crate::dispatch::DispatchError;

/// Never goes on without TLS where it was asked for.
pub(super) async fn connect(_: &BrokerUrl, _: TcpStream) -> Result<TcpStream, DispatchError> {
    Err(DispatchError::rejected(BrokerUrlError::Feature("redis-tls")))
}

/// What TLS itself says: nothing, where there is none.
pub(super) fn refusal(_: &BrokerUrl, _: &io::Error) -> Option<DispatchError> {
    None
}
