//! The least that does the same: the client crates, with nothing around them.

use std::collections::VecDeque;
use std::thread;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueuePurgeOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Pipelines of 1,000 LPUSH of 1,000 bytes.
pub(crate) struct RedisPipelines(redis::Connection);

impl RedisPipelines {
    pub(crate) fn new(url: &str) -> Self {
        Self(redis::Client::open(url).unwrap().get_connection().unwrap())
    }

    pub(crate) fn push(&mut self, count: usize) {
        let body = [b'x'; 1000];
        for _ in 0..count / 1000 {
            let mut pipeline = redis::Pipeline::with_capacity(1000);
            (0..1000).for_each(|_| {
                pipeline.cmd("LPUSH").arg("limit").arg(&body[..]).ignore();
            });
            pipeline.exec(&mut self.0).unwrap();
        }
    }
}

type Hop = mpsc::UnboundedSender<oneshot::Sender<()>>;

/// A thread with a runtime that does one thing at a time for others.
fn hop<T: 'static>(
    connect: impl AsyncFnOnce() -> T + Send + 'static,
    mut once: impl AsyncFnMut(&mut T) + Send + 'static,
) -> Hop {
    let (sender, mut receiver) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
    thread::spawn(move || {
        runtime().block_on(async {
            let mut connection = connect().await;
            while let Some(done) = receiver.recv().await {
                once(&mut connection).await;
                let _ = done.send(());
            }
        });
    });
    sender
}

fn through(hop: &Hop, count: usize) {
    for _ in 0..count {
        let (done, receiver) = oneshot::channel();
        hop.send(done).unwrap();
        receiver.blocking_recv().unwrap();
    }
}

/// One LPUSH of 1,000 bytes at a time, on another thread.
pub(crate) struct RedisHop(Hop);

impl RedisHop {
    pub(crate) fn new(url: &str) -> Self {
        let client = redis::Client::open(url).unwrap();
        let connect = async move || client.get_multiplexed_async_connection().await.unwrap();
        Self(hop(connect, async |connection| {
            let _: () = redis::cmd("LPUSH").arg("limit").arg(&[b'x'; 1000][..]).query_async(connection).await.unwrap();
        }))
    }

    pub(crate) fn push(&mut self, count: usize) {
        through(&self.0, count);
    }
}

async fn channel(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("limit".into(), durable, FieldTable::default()).await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (connection, channel)
}

/// 600 bytes each, 1,000 confirms in flight.
pub(crate) struct RabbitConfirms {
    runtime: Runtime,
    connection: (Connection, Channel),
}

async fn publish(channel: &Channel) -> lapin::PublisherConfirm {
    publish_with(channel, BasicProperties::default(), &[b'x'; 600]).await
}

async fn publish_with(channel: &Channel, properties: BasicProperties, body: &[u8]) -> lapin::PublisherConfirm {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    channel.basic_publish("".into(), "limit".into(), options, body, properties.with_delivery_mode(2)).await.unwrap()
}

/// A message as large as Celery's, with as many headers of these kinds: most of what there is to write is a table.
async fn publish_headed(channel: &Channel) -> lapin::PublisherConfirm {
    let text = |length: usize| AMQPValue::LongString("x".repeat(length).into());
    let mut headers = FieldTable::default();
    for (name, length) in [("lang", 4), ("task", 19), ("id", 36), ("root_id", 36), ("argsrepr", 2), ("kwargsrepr", 60)]
    {
        headers.insert(name.into(), text(length));
    }
    headers.insert("origin".into(), text(24));
    for name in ["shadow", "eta", "expires", "group", "group_index", "parent_id", "stamped_headers"] {
        headers.insert(name.into(), AMQPValue::Void);
    }
    for name in ["retries", "replaced_task_nesting"] {
        headers.insert(name.into(), AMQPValue::LongInt(0));
    }
    headers.insert("ignore_result".into(), AMQPValue::Boolean(false));
    headers.insert("timelimit".into(), AMQPValue::FieldArray(vec![AMQPValue::Void; 2].into()));
    headers.insert("stamps".into(), AMQPValue::FieldTable(FieldTable::default()));
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_correlation_id("x".repeat(36).into())
        .with_headers(headers);
    publish_with(channel, properties, &[b'x'; 130]).await
}

impl RabbitConfirms {
    pub(crate) fn new(url: &str) -> Self {
        let runtime = runtime();
        let connection = runtime.block_on(channel(url));
        Self { runtime, connection }
    }

    pub(crate) fn publish(&mut self, count: usize) {
        self.publish_by(count, publish);
    }

    pub(crate) fn publish_headed(&mut self, count: usize) {
        self.publish_by(count, publish_headed);
    }

    fn publish_by(&mut self, count: usize, publish: impl AsyncFn(&Channel) -> lapin::PublisherConfirm) {
        let Self { runtime, connection: (_, channel) } = self;
        runtime.block_on(async {
            let mut in_flight = VecDeque::with_capacity(1000);
            for _ in 0..count {
                if in_flight.len() == 1000 {
                    let oldest: lapin::PublisherConfirm = in_flight.pop_front().unwrap();
                    assert!(oldest.await.unwrap().is_ack());
                }
                in_flight.push_back(publish(channel).await);
            }
            for confirm in in_flight {
                assert!(confirm.await.unwrap().is_ack());
            }
        });
    }
}

/// 600 bytes at a time, confirmed, on another thread.
pub(crate) struct RabbitHop(Hop);

impl RabbitHop {
    pub(crate) fn new(url: &str) -> Self {
        let url = url.to_owned();
        let connect = async move || channel(&url).await;
        Self(hop(connect, async |(_, channel)| assert!(publish(channel).await.await.unwrap().is_ack())))
    }

    pub(crate) fn publish(&mut self, count: usize) {
        through(&self.0, count);
    }
}

/// Empties these queues, as far as they are there.
pub(crate) fn purge(url: &str, queues: &[&str]) {
    runtime().block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        for queue in queues {
            // One that isn't there closes the channel.
            let channel = connection.create_channel().await.unwrap();
            let _ = channel.queue_purge((*queue).into(), QueuePurgeOptions::default()).await;
        }
        let _ = connection.close(200, "bye".into()).await;
    });
}
