//! What it costs to hand an intent to threads and to tokio, beside a bare bounded channel and a bare `tokio::spawn`.
//!
//! `cargo bench -p airlock-tests --bench handover --features threads,tokio [-- ROUNDS]`
//!
//! Medians of interleaved rounds, the sides taking turns at going first. "Hand-over" is the time the producer needs
//! until everything is accepted, with room for all of it: the flush here, the sends or spawns there. "Until done" is
//! the time until the last task has run; "a full queue" holds 1,000, so that the producer waits. The bare channel
//! carries intents that its threads call: what goes over is the same, and ids, outcomes, deadlines, the account of what
//! is under way and the room for what is delayed are what airlock adds. Boxed closures made beforehand are for scale.
//! Nothing is asserted.
#![allow(clippy::print_stdout, reason = "the table is the point")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the benchmark")]

#[path = "../process/cases.rs"]
#[expect(dead_code, reason = "only the budget is used here")]
mod cases;
#[path = "../process/floor.rs"]
mod floor;
#[path = "../process/table.rs"]
mod table;

use std::env;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use airlock::{Executor, Intent, ThreadPoolExecutor, TokioExecutor};
use cases::Budget;
use table::Row;

const COUNT: usize = 20_000;
const THREADS: usize = 2;
const NARROW: usize = 1_000;

/// How many tasks have run since a round began.
static RAN: AtomicUsize = AtomicUsize::new(0);

fn task(order_id: u64, text: String) {
    black_box((order_id, text));
    RAN.fetch_add(1, Ordering::Release);
}

#[airlock::task(name = "handover.plain")]
fn plain(order_id: u64, text: String) {
    task(order_id, text);
}

#[airlock::task(name = "handover.later")]
async fn later(order_id: u64, text: String) {
    task(order_id, text);
}

fn text() -> String {
    "sixteen letters.".to_owned()
}

/// The producer's time and the time until all is done.
type Round = (Duration, Duration);

/// Waits until all has run; the clock started with the hand-over.
fn finish(start: Instant, handed_over: Duration) -> Round {
    while RAN.load(Ordering::Acquire) < COUNT {
        thread::yield_now();
    }
    (handed_over, start.elapsed())
}

/// What is handed over, and how a thread runs it.
fn bare_channel<Job: Send + 'static>(limit: usize, make: fn(u64) -> Job, run: fn(Job)) -> Round {
    let (sender, receiver) = crossbeam_channel::bounded::<Job>(limit);
    let workers: Vec<_> = (0..THREADS)
        .map(|_| {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.iter().for_each(run))
        })
        .collect();
    let jobs: Vec<Job> = (0..COUNT as u64).map(make).collect();
    RAN.store(0, Ordering::Release);
    let start = Instant::now();
    for job in jobs {
        drop(sender.send(job));
    }
    let round = finish(start, start.elapsed());
    drop(sender);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    round
}

fn intents(limit: usize) -> Round {
    bare_channel(limit, |n| plain::intent(n, text()), |intent: Intent| drop(intent.call()))
}

fn closures(limit: usize) -> Round {
    type Job = Box<dyn FnOnce() + Send>;

    let make = |n| {
        let text = text();
        Box::new(move || task(n, text)) as Job
    };
    bare_channel(limit, make, |job| job())
}

/// A flush of everything through the executor.
fn airlock(executor: impl Executor, enqueue: fn(u64)) -> Round {
    let mut start = Instant::now();
    let scope = airlock::scope().executor(executor).deadline(Duration::from_secs(60));
    let body = || {
        (0..COUNT as u64).for_each(enqueue);
        RAN.store(0, Ordering::Release);
        start = Instant::now();
    };
    scope.run(body).unwrap();
    finish(start, start.elapsed())
}

fn pool(limit: usize) -> Round {
    let pool = ThreadPoolExecutor::new().threads(THREADS).queue_limit(limit);
    let enqueue = |n| drop(plain::enqueue(n, text()));
    // The threads start, and the queue takes its memory, at the first hand-over; the bare ones have both already.
    airlock(pool.clone(), enqueue);
    airlock(pool, enqueue)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).build().unwrap()
}

fn bare_spawn() -> Round {
    let runtime = runtime();
    let arguments: Vec<_> = (0..COUNT as u64).map(|n| (n, text())).collect();
    RAN.store(0, Ordering::Release);
    let start = Instant::now();
    for (n, text) in arguments {
        drop(runtime.spawn(async move { task(n, text) }));
    }
    finish(start, start.elapsed())
}

fn tokio() -> Round {
    let runtime = runtime();
    let executor = TokioExecutor::on(runtime.handle().clone()).queue_limit(COUNT);
    airlock(executor, |n| drop(later::enqueue(n, text())))
}

fn main() {
    let rounds = env::args().find_map(|arg| arg.parse().ok()).unwrap_or(9);
    let wide = compare(rounds, || intents(COUNT), || pool(COUNT));
    let narrow = compare(rounds, || intents(NARROW), || pool(NARROW));
    let boxed = compare(rounds, || intents(COUNT), || closures(COUNT));
    let spawned = compare(rounds, bare_spawn, tokio);
    let row = |name: &str, (floor, airlock): (f64, f64), budget| Row {
        name: name.to_owned(),
        floor: Some(floor),
        airlock,
        budget,
        original: None,
    };
    let rows = [
        row("threads: hand-over", wide.0, Budget::Ratio(1.5)),
        row("threads: until done", wide.1, Budget::Ratio(1.5)),
        row("threads: until done, a full queue", narrow.1, Budget::Ratio(1.5)),
        row("(for scale) boxed closures: hand-over", boxed.0, Budget::None),
        row("(for scale) boxed closures: until done", boxed.1, Budget::None),
        row("tokio: hand-over", spawned.0, Budget::Ratio(1.5)),
        row("tokio: until done", spawned.1, Budget::None),
    ];
    let title =
        "Hand-over: medians of {rounds} rounds of {COUNT}, for each intent; the floor is a bare channel or spawn";
    table::print(&title.replace("{rounds}", &rounds.to_string()).replace("{COUNT}", &COUNT.to_string()), "ns", &rows);
}

/// Nanoseconds an intent of the floor and of airlock: handed over, and until done.
fn compare(rounds: usize, floor: impl Fn() -> Round, airlock: impl Fn() -> Round) -> ((f64, f64), (f64, f64)) {
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
    let median = |rounds: &[Round], figure: fn(&Round) -> Duration| {
        let mut all: Vec<_> = rounds.iter().map(|round| figure(round).as_nanos() as f64 / COUNT as f64).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let [handed_over, done]: [fn(&Round) -> Duration; 2] = [|round| round.0, |round| round.1];
    ((median(&floors, handed_over), median(&airlocks, handed_over)), (median(&floors, done), median(&airlocks, done)))
}
