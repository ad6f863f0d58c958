//! An intent as a Celery message: task protocol 2 in JSON, byte for byte what a worker of celery 5.7.0 and kombu 5.7.0
//! reads, for Redis and for RabbitMQ. Pure: it depends on the intent, the time, fresh ids and this configuration.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::delayed;
use super::headers::{Delivery, Json, write_headers};
use crate::brokers::{AmqpDeclaration, AmqpMessage, AmqpProperties, AmqpQueue, AmqpValue, RedisMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::intent::{Intent, IntentId};
use crate::systems::json;
use crate::systems::queue::{CommonConfig, Format};

/// What a deployment sets, and the message depends on. The defaults are those of Celery.
#[derive(Debug, Clone)]
pub(crate) struct CeleryFormat {
    pub(crate) common: CommonConfig,
    /// `global_keyprefix` of the Redis transport.
    pub(crate) global_keyprefix: String,
    /// `sep` of the Redis transport.
    pub(crate) separator: String,
    /// `priority_steps` of the Redis transport, ascending.
    pub(crate) priority_steps: Vec<u8>,
    /// `visibility_timeout` of the Redis transport.
    pub(crate) visibility_timeout: Duration,
    /// Whether RabbitMQ spends delays, and queues are quorum queues.
    pub(crate) native_delayed_delivery: bool,
    /// Who sends, for intents that don't say.
    pub(crate) origin: String,
}

impl Default for CeleryFormat {
    fn default() -> Self {
        Self {
            common: CommonConfig::new("celery"),
            global_keyprefix: String::new(),
            separator: "\u{6}\u{16}".to_owned(),
            priority_steps: vec![0, 3, 6, 9],
            visibility_timeout: Duration::from_secs(3600),
            native_delayed_delivery: false,
            origin: origin(),
        }
    }
}

impl Format for CeleryFormat {
    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.check(transport, intent, flush)
    }

    /// The message for the Redis transport: an envelope, and the list it goes to.
    fn redis(&self, intent: &Intent, now: SystemTime) -> Result<RedisMessage, Rejection> {
        let delivery = Delivery::of(self, intent, now)?;
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        let body = self.body(intent, &arguments)?;
        // Celery's own 0 is first in the queue on Redis, and is what its producer sends for none.
        let priority = delivery.priority.map_or(0, |priority| 9 - priority.min(9));
        let id = intent.id().to_string();

        let mut out = String::with_capacity(body.len() * 4 / 3 + 1024);
        out.push_str("{\"body\":\"");
        STANDARD.encode_string(&body, &mut out);
        let mut out = out.into_bytes();
        out.extend_from_slice(b"\",\"content-encoding\":\"utf-8\",\"content-type\":\"application/json\",\"headers\":");
        out.push(b'{');
        write_headers(&mut Json(&mut out), self, intent, &arguments, &id, &delivery);
        out.extend_from_slice(b"},\"properties\":{\"correlation_id\":");
        json::text(&mut out, &id);
        out.extend_from_slice(b",\"reply_to\":");
        json::text(&mut out, &delivery.reply_to);
        out.extend_from_slice(b",\"delivery_mode\":2");
        if let Some(expiration) = &delivery.expiration {
            out.extend_from_slice(b",\"expiration\":");
            json::text(&mut out, expiration);
        }
        out.extend_from_slice(b",\"delivery_info\":{\"exchange\":\"\",\"routing_key\":");
        json::text(&mut out, &delivery.queue);
        // Two messages in a worker's hands with one tag would share one slot.
        let tag = IntentId::fresh();
        let rest = format!("}},\"priority\":{priority},\"body_encoding\":\"base64\",\"delivery_tag\":\"{tag}\"}}}}");
        out.extend_from_slice(rest.as_bytes());
        Ok(RedisMessage::PushLeft { list: self.list(&delivery.queue, priority), body: out })
    }

    /// The message for RabbitMQ.
    fn amqp(&self, intent: &Intent, now: SystemTime) -> Result<AmqpMessage, Rejection> {
        let delivery = Delivery::of(self, intent, now)?;
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        let body = self.body(intent, &arguments)?;
        let (id, mut headers) = (intent.id().to_string(), Vec::with_capacity(20));
        write_headers(&mut headers, self, intent, &arguments, &id, &delivery);
        let properties = AmqpProperties {
            content_type: Some("application/json"),
            content_encoding: Some("utf-8"),
            priority: Some(delivery.priority.unwrap_or(0)),
            correlation_id: Some(id),
            reply_to: Some(delivery.reply_to),
            expiration: delivery.expiration,
            headers,
        };
        let delay = if self.native_delayed_delivery { delayed::seconds(intent, now) } else { None };
        let (exchange, routing_key, queue_at) = match delay {
            Some(seconds) => (delayed::ENTRY, delayed::routing_key(seconds, &delivery.queue), delayed::QUEUE_AT),
            None => ("", delivery.queue, 0),
        };
        Ok(AmqpMessage { exchange, routing_key, queue_at, properties, body })
    }

    /// What has to be so before messages are published like this one.
    fn declarations(&self, message: &AmqpMessage) -> Option<Vec<AmqpDeclaration>> {
        let queue = message.routing_key.get(message.queue_at..).unwrap_or_default();
        let declared = self.common.declare.then(|| vec![self.queue(queue)]);
        if message.exchange.is_empty() {
            return declared.map(|queues| queues.into_iter().map(AmqpDeclaration::Queue).collect());
        }
        Some(delayed::declarations(queue, declared))
    }
}

