//! What airlock allocates, beside the least that does the same job and beside the Python original.
//!
//! `cargo bench -p airlock-tests --bench memory`; the benchmark `process` runs it too. A program of its own because the
//! counting allocator slows down what it counts. Nothing is asserted.
#![allow(clippy::print_stdout, reason = "the table is the point")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the benchmark")]

#[path = "../process/cases.rs"]
#[expect(dead_code, reason = "the other benchmark uses the rest")]
mod cases;
#[path = "../process/floor.rs"]
mod floor;
#[path = "../process/original.rs"]
#[expect(dead_code, reason = "the other benchmark gives the hint")]
mod original;
#[path = "../process/table.rs"]
mod table;

use allocation_counter::{AllocationInfo, measure};

use cases::{Budget, CASES, MANY};
use original::Original;
use table::Row;

/// Bytes that the arguments of one intent own besides themselves.
const TEXT: usize = 16;
/// Bytes of the arguments themselves.
const ARGS: usize = size_of::<(u64, String)>();

fn main() {
    let each = |total: u64, count: usize| total as f64 / count as f64;
    let mut rows = Vec::new();
    for case in CASES {
        // What a thread allocates once is none of the case's.
        (case.floor)(100);
        (case.airlock)(100);
        let allocations = |run: fn(usize)| each(measure(|| run(case.count)).count_total, case.count);
        let (floor, airlock) = (allocations(case.floor), allocations(case.airlock));
        // One for the intent, one for the text that its arguments own; the vector's growth is rounding.
        let budget = if case.key == "allow_all" { Budget::Amount(2.01) } else { Budget::None };
        rows.push(Row { name: case.name.to_owned(), floor: Some(floor), airlock, budget, original: None });
    }
    table::print("Allocations, for each intent (or empty scope)", "", &rows);

    let mut original = Original::start();
    let buffered = |info: AllocationInfo| info.bytes_current as f64 / MANY as f64 - (ARGS + TEXT) as f64;
    let (mut floor, mut airlock) = (AllocationInfo::default(), AllocationInfo::default());
    floor::scope(&floor::drop_all(), || floor = measure(|| cases::floor_enqueue(MANY)));
    let _ = airlock::scope().policy(airlock::DropAll).run(|| airlock = measure(|| cases::airlock_enqueue(MANY)));
    let mut rows = vec![Row {
        name: "buffered, arguments aside".to_owned(),
        floor: Some(buffered(floor)),
        airlock: buffered(airlock),
        budget: Budget::Amount(160.0),
        original: original.as_mut().map(|original| original.measure("bytes", MANY)),
    }];
    for exponent in 3..=6 {
        let count = 10_usize.pow(exponent);
        let peak = |run: fn(usize)| each(measure(|| run(count)).bytes_max, count);
        let name = format!("at the peak, arguments and all, 10^{exponent} in one scope");
        let (floor, airlock) = (Some(peak(CASES[0].floor)), peak(CASES[0].airlock));
        rows.push(Row { name, floor, airlock, budget: Budget::None, original: None });
    }
    table::print("Bytes, for each intent (a vector that grows is counted twice over)", "", &rows);
}
