//! From a URL to a connection that is ready to send.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::stream::{Counted, Traffic};
use super::{Driver, RedisConnection};
use crate::brokers::fault::BrokerFault;
use crate::brokers::link::Alive;
use crate::brokers::url::BrokerUrl;
use crate::error::DispatchError;

pub(super) async fn connect(url: &BrokerUrl, alive: Alive) -> Result<RedisConnection, DispatchError> {
    let place = url.place();
    let stream = TcpStream::connect((url.host.as_str(), url.port))
        .await
        .map_err(|error| DispatchError::unavailable(BrokerFault::new(format!("no connection to {place}: {error}"))))?;
    // Answers are awaited: what is written should leave at once.
    let _ = stream.set_nodelay(true);
    #[cfg(feature = "redis-tls")]
    if url.scheme == crate::brokers::url::Scheme::RedisTls {
        let stream = super::tls::connect(url, stream).await?;
        return set_up(url, stream, alive).await;
    }
    set_up(url, stream, alive).await
}

async fn set_up<S>(url: &BrokerUrl, stream: S, alive: Alive) -> Result<RedisConnection, DispatchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let traffic = Arc::new(Traffic::new());
    let stream = Counted::new(stream, Arc::clone(&traffic));
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