impl CeleryFormat {
    /// The queue as a worker declares it.
    fn queue(&self, name: &str) -> AmqpQueue {
        let priorities = self.common.max_priority.map(|most| ("x-max-priority", AmqpValue::Int(i64::from(most))));
        let kind = self.native_delayed_delivery.then(|| ("x-queue-type", AmqpValue::Text("quorum".into())));
        AmqpQueue { name: name.to_owned(), arguments: priorities.into_iter().chain(kind).collect() }
    }

    /// The list that holds messages of this priority in the queue (kombu 5.7.0, `transport/redis.py`, `_q_for_pri`).
    fn list(&self, queue: &str, priority: u8) -> String {
        // Below the first step kombu takes the last one.
        let step = self.priority_steps.iter().rfind(|step| **step <= priority).or(self.priority_steps.last());
        match step {
            None | Some(0) => format!("{}{queue}", self.global_keyprefix),
            Some(step) => format!("{}{queue}{}{step}", self.global_keyprefix, self.separator),
        }
    }

    /// `[args, kwargs, embed]`.
    fn body(&self, intent: &Intent, arguments: &str) -> Result<Vec<u8>, Rejection> {
        self.check_size(intent, arguments)?;
        Ok(around(intent, arguments).concat().into_bytes())
    }

    /// Whether the body is small enough.
    pub(super) fn check_size(&self, intent: &Intent, arguments: &str) -> Result<(), Rejection> {
        let size = around(intent, arguments).iter().map(|part| part.len()).sum();
        json::check_size(size, self.common.body_limit)
    }
}

/// This process, as Celery's producers call theirs: `gen32202@host` (celery 5.7.0, `anon_nodename`).
fn origin() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.as_deref().map(str::trim).filter(|host| !host.is_empty()).unwrap_or("localhost");
    format!("airlock{}@{host}", std::process::id())
}

/// The parts of the body.
fn around<'a>(intent: &Intent, arguments: &'a str) -> [&'a str; 4] {
    const NO_CALLBACKS: &str = r#",{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]"#;
    let (before, after) = if intent.task().positional { ("[", ",{}") } else { ("[[],", "") };
    [before, arguments, after, NO_CALLBACKS]
}
