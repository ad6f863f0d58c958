//! Every order in which claims, renewals, ends, rescues, cancellations, prunings and crashes can happen to two rows and two
//! workers; and random ones of them, step by step with the library's own statements, on each database.
//!
//! `table` says what a statement does, `world` what can happen, `properties` what holds then. `explorer` looks everywhere,
//! where worlds that are alike are one (`normal`). `replay` has the library do (`hands`) what was found or what `dice` draws.

mod dice;
mod explorer;
mod hands;
mod normal;
mod properties;
mod replay;
mod table;
mod world;

use std::hash::{BuildHasher, RandomState};

use dice::Dice;
use explorer::{Counterexample, explore};
use replay::Replay;
use table::Fault;

use crate::home::Home;

/// What the library does that it should not.
const LIBRARY: Option<Fault> = None;

#[test]
fn promise_23_each_row_has_one_end_whatever_dies_in_between() {
    let explored = explore(None, 2).unwrap_or_else(|counterexample| panic!("{counterexample:?}"));
    // All of them are gone through, and they are many.
    assert!(explored.worlds > 10_000 && explored.steps > 10 * explored.worlds, "{explored:?}");
}

/// A test each: with the fault, something is broken, and that is found.
macro_rules! faults {
    ($($name:ident: $fault:ident breaks $broken:literal;)*) => {
        $(#[test] fn $name() {
            assert_eq!(counterexample(Fault::$fault).broken, $broken);
        })*

        const FAULTS: &[Fault] = &[$(Fault::$fault),*];
    };
}

faults! {
    an_end_without_its_lease_is_found: FinishWithoutLease breaks "a run that has lost its row changes it";
    a_rescue_by_id_is_found: RescueById breaks "a row that has ended goes on";
    attempts_in_place_of_a_lease_are_found: AttemptsAsFence breaks "a run that has lost its row changes it";
    a_key_that_outlives_its_row_is_found: KeyWithoutSeq breaks "a run that has lost its row changes it";
    what_a_stale_run_left_is_found: FollowUpsOfAll breaks "what a task left and its row's end are apart";
    a_retry_that_does_not_move_back_is_found: RetryInPlace breaks "a row that failed is claimed before one that waits since";
    a_rescue_without_end_is_found: RescueForEver breaks "a row is given back more often than it may be";
    a_rescue_from_the_living_is_found: RescueOfTheLiving breaks "a row is given back whose lease holds";
    a_second_claim_is_found: ClaimOfTheRunning breaks "a row is claimed that is another's";
    company_of_what_runs_alone_is_found: AloneAmongOthers breaks "a row that is to run alone has company";
    a_row_that_is_stuck_is_found: AloneForgotten breaks "a row can't reach its end";
}

fn counterexample(fault: Fault) -> Counterexample {
    let rows = if fault == Fault::RetryInPlace { 2 } else { 1 };
    explore(Some(fault), rows).expect_err("something is broken")
}

/// The shortest ways to what each fault breaks: there the library does what it should, and not what the fault would do.
fn follow_counterexamples(home: &Home) {
    let mut replay = Replay::on(home);
    for &fault in FAULTS {
        let trace = counterexample(fault).trace;
        replay.follow(LIBRARY, &trace).unwrap_or_else(|how| panic!("{fault:?}: {how}"));
        // What never happens is no step that could differ.
        if Some(fault) != LIBRARY && fault != Fault::AloneForgotten {
            replay.follow(Some(fault), &trace).expect_err("the library is without it");
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

/// So many random traces unless `AIRLOCK_TRACES` says otherwise.
const TRACES: u64 = 60;

/// How long each is.
const STEPS: usize = 30;

fn follow_random_traces(home: &Home) {
    let first = from_environment("AIRLOCK_TRACES_SEED").unwrap_or_else(|| RandomState::new().hash_one("a seed"));
    let mut replay = Replay::on(home);
    for nth in 0..from_environment("AIRLOCK_TRACES").unwrap_or(TRACES) {
        let seed = first.wrapping_add(nth);
        let agrees = replay.random(LIBRARY, &mut Dice::new(seed), STEPS);
        agrees.unwrap_or_else(|how| panic!("{how}\nagain with AIRLOCK_TRACES_SEED={seed} AIRLOCK_TRACES=1"));
    }
}

#[test]
fn promise_23_sqlite_holds_where_each_fault_would_show() {
    follow_counterexamples(&Home::sqlite());
}

#[test]
fn promise_23_postgres_holds_where_each_fault_would_show() {
    follow_counterexamples(&Home::postgres());
}

#[test]
fn promise_23_sqlite_does_what_the_model_does() {
    follow_random_traces(&Home::sqlite());
}

#[test]
fn promise_23_postgres_does_what_the_model_does() {
    follow_random_traces(&Home::postgres());
}
