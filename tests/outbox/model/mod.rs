//! Every order in which claims, renewals, ends, rescues, cancellations, prunings and crashes can happen to two rows and two
//! workers; and random ones of them, step by step with the library's own statements, on each database.
//!
//! `table` says what a statement does, `world` what can happen, `properties` what holds then, `explorer` looks everywhere,
//! `replay` asks the library what `dice` draws.

mod dice;
mod explorer;
mod properties;
mod replay;
mod table;
mod world;

use std::hash::{BuildHasher, RandomState};

use dice::Dice;
use explorer::explore;
use replay::Replay;
use table::Fault;

use crate::home::Home;

#[test]
fn promise_23_each_row_has_one_end_whatever_dies_in_between() {
    let start = std::time::Instant::now();
    let explored = explore(None).unwrap_or_else(|counterexample| panic!("{counterexample:?}"));
    assert!(explored.worlds > 10_000, "{explored:?}");
    println!("{explored:?} {:?}", start.elapsed());
}

/// What is broken with a fault, by the shortest way there.
fn broken_by(fault: Fault) -> (&'static str, usize) {
    let counterexample = explore(Some(fault)).expect_err("it is noticed");
    println!("{:?}", counterexample.trace);
    (counterexample.broken, counterexample.trace.len())
}

#[test]
fn faults() {
    for f in [
        Fault::FinishWithoutLease,
        Fault::RescueById,
        Fault::AttemptsAsFence,
        Fault::KeyWithoutSeq,
        Fault::FollowUpsOfAll,
        Fault::RetryInPlace,
        Fault::AloneForgotten,
    ] {
        let start = std::time::Instant::now();
        let b = broken_by(f);
        println!("{f:?} {b:?} {:?}", start.elapsed());
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

/// Random traces, or those of a seed.
fn replay(home: &Home) {
    let seed = from_environment("AIRLOCK_TRACES_SEED").unwrap_or_else(|| RandomState::new().hash_one("a seed"));
    let traces = from_environment("AIRLOCK_TRACES").unwrap_or(60);
    let mut replay = Replay::on(home);
    for trace in 0..traces {
        let agrees = replay.trace(None, &mut Dice::new(seed.wrapping_add(trace)), 30);
        agrees.unwrap_or_else(|how| {
            panic!("{how}\nagain with AIRLOCK_TRACES_SEED={} AIRLOCK_TRACES=1", seed.wrapping_add(trace))
        });
    }
}

#[test]
fn promise_23_sqlite_does_what_the_model_does() {
    replay(&Home::sqlite());
}

#[test]
fn promise_23_postgres_does_what_the_model_does() {
    replay(&Home::postgres());
}
