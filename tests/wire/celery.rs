//! Celery: task protocol 2.

use airlock::{AmqpValue, BrokerMessage, CeleryExecutor, RedisMessage};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::golden::{CALLS, File, as_python, now, text, without};
use crate::tasks;

/// The options of the file of that name, with the priority at hand.
fn options(name: &str, priority: u8) -> String {
    if name != "options" {
        return "{}".to_owned();
    }
    format!(
        r#"{{"priority":{priority},"delay_ms":300000,"expires_in_ms":3600000,"timeout_ms":30000,"headers":{{"x-air":"1"}},
        "extra":{{"celery":{{"soft_time_limit":20,"ignore_result":true,"shadow":"a note","root_id":"root",
        "parent_id":"parent","reply_to":"answers"}}}}}}"#
    )
}

fn executor(url: &str) -> CeleryExecutor {
    CeleryExecutor::new(url).unwrap().default_queue("wire").origin("gen1@host").max_priority(10)
}

#[test]
fn on_redis_it_is_what_celery_writes_byte_for_byte() {
    for name in CALLS {
        let file = File::read("celery", &format!("redis_{name}"));
        let intent = tasks::of(name, &options(name, 3));
        let message = executor("redis://localhost").message(&intent, now()).unwrap();
        let BrokerMessage::Redis(RedisMessage::PushLeft { list, body, .. }) = message else { panic!("{message:?}") };
        let envelope = String::from_utf8(body).unwrap();
        assert_eq!(list, file.list, "{name}, {}", file.lib);

        let inner = |envelope: &str| String::from_utf8(STANDARD.decode(text(envelope, "body")).unwrap()).unwrap();
        assert_eq!(as_python(&inner(&envelope), ", ", ": "), inner(&file.raw), "{name}, {}", file.lib);
        let outer = |json: &str| file.steady(&without(json, "body"));
        assert_eq!(as_python(&outer(&envelope), ", ", ": "), outer(&file.raw), "{name}, {}", file.lib);
    }
}

#[test]
fn on_rabbitmq_it_is_what_celery_writes_byte_for_byte() {
    for name in CALLS {
        let file = File::read("celery", &format!("amqp_{name}"));
        let intent = tasks::of(name, &options(name, 6));
        let message = executor("amqp://localhost").message(&intent, now()).unwrap();
        let BrokerMessage::Amqp(message) = message else { panic!("{message:?}") };
        assert_eq!(message.routing_key, file.routing_key);
        let body = String::from_utf8(message.body).unwrap();
        assert_eq!(as_python(&body, ", ", ": "), file.body_raw, "{name}, {}", file.lib);

        let (ours, theirs) = (message.properties, file.properties.as_ref().unwrap());
        assert_eq!(ours.content_type.map(str::to_owned), theirs.content_type);
        assert_eq!(ours.content_encoding.map(str::to_owned), theirs.content_encoding);
        assert_eq!(ours.priority, theirs.priority);
        assert_eq!(ours.correlation_id, theirs.correlation_id);
        assert_eq!(ours.expiration, theirs.expiration);
        assert_eq!(theirs.delivery_mode, 2);
        if !file.is_volatile("reply_to") {
            assert_eq!(ours.reply_to, theirs.reply_to);
        }
        // The file is indented; strings have no line breaks of their own.
        let headers = theirs.headers.as_ref().unwrap().get();
        let headers: String = headers.lines().map(str::trim_start).collect();
        assert_eq!(as_python(&table(&ours.headers), ",", ": "), headers, "{name}, {}", file.lib);
    }
}

type Table = [(std::borrow::Cow<'static, str>, AmqpValue)];

fn table(fields: &Table) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{}:{}", quoted(name), json(value))).collect();
    format!("{{{}}}", fields.join(","))
}

fn json(value: &AmqpValue) -> String {
    match value {
        AmqpValue::Null => "null".to_owned(),
        AmqpValue::Bool(value) => value.to_string(),
        AmqpValue::Int(value) => value.to_string(),
        AmqpValue::Text(value) => quoted(value),
        AmqpValue::List(values) => format!("[{}]", values.iter().map(json).collect::<Vec<_>>().join(",")),
        AmqpValue::Table(fields) => table(fields),
        other => panic!("{other:?}"),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn redacted_values_are_in_the_arguments_alone() {
    let intent = tasks::secret::intent(42, "tok_4242".to_owned());
    let message = executor("amqp://localhost").message(&intent, now()).unwrap();
    assert!(!format!("{message:?}").contains("tok_4242"));
    let BrokerMessage::Amqp(message) = message else { panic!("{message:?}") };
    let headers = table(&message.properties.headers);
    assert!(!headers.contains("tok_4242"), "{headers}");
    assert!(headers.contains(r#""kwargsrepr":"{'order_id': 42, 'token': '***'}""#), "{headers}");
    assert!(String::from_utf8(message.body).unwrap().contains("tok_4242"));
}

#[test]
fn each_message_has_a_tag_of_its_own() {
    let intent = tasks::of("none", "{}");
    let tag = || match executor("redis://localhost").message(&intent, now()).unwrap() {
        BrokerMessage::Redis(RedisMessage::PushLeft { body, .. }) => {
            let envelope: serde_json::Value = serde_json::from_slice(&body).unwrap();
            envelope["properties"]["delivery_tag"].as_str().unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    };
    assert_ne!(tag(), tag());
}
