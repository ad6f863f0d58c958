//! What airlock costs in the process, beside the least that does the same job and beside the Python original.
//!
//! `cargo bench -p airlock-tests --bench process [-- --rounds 9] [--only CASE] [--side airlock|floor]`
//!
//! Medians of interleaved rounds, each with fresh scopes, the sides taking turns at going first. Nothing is asserted.
//! Where 100,000 intents lie in one scope, each round is a process of its own: memory is as fresh as a program's first
//! large scope finds it, and no side profits from what the other left in the allocator. Small scopes run in warm memory.
//! With `--side`, one side of one case runs alone, round after round, for a profiler.
#![allow(clippy::print_stdout, reason = "the table is the point")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the benchmark")]

mod cases;
mod floor;
mod original;
mod table;
mod thousand;

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use cases::{Budget, CASES, Case, MANY};
use original::Original;
use table::Row;

fn main() {
    let options = Options::parse();
    let cases = CASES.iter().filter(|case| options.only.as_ref().is_none_or(|only| only == case.key));
    match (&options.side, options.once) {
        (Some(side), true) if options.only.as_deref() == Some("registry") => {
            let (first, lookup) = if side == "floor" { thousand::floor() } else { thousand::airlock() };
            return println!("{first} {lookup}");
        }
        (Some(side), true) => return cases.for_each(|case| println!("{}", nanos(case, case.side(side)))),
        (Some(side), false) => {
            return cases.for_each(|case| (0..options.rounds).for_each(|_| case.side(side)(case.count)));
        }
        (None, _) => {}
    }

    let rounds = options.rounds;
    let mut original = Original::start();
    let mut rows: Vec<_> = cases.map(|case| measure(case, rounds, original.as_mut())).collect();
    if options.only.is_none() {
        rows.extend(closures(rounds));
    }
    table::print(&format!("In the process: medians of {rounds} rounds, for each intent"), "ns", &rows);
    if options.only.is_none() {
        table::print("Starting up: 1,000 registered tasks, a new process each round", "ns", &startup(rounds));
        linear(rounds);
    }
    if original.is_none() {
        println!("\n{}", original::HINT);
    }
    if options.only.is_none() {
        memory();
    }
}

struct Options {
    rounds: usize,
    only: Option<String>,
    side: Option<String>,
    /// One round of one side, for a parent that asks for the figure.
    once: bool,
}

impl Options {
    fn parse() -> Self {
        let mut options = Self { rounds: 9, only: None, side: None, once: false };
        let mut args = env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg} needs a value"));
            match arg.as_str() {
                "--rounds" => options.rounds = value().parse().unwrap(),
                "--only" => options.only = Some(value()),
                "--side" => options.side = Some(value()),
                "--once" => options.once = true,
                // Cargo's own.
                "--bench" => {}
                other => panic!("unknown argument {other}"),
            }
        }
        options
    }
}

fn measure(case: &Case, rounds: usize, mut original: Option<&mut Original>) -> Row {
    let nanos = |side: &str| if case.fresh { once(case.key, side)[0] } else { nanos(case, case.side(side)) };
    let (floor, airlock) = interleaved(rounds, || nanos("floor"), || nanos("airlock"));
    // A tenth is plenty: it has no fixed cost worth the name, and takes ten times as long.
    let original = original
        .as_mut()
        .map(|original| median((0..rounds).map(|_| original.measure(case.key, case.count / 10)).collect()));
    Row { name: case.name.to_owned(), floor: Some(floor), airlock, budget: case.budget, original }
}

fn nanos(case: &Case, run: fn(usize)) -> f64 {
    // A small run first, so that code and thread-locals are there.
    run(100);
    let start = Instant::now();
    run(black_box(case.count));
    start.elapsed().as_nanos() as f64 / case.count as f64
}

