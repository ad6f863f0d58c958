//! From a URL to a connection with a channel that confirms.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_compat::Compat;
use lapin::options::ConfirmSelectOptions;
use lapin::tcp::AsyncTcpStream;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;

use super::kill_switch::{KillOnDrop, KillSwitch};
use super::publisher::Publisher;
use super::tls::{self, Tls};
use super::{AmqpConnection, quiet, refusal};
use crate::brokers::connection::{BrokerFault, Liveness};
use crate::brokers::url::{BrokerUrl, Scheme};
use crate::dispatch::DispatchError;

/// How long the handshake of TCP may take: it can't be cut short, and the kernel's own patience is minutes.
const HANDSHAKE: Duration = Duration::from_secs(5);

pub(super) async fn connect(url: &BrokerUrl, liveness: Liveness) -> Result<AmqpConnection, DispatchError> {
    let place: Arc<str> = url.place().into();
    let unreachable =
        |error| DispatchError::unavailable(BrokerFault::new(format!("no connection to {}: {error}", url.place())));
    let addresses: Vec<_> =
        tokio::net::lookup_host((url.host.as_str(), url.port)).await.map_err(unreachable)?.collect();
    let tls = tls::of(url)?;
    // Dropped before it is kept, because its caller has stopped waiting, it ends the attempt.
    let kill_on_drop = KillOnDrop(KillSwitch::default());
    let (connection, channel) = patiently(url, open(url, addresses, kill_on_drop.0.clone(), tls))
        .await
        .map_err(|error| refusal::of_open(url, &error))?;
    let connection = Arc::new(connection);
    let (jobs, receiver) = unbounded_channel();
    let over_tls = url.scheme == Scheme::AmqpTls;
    let (own, kill_switch) = (Arc::clone(&connection), kill_on_drop.keep());
    let publisher = Publisher::new(Arc::clone(&place), own, channel, liveness.clone(), kill_switch.clone(), over_tls);
    tokio::spawn(publisher.run(receiver));
    Ok(AmqpConnection { place, connection, jobs, liveness, kill_switch })
}

/// As long as the URL says, if it does.
async fn patiently<T>(url: &BrokerUrl, opened: impl Future<Output = lapin::Result<T>>) -> lapin::Result<T> {
    let Some(limit) = url.parameters.parsed("connection_timeout").filter(|limit| *limit > 0) else {
        return opened.await;
    };
    match tokio::time::timeout(Duration::from_millis(limit), opened).await {
        Ok(opened) => opened,
        Err(late) => Err(std::io::Error::from(late).into()),
    }
}

async fn open(
    url: &BrokerUrl,
    addresses: Vec<SocketAddr>,
    kill_switch: KillSwitch,
    tls: Option<Tls>,
) -> lapin::Result<(Connection, Channel)> {
    let runtime = lapin::runtime::default_runtime()?;
    let properties = ConnectionProperties::default().with_connection_name("airlock".into());
    let dial = async move |_: AMQPUri, runtime| {
        // It runs on the thread that the client has for this connection.
        quiet::this_thread();
        let dialled = tokio::time::timeout(HANDSHAKE, AsyncTcpStream::connect(&runtime, addresses.clone())).await;
        let stream: AsyncTcpStream<Compat<TcpStream>> = dialled.map_err(std::io::Error::from)??;
        #[cfg(unix)]
        if let AsyncTcpStream::Plain(stream) = &stream {
            kill_switch.put(stream.get_ref());
        }
        let stream = match &tls {
            Some(tls) => tls::begin(stream, tls).await?,
            None => stream,
        };
        Ok(stream)
    };
    let connection = Connection::connector(uri(url), runtime, dial, properties).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok((connection, channel))
}

fn uri(url: &BrokerUrl) -> AMQPUri {
    // As the Python side has it.
    let guest = || "guest".to_owned();
    let username = url.user.clone().unwrap_or_else(guest);
    let password = url.password.clone().unwrap_or_else(|| if url.user.is_none() { guest() } else { String::new() });
    AMQPUri {
        scheme: if url.scheme == Scheme::AmqpTls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username, password },
            host: url.host.clone(),
            port: url.port,
        },
        vhost: url.path.clone(),
        query: AMQPQueryString {
            heartbeat: url.parameters.parsed("heartbeat"),
            channel_max: url.parameters.parsed("channel_max"),
            frame_max: url.parameters.parsed("frame_max"),
            // It is about all that `open` does.
            connection_timeout: None,
            auth_mechanism: url.parameters.parsed("auth_mechanism"),
        },
    }
}
