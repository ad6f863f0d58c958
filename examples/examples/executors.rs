//! Executors of one's own, each a closure: a thread pool, a remote function call, a log.
//!
//! ```sh
//! cargo run --example executors
//! ```
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::sync::mpsc;
use std::thread;

use airlock::{DispatchError, Intent, executor_fn};

#[airlock::task(name = "shop.send_email")]
fn send_email(order_id: u64, #[redact] token: String) {
    let _ = token;
    println!("sent for order {order_id}");
}

fn body() -> airlock::Result<()> {
    send_email::enqueue(42, "tok_4242".to_owned())?;
    Ok(())
}

/// Plays the client of a service that runs functions.
fn invoke(function: &str, payload: &str) -> Result<(), String> {
    println!("calling {function} with {} bytes", payload.len());
    Ok(())
}

fn main() -> airlock::Result<()> {
    let (jobs, queue) = mpsc::sync_channel::<Intent>(100);
    let worker = thread::spawn(move || queue.into_iter().for_each(|intent| drop(intent.call())));
    let pool = executor_fn(move |intent: Intent| {
        jobs.try_send(intent).map_err(|full| DispatchError::unavailable(full.to_string()))
    });
    airlock::scope().executor(pool).run(body)?;
    // The pool is gone with its scope, so the queue ends.
    drop(worker.join());

    let remote = executor_fn(|intent: Intent| {
        let payload = intent.to_json().map_err(DispatchError::rejected)?;
        invoke(intent.name(), payload.get()).map_err(DispatchError::unavailable)
    });
    airlock::scope().executor(remote).run(body)?;

    let log = executor_fn(|intent: Intent| {
        println!("would run {intent}");
        Ok::<(), DispatchError>(())
    });
    airlock::scope().executor(log).run(body)
}
