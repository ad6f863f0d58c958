//! In place of `tls` without its feature, where no `amqps://` URL gets as far as a connection.

pub(super) use std::convert::Infallible as Tls;
use std::io;

use async_compat::Compat;
use lapin::tcp::AsyncTcpStream;
use tokio::net::TcpStream;

use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

pub(super) fn of(_: &BrokerUrl) -> Result<Option<Tls>, DispatchError> {
    Ok(None)
}

pub(super) async fn begin(
    _: AsyncTcpStream<Compat<TcpStream>>,
    never: &Tls,
) -> io::Result<AsyncTcpStream<Compat<TcpStream>>> {
    match *never {}
}
