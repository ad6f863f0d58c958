//! Redis: pipelines over one connection.

mod answer;
mod connect;
mod enter;
mod pack;
mod pipeline;
mod replies;
mod stream;
#[cfg_attr(not(feature = "redis-tls"), path = "no_tls.rs")]
mod tls;
mod transaction;

use std::sync::{Arc, Once};

use redis::aio::MultiplexedConnection;

use super::connection::{Connection, Job, Liveness, Protocol, Requeue};
use super::message::RedisMessage;
use super::url::BrokerUrl;
use crate::dispatch::DispatchError;
use crate::runtime::BoxFuture;

use stream::IoCounters;

/// How a Redis server is spoken to.
#[derive(Debug)]
pub(crate) struct Redis {
    url: BrokerUrl,
    /// Of a certificate that is not looked at, once.
    warned: Once,
}

impl Redis {
    pub(crate) fn new(url: BrokerUrl) -> Self {
        Self { url, warned: Once::new() }
    }
}

impl Protocol for Redis {
    type Message = RedisMessage;
    type Connection = RedisConnection;

    fn size(message: &RedisMessage) -> usize {
        message.body().len()
    }

    fn place(&self) -> String {
        self.url.place()
    }

    fn connect(self: Arc<Self>, liveness: Liveness) -> BoxFuture<'static, Result<RedisConnection, DispatchError>> {
        Box::pin(async move {
            if self.url.parameters.get("ssl_cert_reqs").is_some_and(|wanted| wanted.to_lowercase().ends_with("none")) {
                self.warned.call_once(|| {
                    let broker = self.url.place();
                    tracing::warn!(
                        broker,
                        "TLS without a look at the server's certificate: a third party between may read and change all; \
                         leave `ssl_cert_reqs` out, and give `ssl_ca_certs` for a certificate of your own"
                    );
                });
            }
            connect::connect(&self.url, liveness).await
        })
    }
}

/// One connection, whose pipelines are answered in order.
pub(crate) struct RedisConnection {
    place: Arc<str>,
    connection: MultiplexedConnection,
    liveness: Liveness,
    counters: Arc<IoCounters>,
    driver: Arc<ClientDriver>,
}

/// Drives the connection; ended when dropped.
#[derive(Debug)]
struct ClientDriver(tokio::task::JoinHandle<()>);

impl ClientDriver {
    fn end(&self) {
        self.0.abort();
    }
}

impl Drop for ClientDriver {
    fn drop(&mut self) {
        self.end();
    }
}

impl Connection for RedisConnection {
    type Message = RedisMessage;

    fn is_alive(&self) -> bool {
        self.liveness.get()
    }

    fn send(&mut self, job: Job<RedisMessage>, requeue: &Requeue<RedisMessage>) {
        pipeline::send(self, job, requeue.clone());
    }
}
