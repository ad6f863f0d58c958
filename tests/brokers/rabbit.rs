//! A look into queues of RabbitMQ, with a client of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::StreamExt;
use lapin::message::{BasicGetMessage, Delivery};
use lapin::options::{BasicConsumeOptions, BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};

/// A name that no other test uses.
pub(crate) fn queue_of_its_own() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("queue-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn with_channel<R>(url: &str, work: impl AsyncFnOnce(Channel) -> R) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        let done = work(channel).await;
        let _ = connection.close(200, "bye".into()).await;
        done
    })
}

/// Takes everything out of the queue.
pub(crate) fn drain(url: &str, queue: &str) -> Vec<BasicGetMessage> {
    with_channel(url, async |channel| {
        let mut all = Vec::new();
        let no_ack = BasicGetOptions { no_ack: true };
        while let Some(message) = channel.basic_get(queue.into(), no_ack).await.expect("the queue is there") {
            all.push(message);
        }
        all
    })
}

/// The bodies of everything in the queue, which is empty then.
pub(crate) fn bodies(url: &str, queue: &str) -> Vec<String> {
    drain(url, queue).into_iter().map(|message| String::from_utf8(message.delivery.data).expect("a text")).collect()
}

/// The intents' ids in Celery's messages, of everything in the queue.
pub(crate) fn ids(url: &str, queue: &str) -> std::collections::HashSet<String> {
    all_ids(url, queue).into_iter().collect()
}

/// The same, those that are there twice among it.
pub(crate) fn all_ids(url: &str, queue: &str) -> Vec<String> {
    let id =
        |message: BasicGetMessage| message.delivery.properties.correlation_id().clone().expect("an id").to_string();
    drain(url, queue).into_iter().map(id).collect()
}

/// The same, sooner, of a queue that gets nothing more.
pub(crate) fn all_ids_at_rest(url: &str, queue: &str) -> Vec<String> {
    with_channel(url, async |channel| {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
        let count = declared.expect("the queue is there").message_count();
        let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = channel.basic_consume(queue.into(), "".into(), no_ack, FieldTable::default()).await;
        let messages = consumer.expect("it may be read").take(count as usize);
        let id = |delivery: Result<Delivery, _>| {
            let properties = delivery.expect("the connection lasts").properties;
            properties.correlation_id().clone().expect("an id").to_string()
        };
        messages.map(id).collect().await
    })
}

/// A durable queue without arguments.
pub(crate) fn declare(url: &str, queue: &str) {
    declare_with(url, queue, FieldTable::default());
}

/// A durable queue that takes so many messages, and refuses the others.
pub(crate) fn declare_for(url: &str, queue: &str, most: i32) {
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(most));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    declare_with(url, queue, arguments);
}

fn declare_with(url: &str, queue: &str, arguments: FieldTable) {
    with_channel(url, async |channel| {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.into(), durable, arguments).await.expect("it can be declared");
    });
}

pub(crate) fn delete(url: &str, queue: &str) {
    with_channel(url, async |channel| {
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.expect("it can be deleted");
    });
}
