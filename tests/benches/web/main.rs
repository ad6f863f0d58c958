//! What `ScopeLayer` adds to a request, beside the same service without it.
//!
//! `cargo bench -p airlock-tests --bench web --features tower [-- ROUNDS]`
//!
//! Medians of interleaved rounds, in nanoseconds a request. The service answers at once, so that its own time is nearly
//! nothing; requests and responses have no body. Nothing is asserted.
#![allow(clippy::print_stdout, reason = "the table is the point")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the benchmark")]

use std::convert::Infallible;
use std::env;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::time::Instant;

use airlock::web::ScopeLayer;
use airlock::{DropAll, scope};
use futures::executor::block_on;
use http::{Request, Response};
use tower::{Layer, Service, service_fn};

const REQUESTS: u32 = 20_000;

#[airlock::task(name = "web.note")]
fn note(request: u64) {
    black_box(request);
}

type Answer = Ready<Result<Response<()>, Infallible>>;

fn empty(_: Request<()>) -> Answer {
    ready(Ok(Response::new(())))
}

fn enqueues(_: Request<()>) -> Answer {
    note::enqueue(1).unwrap();
    ready(Ok(Response::new(())))
}

/// Nanoseconds a request.
fn time<S: Service<Request<()>, Response = Response<()>, Error = Infallible>>(service: &mut S) -> f64 {
    let started = Instant::now();
    for _ in 0..REQUESTS {
        black_box(block_on(service.call(Request::new(()))).unwrap());
    }
    started.elapsed().as_nanos() as f64 / f64::from(REQUESTS)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let rounds = env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(15);
    let mut bare = service_fn(empty);
    let mut layered = ScopeLayer::new().layer(service_fn(empty));
    let dropping = ScopeLayer::new().scope(|_| scope().policy(DropAll));
    let mut dropped = dropping.layer(service_fn(enqueues));
    let (mut without, mut with_empty, mut with_one) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        without.push(time(&mut bare));
        with_empty.push(time(&mut layered));
        with_one.push(time(&mut dropped));
    }
    let bare = median(without);
    println!("the service alone                        {bare:7.0} ns");
    for (name, times, limit) in
        [("an empty scope", with_empty, 1_000.0), ("one intent dropped by a policy", with_one, 2_000.0)]
    {
        let added = median(times) - bare;
        let met = if added <= limit { "ok" } else { "OVER" };
        println!("with {name:<35} + {added:5.0} ns, at most {limit:5.0}: {met}");
    }
}
