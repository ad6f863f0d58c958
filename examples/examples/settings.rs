//! The order service under a settings file, with an executor of its own chosen by name.
//!
//! ```text
//! cargo run -p airlock-examples --features settings --example settings
//! AIRLOCK_EXECUTOR=inline cargo run -p airlock-examples --features settings --example settings
//! AIRLOCK_POLICY=block_task cargo run -p airlock-examples --features settings --example settings
//! ```

#![allow(clippy::print_stdout, reason = "a program for people")]

use airlock::{Error, Secret, Settings, scope};
use airlock_examples::orders::Order;
use airlock_examples::shop;

// `executor = "webhook"` in the file; its options are the table `[webhook]`.
airlock::register_executor!("webhook", |settings| {
    let url = settings.required::<Secret>("url")?;
    Ok(airlock::executor_fn(move |intent| {
        // A client would post to `url.expose()`; printed, it has no password.
        println!("    posting {} to {url}", intent.name());
        Ok::<_, Error>(())
    }))
});

fn main() -> airlock::Result<()> {
    airlock::configure(Settings::load_from("examples/data/airlock.toml")?);
    println!("{}\n", airlock::configuration());

    let ended = scope().name("checkout").run_reported(|| shop::process(&Order::sample(1)));
    ended.result.map_err(Error::other)?;
    println!("{}", ended.flush?);
    Ok(())
}