/// The figures of one round in a process of its own.
fn once(key: &str, side: &str) -> Vec<f64> {
    let mut round = Command::new(env::current_exe().unwrap());
    let output = round.args(["--once", "--only", key, "--side", side]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(|figure| figure.parse().unwrap()).collect()
}

fn interleaved(rounds: usize, mut floor: impl FnMut() -> f64, mut airlock: impl FnMut() -> f64) -> (f64, f64) {
    let (mut floors, mut airlocks) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            floors.push(floor());
            airlocks.push(airlock());
        } else {
            airlocks.push(airlock());
            floors.push(floor());
        }
    }
    (median(floors), median(airlocks))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// For scale, in the column of the floor: what no library is.
fn closures(rounds: usize) -> impl Iterator<Item = Row> {
    let row = move |name: &str, run: fn()| {
        let nanos = (0..rounds).map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64 / MANY as f64
        });
        let airlock = median(nanos.collect());
        Row { name: name.to_owned(), floor: None, airlock, budget: Budget::None, original: None }
    };
    [
        row("(for scale) a boxed closure, 100,000 in a Vec", || cases::closures(MANY)),
        row("(for scale) a boxed closure, tens in a Vec", || (0..MANY / 10).for_each(|_| cases::closures(10))),
    ]
    .into_iter()
}

/// The registry is filled once in a process, so each round is a process.
fn startup(rounds: usize) -> [Row; 2] {
    let (floors, airlocks): (Vec<_>, Vec<_>) =
        (0..rounds).map(|_| (once("registry", "floor"), once("registry", "airlock"))).unzip();
    let row = |name: &str, budget, figure: usize| {
        let [floor, airlock] = [&floors, &airlocks].map(|of| median(of.iter().map(|round| round[figure]).collect()));
        Row { name: name.to_owned(), floor: Some(floor), airlock, budget: Budget::Amount(budget), original: None }
    };
    [row("first use of the registry", 400_000.0, 0), row("a lookup", 40.0, 1)]
}

/// A scope grows to a million intents: what an intent costs has to stay what it is.
fn linear(rounds: usize) {
    let mut rows = Vec::new();
    for exponent in 3..=6 {
        let count = 10_usize.pow(exponent);
        let rounds = rounds.min(if exponent < 6 { 9 } else { 5 });
        let (mut enqueue, mut flush) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for _ in 0..rounds {
            let (enqueued, flushed) = timed(count, |body| floor::scope(&floor::ALLOW_ALL, body), cases::floor_enqueue);
            enqueue.0.push(enqueued);
            flush.0.push(flushed);
            let scope = |body: &mut dyn FnMut()| airlock::scope().run(body).unwrap();
            let (enqueued, flushed) = timed(count, scope, cases::airlock_enqueue);
            enqueue.1.push(enqueued);
            flush.1.push(flushed);
        }
        for (what, (floor, airlock)) in [("enqueue", enqueue), ("flush", flush)] {
            let name = format!("{what}, 10^{exponent} in one scope");
            let (floor, airlock) = (Some(median(floor)), median(airlock));
            rows.push(Row { name, floor, airlock, budget: Budget::None, original: None });
        }
    }
    table::print("A million intents in one scope, for each intent", "ns", &rows);
}

/// Nanoseconds an intent in the body of a scope, and in its end.
fn timed(count: usize, scope: impl FnOnce(&mut dyn FnMut()), enqueue: fn(usize)) -> (f64, f64) {
    let start = Instant::now();
    let mut enqueued = start;
    scope(&mut || {
        enqueue(count);
        enqueued = Instant::now();
    });
    let each = |from: Instant, to: Instant| (to - from).as_nanos() as f64 / count as f64;
    (each(start, enqueued), each(enqueued, Instant::now()))
}

/// Allocations are counted by a program of their own: a counting allocator would slow down everything above.
fn memory() {
    let again = ["bench", "--quiet", "-p", "airlock-tests", "--bench", "memory"];
    match env::var_os("CARGO") {
        Some(cargo) if Command::new(&cargo).args(again).status().is_ok_and(|status| status.success()) => {}
        _ => println!("\nallocations and bytes: cargo {}", again.join(" ")),
    }
}
