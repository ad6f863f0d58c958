//! A shop that leaves its e-mails to the Huey consumers a company already has.
//!
//! ```text
//! pip install huey redis
//! cd examples/workers && BROKER=redis://localhost:6379/0 python -m huey.bin.huey_consumer huey_worker.huey
//! BROKER=redis://localhost:6379/0 cargo run -p airlock-examples --features huey,redis --example huey
//! ```
//!
//! Both sign with `HUEY_SECRET` if that is set.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::time::Duration;

use airlock::{Ended, Error, HueyExecutor, Options, SecretKey, scope};

/// Python has the body: `send_receipt` in `workers/huey_worker.py`.
#[airlock::task(name = "huey_worker.send_receipt")]
fn send_receipt(order_id: u64, express: bool);

#[airlock::task(name = "huey_worker.ask_for_review", expires = "1h")]
fn ask_for_review(order_id: u64);

fn main() -> airlock::Result<()> {
    let broker = std::env::var("BROKER").unwrap_or_else(|_| "redis://localhost:6379/0".to_owned());
    let mut huey = HueyExecutor::new(broker).map_err(Error::other)?.default_queue("shop");
    if std::env::var_os("HUEY_SECRET").is_some() {
        huey = huey.signed(SecretKey::from_env("HUEY_SECRET").map_err(Error::other)?);
        println!("signing with key {}", huey.fingerprint().unwrap_or_default());
    }
    println!("sending to {huey:?}");

    let Ended { result, flush } = scope().name("checkout").executor(huey).run_reported(|| {
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
