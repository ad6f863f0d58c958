//! An intent as a Dramatiq message, as a worker of dramatiq 2.2.1 reads it (`message.py`), for Redis and for RabbitMQ.
//! Pure: it depends on the intent, the time, fresh ids and this configuration.

use std::time::{SystemTime, UNIX_EPOCH};

use super::extras::options;
use super::table;
use crate::brokers::{AmqpDeclaration, AmqpMessage, AmqpProperties, AmqpQueue, AmqpValue, RedisMessage, Transport};
use crate::dispatch::Rejection;
use crate::executors::FlushContext;
use crate::executors::times::{self, whole_millis};
use crate::intent::{Intent, IntentId};
use crate::systems::json;
use crate::systems::queue::{CommonConfig, Format};

/// How long dead letters are kept, unless the environment variable `dramatiq_dead_message_ttl` says otherwise.
const DEAD_MESSAGE_TTL_MS: i64 = 604_800_000;

/// What a deployment sets, and the message depends on. The defaults are those of Dramatiq.
#[derive(Debug, Clone)]
pub(crate) struct DramatiqFormat {
    pub(crate) common: CommonConfig,
    /// `namespace` of the `RedisBroker`.
    pub(crate) namespace: String,
}

impl Default for DramatiqFormat {
    fn default() -> Self {
        Self { common: CommonConfig::new("default"), namespace: "dramatiq".to_owned() }
    }
}

impl Format for DramatiqFormat {
    fn accepts(&self, transport: Transport, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.check(transport, intent, flush)
    }

    /// The message for a `RedisBroker`: a field of a hash, and its name at the end of a list.
    fn redis(&self, intent: &Intent, now: SystemTime) -> Result<RedisMessage, Rejection> {
        // Not the message's id: a retry is a new message with the same id, and a worker confirms by this one.
        let field = IntentId::fresh().to_string();
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        let (queue, body) = self.body(intent, &arguments, now, Some(&field), None)?;
        let list = format!("{}:{queue}", self.namespace);
        Ok(RedisMessage::StoreAndPush { hash: format!("{list}.msgs"), field, list, body })
    }

    /// The message for a `RabbitmqBroker`.
    fn amqp(&self, intent: &Intent, now: SystemTime) -> Result<AmqpMessage, Rejection> {
        // A retry takes its priority from the options, this delivery from the property.
        let priority = self.common.priority(intent);
        let arguments = intent.json().map_err(|error| Rejection::new(error.to_string()))?;
        let (routing_key, body) = self.body(intent, &arguments, now, None, priority)?;
        let properties = AmqpProperties { priority, ..AmqpProperties::default() };
        Ok(AmqpMessage { exchange: "", routing_key, queue_at: 0, properties, body })
    }

    fn declarations(&self, message: &AmqpMessage) -> Option<Vec<AmqpDeclaration>> {
        let queues = || self.queues(&message.routing_key).into_iter().map(AmqpDeclaration::Queue).collect();
        self.common.declare.then(queues)
    }
}

impl DramatiqFormat {
    /// The queues that a worker declares for one: itself, the delayed one and the dead letters.
    pub(crate) fn queues(&self, routing_key: &str) -> Vec<AmqpQueue> {
        let canonical = routing_key.strip_suffix(".DQ").unwrap_or(routing_key);
        let dead = format!("{canonical}.XQ");
        let mut arguments = vec![
            ("x-dead-letter-exchange", AmqpValue::Text("".into())),
            ("x-dead-letter-routing-key", AmqpValue::Text(dead.clone().into())),
        ];
        if let Some(most) = self.common.max_priority {
            arguments.push(("x-max-priority", AmqpValue::Int(i64::from(most))));
        }
        vec![
            AmqpQueue { name: canonical.to_owned(), arguments: arguments.clone() },
            AmqpQueue { name: format!("{canonical}.DQ"), arguments },
            AmqpQueue { name: dead, arguments: vec![("x-message-ttl", AmqpValue::Int(DEAD_MESSAGE_TTL_MS))] },
        ]
    }

    /// The queue it lies on, delayed or not, and the message. A worker thread ends over a message that names another.
    pub(super) fn body(
        &self,
        intent: &Intent,
        arguments: &str,
        now: SystemTime,
        redis_id: Option<&str>,
        priority: Option<u8>,
    ) -> Result<(String, Vec<u8>), Rejection> {
        let delayed = times::starts_later(intent, now).map(millis);
        let queue = match delayed {
            Some(_) => format!("{}.DQ", self.common.queue(intent)),
            None => self.common.queue(intent).to_owned(),
        };
        let (args, kwargs) = if intent.task().positional { (arguments, "{}") } else { ("[]", arguments) };

        let mut out = Vec::with_capacity(arguments.len() + 512);
        out.extend_from_slice(b"{\"queue_name\":");
        json::text(&mut out, &queue);
        out.extend_from_slice(b",\"actor_name\":");
        json::text(&mut out, &self.common.task_name(intent));
        for part in [",\"args\":", args, ",\"kwargs\":", kwargs, ",\"options\":"] {
            out.extend_from_slice(part.as_bytes());
        }
        table::write(&mut out, &options(intent, now, redis_id, priority, delayed));
        let stamp = millis(enqueued(intent, now));
        let rest = format!(",\"message_id\":\"{}\",\"message_timestamp\":{stamp}}}", intent.id());
        out.extend_from_slice(rest.as_bytes());
        json::check_size(out.len(), self.common.body_limit)?;
        Ok((queue, out))
    }
}

/// When the message was made: `max_age` counts from it, also if it is handed over a second time.
pub(super) fn enqueued(intent: &Intent, now: SystemTime) -> SystemTime {
    intent.handed_over().unwrap_or(now)
}

/// Milliseconds since 1970, rounded up so that nothing runs early.
pub(super) fn millis(time: SystemTime) -> i64 {
    whole_millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
