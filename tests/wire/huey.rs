//! Huey: its messages on each of its storages.

use airlock::{BrokerMessage, HueyExecutor, RedisMessage, SecretKey};
use airlock_tests::servers::DjangoDatabase;

use crate::golden::{CALLS, File, now};
use crate::{rows, tasks};

/// The options of the file of that name, for this major version.
fn options(name: &str, version: u8) -> String {
    if name != "options" {
        return "{}".to_owned();
    }
    let (timeout, backoff) = if version == 3 { (r#""timeout_ms":9000,"#, r#","retry_backoff":2"#) } else { ("", "") };
    format!(
        r#"{{"priority":7,"max_retries":2,"delay_ms":300000,"expires_in_ms":3600000,{timeout}
        "extra":{{"huey":{{"retry_delay":5{backoff}}}}}}}"#
    )
}

fn executor(version: u8) -> HueyExecutor {
    HueyExecutor::new("redis://localhost").unwrap().default_queue("wire-app").consumer(version)
}

/// For the version that the consumers have, byte for byte.
fn compare(version: u8) {
    for name in CALLS {
        let file = File::read("huey", &format!("v{version}_{name}"));
        let intent = tasks::of(name, &options(name, version));
        let executor = if name == "options" { executor(version).priorities() } else { executor(version) };
        match executor.message(&intent, now()).unwrap() {
            BrokerMessage::Redis(RedisMessage::PushLeft { list, body, .. }) => {
                assert_eq!(list, file.list);
                assert_eq!(hex(&body), file.raw_hex, "{name}, {}", file.lib);
            }
            BrokerMessage::Redis(RedisMessage::AddScored { set, score, member, .. }) => {
                assert!(file.is_volatile("the first 8 bytes"));
                assert_eq!((set, Some(score)), (file.list, file.score));
                assert_eq!(hex(&member[8..]), file.raw_hex[16..], "{name}, {}", file.lib);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn body(message: BrokerMessage) -> Vec<u8> {
    match message {
        BrokerMessage::Redis(RedisMessage::PushLeft { body, .. }) => body,
        other => panic!("{other:?}"),
    }
}

#[test]
fn for_consumers_of_huey_3_it_is_what_huey_3_writes_byte_for_byte() {
    compare(3);
}

#[test]
fn for_consumers_of_huey_2_it_is_what_huey_2_writes_byte_for_byte() {
    compare(2);
}

#[test]
fn in_a_table_it_is_what_huey_inserts_column_by_column() {
    for (version, vendor, database) in [
        (2, "sqlite", DjangoDatabase::sqlite()),
        (3, "sqlite", DjangoDatabase::sqlite()),
        (3, "postgresql", DjangoDatabase::postgres()),
    ] {
        let executor = HueyExecutor::new(database.url()).unwrap().default_queue("wire-app").consumer(version);
        for name in CALLS {
            let file = File::read("huey", &format!("v{version}_{vendor}_{name}"));
            let intent = tasks::of(name, &options(name, version));
            let row = rows::row(executor.message(&intent, now()));
            rows::compare(&database, &row, &file, |_, _, _| false);
            // Consumers on Postgres listen there.
            assert_eq!(row.notify(), (vendor == "postgresql").then_some("huey.q.wire-app"));
        }
    }
}

#[test]
fn signed_it_is_what_a_signed_serializer_writes_byte_for_byte() {
    let (key, intent) = (SecretKey::new("s3cret-ünï").unwrap(), tasks::of("named", "{}"));
    for version in [2, 3] {
        let file = File::read("huey", &format!("v{version}_signed"));
        // In any order.
        let signed = executor(version).signed(key.clone()).salt("wire");
        assert_eq!(hex(&body(signed.message(&intent, now()).unwrap())), file.raw_hex, "{}", file.lib);
        let signed = executor(version).salt("wire").signed(key.clone());
        assert_eq!(hex(&body(signed.message(&intent, now()).unwrap())), file.raw_hex, "{}", file.lib);
    }
}

#[test]
fn compressed_it_is_the_same_inside() {
    use std::io::Read;
    let (key, intent) = (SecretKey::new("s3cret-ünï").unwrap(), tasks::of("named", "{}"));
    let plain = executor(3).signed(key).salt("wire");
    let inside = body(plain.message(&intent, now()).unwrap());
    let mut gzip = Vec::new();
    let compressed = body(plain.clone().compressed().message(&intent, now()).unwrap());
    flate2::read::GzDecoder::new(&*compressed).read_to_end(&mut gzip).unwrap();
    let mut zlib = Vec::new();
    let compressed = body(plain.compressed().use_zlib().message(&intent, now()).unwrap());
    flate2::read::ZlibDecoder::new(&*compressed).read_to_end(&mut zlib).unwrap();
    assert!(gzip == inside && zlib == inside);
}

#[test]
fn in_a_priority_queue_what_comes_first_is_first_whatever_the_clock_says() {
    let executor = executor(2).priorities();
    let member = |seconds: u64| {
        let now = now() - std::time::Duration::from_secs(seconds);
        match executor.message(&tasks::of("none", "{}"), now).unwrap() {
            BrokerMessage::Redis(RedisMessage::AddScored { score: 0, member, .. }) => member,
            other => panic!("{other:?}"),
        }
    };
    let members: Vec<_> = [0, 0, 0, 5, 3].map(member).into();
    assert!(members.is_sorted_by(|first, second| first < second));
}

#[test]
fn the_name_is_cleaned_as_the_consumers_clean_it() {
    let list = |executor: HueyExecutor| match executor.message(&tasks::of("none", "{}"), now()).unwrap() {
        BrokerMessage::Redis(RedisMessage::PushLeft { list, .. }) => list,
        other => panic!("{other:?}"),
    };
    assert_eq!(list(executor(2).default_queue("büro-1_A.b")), "huey.redis.bro1_Ab");
    assert_eq!(list(executor(2).default_queue("büro-1_A.b").clean_name(false)), "huey.redis.büro-1_A.b");
}
