#![allow(dead_code, nonstandard_style, unused_macros)]
//! Everything an expansion could name by accident means something else here.

mod core {}
mod std {}
mod alloc {}
mod serde {}
mod airlock {}
mod inventory {}

struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct Box;
struct Vec;
struct Args;
struct Task;
struct Intent;
struct Options;
struct Send;
struct Sync;
struct Sized;
struct Fn;
struct FnOnce;
struct Duration;
struct str;
struct bool;

macro_rules! line {
    () => {
        ""
    };
}
macro_rules! file {
    () => {
        0
    };
}
macro_rules! module_path {
    () => {
        0
    };
}

type Number = u64;

#[::airlock::task(name = "a.b", aliases = ["c"], queue = "q", priority = 1, max_retries = 1, delay = "1s")]
fn send(order_id: Number) -> ::std::result::Result<(), ::std::string::String> {
    let _ = order_id;
    ::std::result::Result::Ok(())
}

#[::airlock::task]
async fn other(text: ::std::string::String) {
    let _ = text;
}

#[::airlock::task]
fn elsewhere(order_id: Number);

#[::airlock::scoped(deadline = "1s")]
fn checkout() -> ::airlock::Result<()> {
    send::enqueue(42)?;
    ::std::result::Result::Ok(())
}

#[::airlock::scoped]
async fn pay() -> ::airlock::Result<()> {
    other::enqueue(::std::string::String::new())?;
    elsewhere::enqueue(42)?;
    ::std::result::Result::Ok(())
}

fn main() {
    drop(pay());
    ::std::assert!(checkout().is_ok());
}
