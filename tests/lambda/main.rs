//! `LambdaExecutor` with the real client, against a loopback server that answers what AWS would, or nothing; and the other
//! end, `invoke_event`.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod answers;
mod events;
mod faults;
mod flushes;
mod forked;
mod refusals;
mod runtimes;
#[path = "../brokers/tasks.rs"]
#[allow(dead_code, reason = "brokers have ways to fail that Lambda has not")]
mod tasks;

use airlock::LambdaExecutor;
use airlock_tests::aws;
use airlock_tests::servers::HttpServer;

/// An executor that invokes the function `notes` there, for every task.
fn executor(server: &HttpServer) -> LambdaExecutor {
    LambdaExecutor::new(aws::client(&server.url())).functions_by(|_| Some("notes".to_owned()))
}
