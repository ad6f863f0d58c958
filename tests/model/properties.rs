//! What holds for every program, and that three faults would be noticed.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Instant;

use airlock::Unattempted;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::program::{Program, program};
use crate::reference::{Expected, expect};
use crate::run::{Fault, run};
use crate::trace::{Answer, Counts, Event, Report, Seq, Verdict, When};

/// How many programs a run tries, unless `AIRLOCK_MODEL_PROGRAMS` says otherwise.
const PROGRAMS: u32 = 5_000;

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// A run of random programs: how many kept what is promised, or the smallest one that didn't, with the seed.
struct Trial {
    seed: u64,
    programs: u32,
    fault: Option<Fault>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Shares {
    programs: usize,
    nesting: usize,
    panicking: usize,
    handing_over: usize,
    dispatching: usize,
    capturing: usize,
    abandoning: usize,
    losing: usize,
    events: usize,
}

impl Trial {
    fn new(fault: Option<Fault>) -> Self {
        let seed = from_environment("AIRLOCK_MODEL_SEED").unwrap_or_else(|| RandomState::new().hash_one("a seed"));
        Self { seed, programs: from_environment("AIRLOCK_MODEL_PROGRAMS").unwrap_or(PROGRAMS), fault }
    }

    fn run(&self) -> Result<Shares, String> {
        // Programs are deep, and a test's own thread has a small stack.
        std::thread::scope(|threads| {
            let deep = std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(threads, || self.try_all());
            deep.unwrap().join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn try_all(&self) -> Result<Shares, String> {
        let config =
            Config { cases: self.programs, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let shares = std::cell::Cell::new(Shares::default());
        let result = runner.run(&program(), |program| {
            let events = run(&program, self.fault);
            let expected = expect(&program);
            shares.set(shares.get().with(&events, &expected));
            check(&events, &expected).map_err(TestCaseError::fail)
        });
        result.map(|()| shares.get()).map_err(|error| self.describe(error))
    }

    fn describe(&self, error: TestError<Program>) -> String {
        match error {
            TestError::Abort(reason) => reason.to_string(),
            TestError::Fail(reason, program) => {
                let mut seen = String::new();
                for event in run(&program, self.fault) {
                    let _ = writeln!(seen, "  {event:?}");
                }
                format!(
                    "{reason}\nthe smallest such program: {program:#?}\nits events:\n{seen}\
                     again with AIRLOCK_MODEL_SEED={} AIRLOCK_MODEL_PROGRAMS={}",
                    self.seed, self.programs
                )
            }
        }
    }
}

impl Shares {
    fn with(mut self, events: &[Event], expected: &Expected) -> Self {
        let count = |is: fn(&Event) -> bool| usize::from(events.iter().any(is));
        self.programs += 1;
        self.events += events.len();
        self.nesting += count(|event| matches!(event, Event::Opened { around: Some(_), .. }));
        self.panicking += count(|event| matches!(event, Event::Panics));
        self.handing_over += count(|event| matches!(event, Event::Carried { thread: true, .. }));
        self.dispatching += count(|event| matches!(event, Event::Handed { .. }));
        let captured = |(_, _, verdict): &(_, _, Verdict)| matches!(verdict, Verdict::Captured(_));
        self.capturing += usize::from(expected.verdicts.iter().any(captured));
        self.abandoning += count(|event| matches!(event, Event::FutureDropped));
        self.losing += count(|event| matches!(event, Event::Lost { .. }));
        self
    }
}

fn check(events: &[Event], expected: &Expected) -> Result<(), String> {
    torn(events)?;
    reports_add_up(events)?;
    one_outcome_each(events)?;
    refused_is_not_dispatched(events, expected)?;
    nothing_is_forgotten(events, expected)?;
    as_the_reference_says(events, expected)
}

fn torn(events: &[Event]) -> Result<(), String> {
    let torn = events.iter().find(|event| matches!(event, Event::Torn(_)));
    torn.map_or(Ok(()), |event| Err(format!("{event:?}")))
}

/// Events one by one: what was dispatched in which order, each answer, each report.
fn as_the_reference_says(events: &[Event], expected: &Expected) -> Result<(), String> {
    let differs = events.iter().zip(&expected.events).position(|(seen, wanted)| seen != wanted);
    let Some(index) = differs.or_else(|| {
        let (seen, wanted) = (events.len(), expected.events.len());
        (seen != wanted).then_some(seen.min(wanted))
    }) else {
        return Ok(());
    };
    let (seen, wanted) = (events.get(index), expected.events.get(index));
    Err(format!("event {index} differs\n  seen:     {seen:?}\n  expected: {wanted:?}"))
}

fn reports(events: &[Event]) -> impl Iterator<Item = &Report> {
    events.iter().filter_map(|event| match event {
        Event::Report(report) | Event::Error { report, .. } => Some(report),
        _ => None,
    })
}

/// The counts of a report are those of its entries, and their sum is what was enqueued.
fn reports_add_up(events: &[Event]) -> Result<(), String> {
    for report in reports(events) {
        let counts = report.counts;
        let sum = counts.dispatched
            + counts.dropped
            + counts.captured
            + counts.discarded
            + counts.failed
            + counts.unconfirmed
            + counts.unattempted;
        let mut listed = Counts::default();
        for (_, _, verdict) in &report.entries {
            listed.enqueued += 1;
            *verdict.count_in(&mut listed) += 1;
        }
        let troubled = |counts: Counts| (counts.failed, counts.unconfirmed, counts.unattempted);
        let listed_well = if report.complete { listed == counts } else { troubled(listed) == troubled(counts) };
        if sum != counts.enqueued || !listed_well {
            return Err(format!("a report doesn't add up: {report:?}"));
        }
    }
    Ok(())
}

/// Along the chain of captures each intent has one outcome at most, and it is the last that is heard of it; only what an
/// error held may be sent again.
fn one_outcome_each(events: &[Event]) -> Result<(), String> {
    #[derive(Debug, Clone, PartialEq)]
    enum Last {
        CapturedBy(String),
        Ended,
        /// In the hands of an error.
        Open,
    }
    let mut last: HashMap<Seq, Last> = HashMap::new();
    let mut around: HashMap<&str, &str> = HashMap::new();
    for event in events {
        if let Event::Opened { scope, around: Some(outer) } = event {
            around.insert(scope, outer);
        }
        let (Event::Report(report) | Event::Error { report, .. }) = event else { continue };
        for (seq, _, verdict) in &report.entries {
            let fits = match last.get(seq) {
                None | Some(Last::Open) => true,
                // A scope in between may have ended without a report.
                Some(Last::CapturedBy(scope)) => {
                    std::iter::successors(Some(scope.as_str()), |scope| around.get(scope).copied())
                        .any(|scope| scope == report.scope)
                }
                Some(Last::Ended) => false,
            };
            if !fits {
                return Err(format!("{seq} had ended or lay elsewhere ({:?}) before {report:?}", last.get(seq)));
            }
            let now = match verdict {
                Verdict::Captured(scope) => Last::CapturedBy(scope.clone()),
                _ if matches!(event, Event::Error { undispatched, unconfirmed, .. } if undispatched.contains(seq)
                    || unconfirmed.iter().any(|failure| failure.seq == *seq)) =>
                {
                    Last::Open
                }
                _ => Last::Ended,
            };
            last.insert(*seq, now);
        }
    }
    Ok(())
}

/// Every policy around a dispatched intent was asked about it once, innermost first, and said yes. What an error gave
/// back unjudged may be judged once more.
fn refused_is_not_dispatched(events: &[Event], expected: &Expected) -> Result<(), String> {
    let around: HashMap<_, _> = expected.around.iter().map(|(seq, policies)| (*seq, policies.as_slice())).collect();
    let mut asked: HashMap<Seq, Vec<(&str, bool)>> = HashMap::new();
    let mut given_back: HashSet<Seq> = HashSet::new();
    for event in events {
        match event {
            Event::Asked { policy, when: When::Flush, seq, yes } => {
                let policies = around.get(seq).copied().unwrap_or_default();
                let answers = asked.entry(*seq).or_default();
                if given_back.remove(seq) {
                    answers.clear();
                }
                if answers.iter().any(|(_, yes)| !yes) || policies.get(answers.len()) != Some(policy) {
                    return Err(format!("{seq} is inside {policies:?}; after {answers:?}, {policy} was asked"));
                }
                answers.push((policy, *yes));
            }
            Event::Error { report, .. } => {
                let unjudged = report.entries.iter().filter(|(_, _, verdict)| is_unjudged(verdict));
                given_back.extend(unjudged.map(|(seq, ..)| *seq));
            }
            Event::Handed { seq, .. } => {
                let policies = around.get(seq).copied().unwrap_or_default();
                let answers = asked.get(seq).map_or(&[][..], Vec::as_slice);
                if policies.len() != answers.len() || answers.iter().any(|(_, yes)| !yes) {
                    return Err(format!("{seq} is inside {policies:?}; it was dispatched, and asked were {answers:?}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_unjudged(verdict: &Verdict) -> bool {
    let Verdict::Unattempted(reason) = verdict else { return false };
    matches!(reason, Unattempted::JudgePanicked(_) | Unattempted::ParentEnded(_))
}

/// What was accepted is accounted for by the reference once, and there is a sign of it from outside if there can be.
fn nothing_is_forgotten(events: &[Event], expected: &Expected) -> Result<(), String> {
    let accepted = events.iter().filter_map(|event| match event {
        Event::Enqueued { seq, answer: Answer::Accepted } => Some(*seq),
        _ => None,
    });
    let mut finals: HashMap<Seq, Vec<&Verdict>> = HashMap::new();
    for (seq, _, verdict) in &expected.verdicts {
        if !matches!(verdict, Verdict::Captured(_)) {
            finals.entry(*seq).or_default().push(verdict);
        }
    }
    let mut signs: HashSet<Seq> = HashSet::new();
    for event in events {
        match event {
            Event::Handed { seq, .. } | Event::Asked { seq, when: When::Flush, yes: false, .. } => {
                signs.insert(*seq);
            }
            Event::Report(report) | Event::Error { report, .. } => {
                let ends = report.entries.iter().filter(|(_, _, verdict)| !matches!(verdict, Verdict::Captured(_)));
                signs.extend(ends.map(|(seq, ..)| *seq));
            }
            Event::Lost { seqs, .. } => signs.extend(seqs),
            _ => {}
        }
    }
    for seq in accepted {
        match finals.get(&seq).map_or(&[][..], Vec::as_slice) {
            // It may have gone unseen.
            [Verdict::Discarded(_)] => {}
            [_] if signs.contains(&seq) => {}
            [verdict] => return Err(format!("{seq} ended as {verdict:?}, and there is no sign of it")),
            verdicts => return Err(format!("{seq} was accepted, and then {verdicts:?}")),
        }
    }
    Ok(())
}

/// Promises 1 to 13 and 16, for programs drawn at random.
#[test]
#[expect(clippy::print_stdout, reason = "the seed of a run is part of its result")]
fn random_programs_behave_as_the_reference_says() {
    let trial = Trial::new(None);
    let started = Instant::now();
    let shares = trial.run().unwrap_or_else(|failure| panic!("{failure}"));
    println!("AIRLOCK_MODEL_SEED={}: {shares:?} in {:.1?}", trial.seed, started.elapsed());
    // A handful of programs proves nothing, but is of use when one of them is being looked at.
    if trial.programs >= 1_000 {
        let fifth = shares.programs / 5;
        assert!(shares.nesting >= fifth, "too few programs nest scopes: {shares:?}");
        assert!(shares.panicking >= fifth, "too few programs panic: {shares:?}");
        assert!(shares.handing_over >= fifth, "too few programs hand a scope to a thread: {shares:?}");
        let twentieth = shares.programs / 20;
        let others = [shares.dispatching, shares.capturing, shares.abandoning, shares.losing];
        assert!(others.iter().all(|&share| share >= twentieth), "programs leave something out: {shares:?}");
    }
}

#[track_caller]
fn is_noticed(fault: Fault) {
    let failure = Trial { programs: PROGRAMS, ..Trial::new(Some(fault)) }.run();
    assert!(failure.is_err(), "{fault:?} went unnoticed: {:?}", failure.ok());
}

#[test]
fn a_skipped_outer_policy_is_noticed() {
    is_noticed(Fault::OuterPolicySkipped);
}

#[test]
fn an_intent_lost_on_a_panic_is_noticed() {
    is_noticed(Fault::LostOnPanic);
}

#[test]
fn a_changed_order_of_captured_intents_is_noticed() {
    is_noticed(Fault::CapturedOrderChanged);
}
