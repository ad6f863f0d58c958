//! A shop that leaves its e-mails to the Django-Q2 cluster a company already has.
//!
//! ```text
//! pip install django-q2 redis
//! cd examples/workers && SECRET_KEY=of-the-project BROKER=redis://localhost:6379/0 python django_q_worker.py
//! SECRET_KEY=of-the-project BROKER=redis://localhost:6379/0 \
//!     cargo run -p airlock-examples --features django-q,redis --example django_q
//! ```

#![allow(clippy::print_stdout, reason = "a program for people")]

use airlock::{DjangoQExecutor, Ended, Error, Options, SecretKey, scope};

/// Python has the body: `send_receipt` in `workers/django_q_worker.py`.
#[airlock::task(name = "django_q_worker.send_receipt")]
fn send_receipt(order_id: u64, express: bool);

#[airlock::task(name = "django_q_worker.ask_for_review", timeout = "30s")]
fn ask_for_review(order_id: u64);

fn main() -> airlock::Result<()> {
    let broker = std::env::var("BROKER").unwrap_or_else(|_| "redis://localhost:6379/0".to_owned());
    // With it, one can run any code in the cluster. It is printed nowhere.
    let key = SecretKey::from_env("SECRET_KEY").map_err(Error::other)?;
    let django_q = DjangoQExecutor::new(broker, key).map_err(Error::other)?.cluster("shop");
    println!("sending to {django_q:?}, signing with key {}", django_q.fingerprint());

    let Ended { result, flush } = scope().name("checkout").executor(django_q).run_reported(|| {
        send_receipt::enqueue(1, false)?;
        send_receipt::enqueue(2, true)?;
        ask_for_review::enqueue_with(Options::new().label("review").extra("django_q", "group", "reviews"), 1)?;
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
