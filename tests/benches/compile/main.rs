//! What a task costs the compiler and the executable, beside a hand-written twin and beside a bare function.
//!
//! `cargo bench -p airlock-tests --bench compile [-- --rounds 5]`
//!
//! Crates of 10, 100 and 1,000 tasks are generated under the target folder, then checked and built with all that they
//! depend on already built: medians of interleaved rounds, the source touched before each. A task's cost is the slope
//! from one size to the next, so what a crate costs without tasks is not in it. Nothing is asserted about time, but the
//! crates have to compile without a warning and to run each of their tasks. It takes minutes.
#![allow(clippy::print_stdout, reason = "the table is the point")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the benchmark")]

mod kinds;
mod program;
mod table;
mod tasks;

use std::env;

use kinds::{KINDS, Kind};
use program::Program;
use table::Measure;

const SIZES: [usize; 3] = [10, 100, 1000];

/// What is measured, its unit and its budget for a task.
const MEASURES: [Measure; 3] = [
    Measure { name: "cargo check", unit: "ms", budget: table::Budget::OfByHand(0.25) },
    Measure { name: "cargo build", unit: "ms", budget: table::Budget::OfByHand(0.25) },
    Measure { name: "executable", unit: "KiB", budget: table::Budget::Amount(8.0) },
];

/// The figures of one program: those of each round for each measure.
struct Measured {
    program: Program,
    figures: [Vec<f64>; MEASURES.len()],
}

fn main() {
    let rounds = rounds();
    program::clean();
    let programs = SIZES.iter().flat_map(|size| KINDS.map(|kind| Program::write(kind, *size)));
    let mut measured: Vec<_> = programs.map(|program| Measured { program, figures: Default::default() }).collect();

    let clean = prepare(&measured);
    for round in 0..rounds {
        // The sides take turns at going first: what else the machine does hits each alike.
        let places = measured.len();
        for place in 0..places {
            measured[(place + round) % places].round();
        }
    }

    println!("\nCompiling, for each task: slopes between medians of {rounds} rounds, dependencies built");
    for (index, measure) in MEASURES.iter().enumerate() {
        let median = |kind: Kind, tasks: usize| {
            let same = |of: &&Measured| of.program.kind == kind && of.program.tasks == tasks;
            median(measured.iter().find(same).unwrap().figures[index].clone())
        };
        table::print(measure, &SIZES.map(|size| (size, KINDS.map(|kind| median(kind, size)))));
    }
    table::clean(clean);
}

fn rounds() -> usize {
    let mut rounds = 5;
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rounds" => rounds = args.next().expect("--rounds needs a value").parse().unwrap(),
            // Cargo's own.
            "--bench" => {}
            other => panic!("unknown argument {other}"),
        }
    }
    rounds
}

/// Builds what is depended on and shows that each program does what it is measured for. Returns how many seconds it
/// takes to build the smallest program with airlock from nothing.
fn prepare(measured: &[Measured]) -> f64 {
    let (mut airlock, others): (Vec<_>, Vec<_>) =
        measured.iter().map(|measured| &measured.program).partition(|program| program.kind == Kind::Airlock);
    let smallest = airlock.remove(0);
    let clean = smallest.time("build").as_secs_f64();
    for program in [smallest].into_iter().chain(airlock).chain(others) {
        program.time("build");
        program.time("check");
        program.run();
    }
    clean
}

impl Measured {
    fn round(&mut self) {
        let Self { program, figures: [check, build, size] } = self;
        check.push(program.time("check").as_secs_f64() * 1e3);
        build.push(program.time("build").as_secs_f64() * 1e3);
        size.push(program.size() as f64 / 1024.0);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
