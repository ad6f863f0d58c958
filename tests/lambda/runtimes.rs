//! Where the client's I/O runs: never where the caller is.

use std::time::Duration;

use airlock::LambdaExecutor;
use airlock_tests::aws;
use airlock_tests::servers::{Answer, HttpServer};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::types::InvocationType;
use tokio::runtime::{Builder, Runtime};

use crate::executor;
use crate::tasks::{flush_notes, note};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn one_executor_works_from_any_thread_and_runtime_and_after_the_one_that_used_it_first_is_gone() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    let executor = executor(&server).concurrency(1);
    let flush = || flush_notes(executor.clone(), 3).expect(&[("dispatched", 3)]);

    let many = Builder::new_multi_thread().enable_all().build().unwrap();
    many.block_on(async { flush() });
    drop(many);
    let one = current_thread();
    one.block_on(async { flush() });
    drop(one);
    flush();
    std::thread::scope(|scope| drop(scope.spawn(flush)));
    futures::executor::block_on(async {
        let body = async { note::enqueue(1).map(drop).map_err(airlock::Error::from) };
        airlock::scope().executor(executor.clone()).run_async(body).await.unwrap();
    });
    assert_eq!(server.requests().len(), 13);
    assert_eq!(server.connections(), 1, "the connection outlives every runtime of the callers");
}

#[test]
fn a_sync_flush_does_not_wait_for_a_connection_that_the_parked_runtime_has_made() {
    let server = HttpServer::start(|_| Answer::Status(202, ""));
    // With what the executor has, too: the pool goes by it.
    let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).build();
    let client = Client::from_conf(aws::config(&server.url()).timeout_config(timeouts).build());
    let executor = LambdaExecutor::new(client.clone()).functions_by(|_| Some("notes".to_owned()));
    let runtime = current_thread();
    runtime.block_on(async {
        // The program's own use leaves an idle connection in the client's pool, which only this thread could drive.
        client.invoke().function_name("other").invocation_type(InvocationType::Event).send().await.unwrap();
        flush_notes(executor.clone(), 3).expect(&[("dispatched", 3)]);
    });
    drop(runtime);
    flush_notes(executor, 3).expect(&[("dispatched", 3)]);
    assert_eq!(server.requests().len(), 7);
}
