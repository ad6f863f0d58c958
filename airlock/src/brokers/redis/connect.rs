//! From a URL to a connection that is ready to send.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Arg, AsyncConnectionConfig, Pipeline, RedisConnectionInfo, RedisError, Value};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::answer::{Asked, is_unknown_command, meaning};
use super::stream::{CountingStream, IoCounters, PeerClosed};
use super::{ClientDriver, RedisConnection};
use crate::brokers::fault::BrokerFault;
use crate::brokers::manager::Liveness;
use crate::brokers::url::BrokerUrl;
use crate::dispatch::DispatchError;

pub(super) async fn connect(url: &BrokerUrl, liveness: Liveness) -> Result<RedisConnection, DispatchError> {
    let place = url.place();
    let stream = TcpStream::connect((url.host.as_str(), url.port))
        .await
        .map_err(|error| DispatchError::unavailable(BrokerFault::new(format!("no connection to {place}: {error}"))))?;
    tune(&stream);
    #[cfg(feature = "redis-tls")]
    if url.scheme == crate::brokers::url::Scheme::RedisTls {
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
    let stream = CountingStream::new(stream, Arc::clone(&counters), fails_whole);
    // Each flush has a deadline of its own.
    let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    // The client's own way in hides the codes of what is refused.
    let no_account = RedisConnectionInfo::default().set_skip_set_lib_name();
    let (mut connection, driver) = MultiplexedConnection::new_with_config(&no_account, stream, config)
        .await
        .map_err(|error| unanswered(url, &error))?;
    let until = liveness.clone();
    let driver = tokio::spawn(async move {
        driver.await;
        until.lost();
    });
    let driver = Arc::new(ClientDriver(driver));
    enter(url, &mut connection).await?;
    counters.queue(counters.written());
    Ok(RedisConnection { place: url.place().into(), connection, liveness, counters, driver })
}

/// Says who this is and which database is meant, and asks for an answer: there may be nothing to say, and what listens may
/// be no server.
async fn enter(url: &BrokerUrl, connection: &mut MultiplexedConnection) -> Result<(), DispatchError> {
    let mut user = url.user.as_deref();
    loop {
        let mut entry = Pipeline::new();
        if let Some(password) = &url.password {
            entry.cmd("AUTH").arg(user).arg(password);
        }
        if url.path.parse().is_ok_and(|database: i64| database != 0) {
            entry.cmd("SELECT").arg(&url.path);
        }
        entry.cmd("PING");
        let count = entry.len();
        let answers =
            connection.send_packed_commands(&entry, 0, count).await.map_err(|error| unanswered(url, &error))?;
        let mut refused = answers.iter().zip(entry.cmd_iter()).filter_map(|(answer, command)| match answer {
            Value::ServerError(error) => Some((command, error)),
            _ => None,
        });
        let Some((command, error)) = refused.next() else { return Ok(()) };
        let is = |name: &str| command.args_iter().next() == Some(Arg::Simple(name.as_bytes()));
        // Redis had no users before version 6, which shows in its answer to a name.
        let knows_no_users = || error.details().is_some_and(|text| text.contains("wrong number of arguments"));
        if is("AUTH") && user.is_some() && knows_no_users() {
            user = None;
            continue;
        }
        // It has answered, and an account that may do no more than it has to is known as well.
        if is("PING") && (error.code() == "NOPERM" || is_unknown_command(error)) {
            return Ok(());
        }
        let asked = if is("AUTH") { Asked::Account } else { Asked::Database(&url.path) };
        return Err(meaning(asked, error).at(&url.place()));
    }
}

/// There was no answer to the first commands on a connection, or none that is an answer.
fn unanswered(url: &BrokerUrl, error: &RedisError) -> DispatchError {
    let place = url.place();
    if error.is_io_error() || error.is_connection_dropped() || error.is_timeout() {
        return DispatchError::unavailable(BrokerFault::new(format!("{place} ended the connection as it began")));
    }
    DispatchError::rejected(BrokerFault::new(format!("{place} is no Redis, by its answers; look at the port")))
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
