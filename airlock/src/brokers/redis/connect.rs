//! From a URL to a connection that is ready to send.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::enter::enter;
use super::stream::{CountingStream, IoCounters, PeerClosed};
use super::{ClientDriver, RedisConnection};
use crate::brokers::connection::{BrokerFault, Liveness};
use crate::brokers::url::{BrokerUrl, Scheme};
use crate::dispatch::DispatchError;

pub(super) async fn connect(url: &BrokerUrl, liveness: Liveness) -> Result<RedisConnection, DispatchError> {
    let place = url.place();
    let unreachable =
        |error| DispatchError::unavailable(BrokerFault::new(format!("no connection to {place}: {error}")));
    #[cfg(unix)]
    if let Some(socket) = &url.socket {
        let stream = tokio::net::UnixStream::connect(socket).await.map_err(unreachable)?;
        return set_up(url, stream, true, liveness).await;
    }
    #[cfg(not(unix))]
    if url.socket.is_some() {
        let what = format!("{place} is a Unix socket, which airlock has on Unix alone; give a host and a port");
        return Err(DispatchError::rejected(BrokerFault::new(what)));
    }
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await.map_err(unreachable)?;
    tune(&stream);
    if url.scheme == Scheme::RedisTls {
        let stream = super::tls::connect(url, stream).await?;
        return set_up(url, stream, false, liveness).await;
    }
    set_up(url, stream, true, liveness).await
}

/// How long nothing is said before the kernel asks whether the other side is there, and how often it asks then. Where a
/// firewall forgets what is quiet, that is after minutes.
const QUIET: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_secs(5);

/// A socket without these does its work, too.
fn tune(stream: &TcpStream) {
    // Answers are awaited: what is written should leave at once.
    let _ = stream.set_nodelay(true);
    // The client has no heartbeat: a connection that died unnoticed would cost the next flush its time.
    let asks = TcpKeepalive::new().with_time(QUIET).with_interval(ASK_EVERY);
    let _ = SockRef::from(stream).set_tcp_keepalive(&asks);
}

async fn set_up<S>(
    url: &BrokerUrl,
    stream: S,
    fails_whole: bool,
    liveness: Liveness,
) -> Result<RedisConnection, DispatchError>
where
    S: AsyncRead + AsyncWrite + PeerClosed + Unpin + Send + 'static,
{
    let counters = Arc::new(IoCounters::new());
    let mut stream = CountingStream::new(stream, Arc::clone(&counters), fails_whole);
    enter(url, &mut stream).await?;
    // Each flush has a deadline of its own.
    let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    // Who this is was said: the client has nothing to add.
    let no_account = RedisConnectionInfo::default().set_skip_set_lib_name();
    let (connection, driver) =
        MultiplexedConnection::new_with_config(&no_account, stream, config).await.map_err(|_| {
            DispatchError::unavailable(BrokerFault::new(format!("{} ended the connection as it began", url.place())))
        })?;
    let until = liveness.clone();
    let driver = tokio::spawn(async move {
        driver.await;
        until.lost();
    });
    let driver = Arc::new(ClientDriver(driver));
    counters.queue(counters.written());
    Ok(RedisConnection { place: url.place().into(), connection, liveness, counters, driver })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_connection_is_asked_whether_it_lives() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap_or_else(|error| panic!("{error}")).block_on(async {
            let stream = TcpStream::connect(address).await.unwrap_or_else(|error| panic!("{error}"));
            tune(&stream);
            let socket = SockRef::from(&stream);
            assert!(socket.keepalive().is_ok_and(|is_on| is_on));
            assert!(socket.tcp_keepalive_time().is_ok_and(|time| time == QUIET));
            assert!(stream.nodelay().is_ok_and(|is_on| is_on));
        });
    }
}
