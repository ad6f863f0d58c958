//! Dramatiq.

use airlock::{AmqpProperties, BrokerMessage, DramatiqExecutor, RedisMessage};

use crate::golden::{CALLS, File, as_python, now};
use crate::tasks;

/// The options of the file of that name, with the priority if there is a place for it.
fn options(name: &str, priority: &str) -> String {
    if name != "options" {
        return "{}".to_owned();
    }
    format!(
        r#"{{{priority}"max_retries":2,"timeout_ms":5000,"expires_in_ms":90000,"delay_ms":60000,
        "extra":{{"dramatiq":{{"on_failure":"wire.none","min_backoff":1000}}}}}}"#
    )
}

fn executor(url: &str, name: &str) -> DramatiqExecutor {
    DramatiqExecutor::new(url).unwrap().default_queue(format!("dramatiq_{name}")).max_priority(10)
}

/// The files' clock counts whole milliseconds.
fn whole() -> std::time::SystemTime {
    now() - std::time::Duration::from_micros(901)
}

#[test]
fn on_redis_it_is_what_dramatiq_writes_byte_for_byte() {
    for name in CALLS {
        let file = File::read("dramatiq", &format!("redis_{name}"));
        let intent = tasks::of(name, &options(name, ""));
        let message = executor("redis://localhost", name).message(&intent, whole()).unwrap();
        let BrokerMessage::Redis(RedisMessage::StoreAndPush { hash, field, list, body, .. }) = message else {
            panic!("{message:?}")
        };
        assert_eq!((hash, list), (file.hash.clone(), file.list.clone()));
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(&format!("\"redis_message_id\":\"{field}\"")), "{body}");
        assert!(file.raw.contains(&format!("\"redis_message_id\":\"{}\"", file.field)), "theirs does, too");
        assert_ne!(field, intent.id().to_string(), "a retry keeps the message's id and takes another field");
        assert_eq!(as_python(&file.steady(&body), ",", ":"), file.steady(&file.raw), "{name}, {}", file.lib);
    }
}

#[test]
fn on_rabbitmq_it_is_what_dramatiq_writes_byte_for_byte() {
    for name in CALLS {
        let file = File::read("dramatiq", &format!("amqp_{name}"));
        let intent = tasks::of(name, &options(name, "\"priority\":3,"));
        let message = executor("amqp://localhost", name).message(&intent, whole()).unwrap();
        let BrokerMessage::Amqp(message) = message else { panic!("{message:?}") };
        assert_eq!(message.routing_key, file.routing_key);
        let body = String::from_utf8(message.body).unwrap();
        assert_eq!(as_python(&body, ",", ":"), file.body_raw, "{name}, {}", file.lib);

        let theirs = file.properties.unwrap();
        assert_eq!(message.properties.priority, theirs.priority);
        assert_eq!(theirs.delivery_mode, 2);
        let AmqpProperties { content_type, content_encoding, correlation_id, reply_to, expiration, headers, .. } =
            message.properties;
        let others = [content_type, content_encoding].map(|text| text.map(str::to_owned));
        assert_eq!(others, [theirs.content_type, theirs.content_encoding]);
        assert_eq!([correlation_id, reply_to, expiration], [theirs.correlation_id, theirs.reply_to, theirs.expiration]);
        assert!(headers.is_empty() && theirs.headers.is_none());
    }
}
