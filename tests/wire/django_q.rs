//! Django-Q2: signed packages.

use std::time::Duration;

use airlock::{BrokerMessage, DjangoQExecutor, RedisMessage, SecretKey};
use airlock_tests::servers::DjangoDatabase;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;

use crate::golden::{CALLS, File, now};
use crate::{rows, tasks};

fn options(name: &str) -> &str {
    match name {
        "options" => {
            r#"{"queue":"long","timeout_ms":9000,"label":"a label","extra":{"django_q":{"hook":"wire.hooks.done",
            "group":"a group","save":true,"ack_failure":false}}}"#
        }
        "mirrored" => r#"{"timeout_ms":9000}"#,
        "overriding" => r#"{"extra":{"django_q":{"cached":0,"ack_failure":false}}}"#,
        _ => "{}",
    }
}

fn executor() -> DjangoQExecutor {
    executor_at("redis://localhost")
}

fn executor_at(url: &str) -> DjangoQExecutor {
    let key = SecretKey::new("wire-secret-key-ünï").unwrap();
    DjangoQExecutor::new(url, key).unwrap().cluster("wire")
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
fn what_the_cluster_says_of_every_task_goes_with_each_that_says_nothing_else() {
    let executor = executor().cached(Duration::from_secs(60)).ack_failures(true);
    for name in ["mirrored", "overriding"] {
        let file = File::read("django_q", name);
        assert_eq!(message(&executor, name), (file.list, file.raw), "{name}, {}", file.lib);
    }
    // As if it were not said.
    let plain = executor.cached(Duration::ZERO).ack_failures(false);
    let file = File::read("django_q", "none");
    assert_eq!(message(&plain, "none"), (file.list, file.raw), "{}", file.lib);
}

#[test]
fn what_is_kept_for_longer_than_a_cache_may_take_is_kept_without_an_end() {
    let pickle = |executor: &DjangoQExecutor| {
        let (_, package) = message(executor, "none");
        URL_SAFE_NO_PAD.decode(package.split(':').next().unwrap()).unwrap()
    };
    let holds = |bytes: Vec<u8>, what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    let seconds = |seconds| pickle(&executor().cached(Duration::from_secs(seconds)));
    assert!(holds(seconds(i32::MAX as u64 - 1), b"\x8c\x06cachedJ\xfe\xff\xff\x7f"));
    assert!(holds(seconds(i32::MAX as u64), b"\x8c\x06cached\x88"));
    assert!(holds(pickle(&executor().cached(Duration::MAX)), b"\x8c\x06cached\x88"));
}

/// As `sign_object` of Django does it.
#[test]
fn what_compression_makes_no_shorter_is_sent_as_it_is() {
    let (mut shorter, mut plain) = (0, 0);
    for length in 0..20 {
        // Whole numbers are bytes in a pickle; in these, none follows from the ones before.
        let digit = |n: u64| char::from(b'1' + (n.wrapping_mul(n ^ 0x9e37_79b9_7f4a_7c15) >> 32) as u8 % 9);
        let numbers: Vec<String> =
            (0..length).map(|number| (0..4000).map(|place| digit(number * 4000 + place)).collect()).collect();
        let intent = tasks::any::intent(RawValue::from_string(format!("[{}]", numbers.join(","))).unwrap());
        let package = |executor: DjangoQExecutor| match executor.message(&intent, now()).unwrap() {
            BrokerMessage::Redis(RedisMessage::PushRight { body, .. }) => String::from_utf8(body).unwrap(),
            other => panic!("{other:?}"),
        };
        let (as_it_is, compressed) = (package(executor()), package(executor().compressed()));
        let bytes = |package: &str| {
            URL_SAFE_NO_PAD.decode(package.split(':').next().unwrap().trim_start_matches('.')).unwrap().len()
        };
        if compressed.starts_with('.') {
            shorter += 1;
            assert!(bytes(&compressed) < bytes(&as_it_is) - 1, "{length}");
        } else {
            plain += 1;
            assert_eq!(compressed, as_it_is);
        }
    }
    assert!(shorter > 0 && plain > 0, "{shorter} {plain}");
}

#[test]
fn in_a_table_it_is_what_django_q_inserts_column_by_column() {
    for (vendor, database) in [("sqlite", DjangoDatabase::sqlite()), ("postgresql", DjangoDatabase::postgres())] {
        for name in CALLS {
            let file = File::read("django_q", &format!("{vendor}_{name}"));
            let message = executor_at(database.url()).message(&tasks::of(name, options(name)), now());
            rows::compare(&database, &rows::row(message), &file, |_, _, _| false);
        }
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
