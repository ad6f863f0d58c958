//! A shop that leaves its e-mails to the Dramatiq workers a company already has.
//!
//! ```text
//! pip install 'dramatiq[redis]'
//! cd examples/workers && BROKER=redis://localhost:6379/0 dramatiq dramatiq_worker
//! BROKER=redis://localhost:6379/0 cargo run -p airlock-examples --features dramatiq,redis --example dramatiq
//! ```
//!
//! For RabbitMQ: `BROKER=amqp://localhost`, and `--features dramatiq,amqp`.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::time::Duration;

use airlock::{DramatiqExecutor, Ended, Error, Options, scope};

/// Python has the body: `send_receipt` in `workers/dramatiq_worker.py`.
#[airlock::task(name = "send_receipt", queue = "mail")]
fn send_receipt(order_id: u64, express: bool);

#[airlock::task(name = "ask_for_review", queue = "mail", expires = "1h")]
fn ask_for_review(order_id: u64);

fn main() -> airlock::Result<()> {
    let broker = std::env::var("BROKER").unwrap_or_else(|_| "redis://localhost:6379/0".to_owned());
    // Without `declare`, RabbitMQ would have to have the queue from a worker that was there first.
    let dramatiq = DramatiqExecutor::new(broker).map_err(Error::other)?.declare();
    println!("sending to {dramatiq:?}");

    let Ended { result, flush } = scope().name("checkout").executor(dramatiq).run_reported(|| {
        send_receipt::enqueue(1, false)?;
        send_receipt::enqueue(2, true)?;
        ask_for_review::enqueue_with(Options::new().delay(Duration::from_secs(5)), 1)?;
        Ok::<(), Error>(())
    });
    result?;
    match flush {
        Ok(report) => println!("{report}"),
        // Whatever did not go out is still here.
        Err(error) => {
            error.failed().iter().for_each(|failure| println!("{failure}"));
            println!("{} can be sent again", error.undispatched().len());
        }
    }
    Ok(())
}
