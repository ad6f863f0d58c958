//! The client for RabbitMQ has a warning for what comes back, and traces what it sends.

use std::sync::LazyLock;

use airlock::{CeleryExecutor, Options};
use airlock_tests::servers::RabbitServer;
use lapin::options::QueueDeleteOptions;
use lapin::{Connection, ConnectionProperties};

use super::LOG;

const CANARY: &str = "canary-message-5772";

#[airlock::task(name = "secrets.post")]
fn post(to: String);

fn delete(url: &str, queue: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    });
}

#[test]
fn promise_18_no_log_has_a_value_of_what_is_sent_to_a_broker_or_comes_back() {
    LazyLock::force(&LOG);
    let server = RabbitServer::shared();
    let send = |executor: CeleryExecutor| {
        airlock::scope().executor(executor).run_reported(|| {
            let options = Options::new().queue("secrets").header("shop-token", CANARY);
            post::enqueue_with(options, CANARY.to_owned()).unwrap();
        })
    };
    let celery = CeleryExecutor::new(server.url()).unwrap();
    send(celery.clone().declare()).flush.unwrap();
    // It is known now, and not looked for again.
    delete(&server.url(), "secrets");
    let error = send(celery.declare()).flush.unwrap_err();
    assert!(error.to_string().contains("no queue `secrets`"), "{error}");

    let log = LOG();
    // As text, and as the bytes of a frame.
    let bytes: Vec<String> = CANARY.bytes().map(|byte| byte.to_string()).collect();
    for value in [CANARY.to_owned(), bytes.join(", ")] {
        let line = log.lines().find(|line| line.contains(&value));
        assert_eq!(line, None);
    }
}
