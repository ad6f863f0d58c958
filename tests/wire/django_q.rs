//! Django-Q2: signed packages.

use airlock::{BrokerMessage, DjangoQExecutor, RedisMessage, SecretKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::golden::{CALLS, File, now};
use crate::tasks;

fn options(name: &str) -> &str {
    match name {
        "options" => {
            r#"{"queue":"long","timeout_ms":9000,"label":"a label","extra":{"django_q":{"hook":"wire.hooks.done",
            "group":"a group","save":true,"ack_failure":false}}}"#
        }
        _ => "{}",
    }
}

fn executor() -> DjangoQExecutor {
    let key = SecretKey::new("wire-secret-key-ünï").unwrap();
    DjangoQExecutor::new("redis://localhost", key).unwrap().cluster("wire")
}

fn message(executor: &DjangoQExecutor, name: &str) -> (String, String) {
    match executor.message(&tasks::of(name, options(name)), now()).unwrap() {
        BrokerMessage::Redis(RedisMessage::PushRight { list, body, .. }) => (list, String::from_utf8(body).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_is_what_django_q_writes_byte_for_byte() {
    for name in CALLS {
        let file = File::read("django_q", name);
        assert_eq!(message(&executor(), name), (file.list, file.raw), "{name}, {}", file.lib);
    }
}

#[test]
fn compressed_it_is_the_same_inside() {
    use std::io::Read;
    let intent = tasks::any::intent(serde_json::value::to_raw_value(&"x".repeat(1000)).unwrap());
    let package = |executor: &DjangoQExecutor| match executor.message(&intent, now()).unwrap() {
        BrokerMessage::Redis(RedisMessage::PushRight { body, .. }) => String::from_utf8(body).unwrap(),
        other => panic!("{other:?}"),
    };
    let first = |package: &str| package.split(':').next().unwrap().to_owned();
    let (plain, short) = (first(&package(&executor())), first(&package(&executor().compressed())));
    assert!(short.len() < 500, "{}", short.len());
    let mut inside = Vec::new();
    let zlib = URL_SAFE_NO_PAD.decode(short.strip_prefix('.').unwrap()).unwrap();
    flate2::read::ZlibDecoder::new(&*zlib).read_to_end(&mut inside).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(inside), plain);
}

#[test]
fn the_queue_is_that_of_the_intent_of_the_cluster_or_of_the_site() {
    assert_eq!(message(&executor(), "none").0, "django_q:wire:q");
    assert_eq!(message(&executor().cluster_name("short"), "none").0, "django_q:short:q");
    assert_eq!(message(&executor().cluster_name("short"), "options").0, "django_q:long:q");
}
