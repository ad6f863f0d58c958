//! A shop that leaves its e-mails to functions on AWS Lambda, here as moto plays it:
//!
//! ```text
//! pip install 'moto[server]'
//! moto_server -H 127.0.0.1 -p 5000
//! curl -XPOST http://127.0.0.1:5000/moto-api/config -H 'content-type: application/json' -d '{"lambda":{"use_docker":false}}'
//! cargo run -p airlock-examples --features lambda --example lambda
//! ```
//!
//! The function is `workers/lambda_handler.py`, or any program in Rust that calls `airlock::invoke_event`: with `--event`,
//! this one does, as if a function had been given it.
//!
//! ```text
//! cargo run -p airlock-examples --features lambda --example lambda -- --event '{"task":"shop.send_receipt","args":[7]}'
//! ```

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::time::Duration;

use airlock::{Ended, Error, LambdaExecutor, scope};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{Config, Credentials, Region};

#[airlock::task(name = "shop.send_receipt")]
fn send_receipt(order_id: u64, #[default = false] express: bool) {
    println!("receipt for order {order_id}{}", if express { ", express" } else { "" });
}

/// For AWS itself: `Client::new(&aws_config::load_from_env().await)`.
fn client() -> Client {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap_or_else(|_| "http://127.0.0.1:5000".to_owned());
    let config = Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("testing", "testing", None, None, "moto"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

fn main() -> airlock::Result<()> {
    let mut arguments = std::env::args().skip(1);
    if let (Some("--event"), Some(event)) = (arguments.next().as_deref(), arguments.next()) {
        return airlock::invoke_event(event).map_err(Error::from);
    }

    let lambda = LambdaExecutor::new(client()).function("shop.send_receipt", "receipts");
    println!("invoking through {lambda:?}");
    let within = Duration::from_secs(60);
    let Ended { result, flush } = scope().name("checkout").executor(lambda).deadline(within).run_reported(|| {
        send_receipt::enqueue(1, false)?;
        send_receipt::enqueue(2, true)?;
        Ok::<(), Error>(())
    });
    result?;
    match flush {
        Ok(report) => println!("{report}"),
        // Whatever did not go out is still here.
        Err(error) => {
            println!("{error}");
            println!("{} can be sent again", error.undispatched().len());
        }
    }
    Ok(())
}
