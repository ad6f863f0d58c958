//! One order service under five contexts: what is enqueued is the same, what escapes is not.
//!
//! ```text
//! cargo run --example quickstart
//! cargo run --example quickstart -- --orders examples/data/orders.jsonl
//! ```

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::path::Path;
use std::process::ExitCode;

use airlock::{AssertNoEffects, BlockTasks, DropAll, Ended, FlushReport, scope};
use airlock_examples::orders::{self, Order};
use airlock_examples::shop::{self, ShopError};
use airlock_examples::tasks::charge;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => five_contexts(),
        ["--orders", file] => orders_from(Path::new(file)),
        _ => Err("usage: quickstart [--orders FILE.jsonl]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<(), Box<dyn std::error::Error>>;

fn five_contexts() -> Done {
    // Found as the program starts rather than in production: two tasks of one name.
    airlock::registry().check()?;

    println!("production: the order succeeds, its effects escape");
    show(scope().name("checkout").run_reported(|| shop::process(&Order::sample(1))))?;

    println!("failing request: the charge was enqueued before the order turned out to be empty; nothing escapes");
    let empty = Order { items: 0, ..Order::sample(2) };
    show(scope().name("checkout").run_reported(|| shop::process(&empty)))?;

    println!("migration: the same code over old orders, and no customer gets a mail");
    show(scope().name("migration").policy(DropAll).run_reported(|| shop::process(&Order::sample(3))))?;

    println!("admin: reprocess an order without charging twice");
    let admin = scope().name("admin").policy(BlockTasks::of::<(charge,)>());
    show(admin.run_reported(|| shop::process(&Order::sample(4))))?;

    println!("test: this code is meant to have no effects, and is caught");
    show(scope().name("test").policy(AssertNoEffects).run_reported(|| shop::process(&Order::sample(5))))
}

fn show(ended: Ended<Result<(), ShopError>>) -> Done {
    if let Err(error) = ended.result {
        println!("    the body failed: {error}");
    }
    // Every intent, what became of it and why, and where it was enqueued. `println!("{report}")` leaves values out.
    print_report(&ended.flush?);
    Ok(())
}

fn print_report(report: &FlushReport) {
    for line in report.with_arguments().to_string().lines() {
        println!("    {line}");
    }
    println!();
}

/// Each order in a scope of its own: an order that is invalid sends nothing, and the others are not held up by it.
fn orders_from(file: &Path) -> Done {
    let (mut processed, mut refused) = (0, 0);
    for (line, order) in orders::read(file)? {
        let done = order
            .map_err(|error| error.to_string())
            .and_then(|order| checkout(&order).map_err(|error| format!("{}:{line}: {error}", file.display())));
        match done {
            Ok(()) => processed += 1,
            Err(error) => {
                println!("error: {error}");
                refused += 1;
            }
        }
    }
    println!("{processed} orders processed, {refused} refused");
    Ok(())
}

#[airlock::scoped]
fn checkout(order: &Order) -> Result<(), ShopError> {
    shop::process(order)
}
