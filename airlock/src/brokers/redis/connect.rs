//! From a URL to a connection that is ready to send.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, Value};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::stream::{Counted, Ended, Traffic};
use super::{Driver, RedisConnection};
use crate::brokers::fault::BrokerFault;
use crate::brokers::link::Alive;
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

pub(super) async fn connect(url: &BrokerUrl, alive: Alive) -> Result<RedisConnection, DispatchError> {
    let place = url.place();
    let stream = TcpStream::connect((url.host.as_str(), url.port))
        .await
        .map_err(|error| DispatchError::unavailable(BrokerFault::new(format!("no connection to {place}: {error}"))))?;
    tune(&stream);
    #[cfg(feature = "redis-tls")]
    if url.scheme == crate::brokers::url::Scheme::RedisTls {
        let stream = super::tls::connect(url, stream).await?;
        return set_up(url, stream, false, alive).await;
    }
    set_up(url, stream, true, alive).await
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
    alive: Alive,
) -> Result<RedisConnection, DispatchError>
where
    S: AsyncRead + AsyncWrite + Ended + Unpin + Send + 'static,
{
    let traffic = Arc::new(Traffic::new());
    let stream = Counted::new(stream, Arc::clone(&traffic), fails_whole);
    // Each flush has a deadline of its own.
    let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    let (mut connection, driver) = MultiplexedConnection::new_with_config(&account(url), stream, config)
        .await
        .map_err(|error| refused(url, &error))?;
    let until = alive.clone();
    let driver = tokio::spawn(async move {
        driver.await;
        until.lost();
    });
    let driver = Arc::new(Driver(driver));
    // Without an account and a database there was nothing to ask yet, and whoever listens may be no server.
    match connection.send_packed_command(&redis::cmd("PING")).await {
        // An account that may do no more than it has to is known as well.
        Ok(Value::ServerError(error)) if error.code() == "NOPERM" => {}
        Ok(Value::ServerError(error)) => return Err(refused(url, &error.into())),
        Ok(_) => {}
        Err(error) => return Err(refused(url, &error)),
    }
    let (place, queued) = (url.place().into(), traffic.written());
    Ok(RedisConnection { place, connection, alive, traffic, driver, queued })
}

fn account(url: &BrokerUrl) -> RedisConnectionInfo {
    let mut info = RedisConnectionInfo::default().set_db(url.path.parse().unwrap_or(0)).set_skip_set_lib_name();
    if let Some(user) = &url.user {
        info = info.set_username(user);
    }
    if let Some(password) = &url.password {
        info = info.set_password(password);
    }
    info
}

/// What the server said to the first commands on a connection.
fn refused(url: &BrokerUrl, error: &RedisError) -> DispatchError {
    let place = url.place();
    let code = error.code().unwrap_or_default();
    let is_account =
        error.kind() == ErrorKind::AuthenticationFailed || matches!(code, "WRONGPASS" | "NOAUTH" | "NOPERM");
    if is_account {
        let what = format!("{place} refuses user and password; give those it knows in the broker's URL");
        return DispatchError::rejected(BrokerFault::new(what));
    }
    if error.is_io_error() || error.is_connection_dropped() || error.is_timeout() {
        return DispatchError::unavailable(BrokerFault::new(format!("{place} ended the connection as it began")));
    }
    match code {
        "LOADING" | "MASTERDOWN" | "BUSY" | "TRYAGAIN" => {
            DispatchError::unavailable(BrokerFault::new(format!("{place} is not ready: {code}")))
        }
        _ => {
            // The code alone: some servers quote the command in their text, and it may hold the password.
            let what = format!("{place} refuses the connection, asked for database {} ({code})", url.path);
            DispatchError::rejected(BrokerFault::new(what))
        }
    }
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
