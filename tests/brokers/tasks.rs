//! Tasks that run elsewhere, and a look at what became of them.

use std::time::Duration;

use airlock::{DispatchErrorKind, Ended, FlushError, FlushReport, Outcome};
use airlock_tests::patience::PATIENCE;
use airlock_tests::stopwatch::{Stopwatch, Took};

#[airlock::task(name = "tests.note", queue = "notes")]
pub(crate) fn note(number: u64);

#[airlock::task(name = "tests.heavy", queue = "notes")]
pub(crate) fn heavy(number: u64, text: String);

/// Has a body, and runs elsewhere all the same.
#[airlock::task(name = "tests.both_ways", queue = "notes")]
pub(crate) fn both_ways(number: u64) {
    panic!("{number} is for the worker");
}

/// Runs here, whatever the executor.
#[airlock::task(name = "tests.here", local)]
pub(crate) fn here(number: u64) {
    HERE.lock().expect("no panic").push(number);
}

pub(crate) static HERE: std::sync::Mutex<Vec<u64>> = std::sync::Mutex::new(Vec::new());

/// Flushes so many notes, numbered from 0, with time enough on a busy machine.
pub(crate) fn flush_notes(executor: impl airlock::Executor, count: u64) -> Account {
    flush(airlock::scope().executor(executor).deadline(PATIENCE), || {
        for number in 0..count {
            note::enqueue(number).expect("there is a scope");
        }
    })
}

/// Flushes what the body enqueues. The time of a flush begins when the body has ended.
pub(crate) fn flush(scope: airlock::ScopeBuilder, body: impl FnOnce()) -> Account {
    let mut watch = Stopwatch::start();
    let Ended { flush, .. } = scope.run_reported(|| {
        body();
        watch = Stopwatch::start();
    });
    Account::of(&flush, watch.stop())
}

/// What is known of a flush.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) took: Took,
    /// The ids in order, each with how it ended: `dispatched`, `rejected`, `unavailable`, `unconfirmed`, `unattempted`.
    pub(crate) ends: Vec<(String, &'static str)>,
    /// The texts of all failures, without repeats.
    pub(crate) texts: Vec<String>,
}

impl Account {
    pub(crate) fn of(flush: &Result<FlushReport, FlushError>, took: Took) -> Self {
        let (report, error) = match flush {
            Ok(report) => (report, None),
            Err(error) => (error.report(), Some(error)),
        };
        let ends = report.entries().iter().map(|entry| (entry.id().to_string(), end_of(entry.outcome()))).collect();
        let mut texts: Vec<String> =
            error.into_iter().flat_map(|error| error.failed()).map(ToString::to_string).collect();
        texts.extend(error.map(ToString::to_string));
        // Of what was refused, the error itself says only the first.
        texts.extend(
            report
                .entries()
                .iter()
                .map(airlock::ReportEntry::outcome)
                .filter(|outcome| outcome.is_failure())
                .map(ToString::to_string),
        );
        texts.sort();
        texts.dedup();
        Self { took, ends, texts }
    }

    pub(crate) fn count(&self, end: &str) -> usize {
        self.ends.iter().filter(|(_, own)| *own == end).count()
    }

    /// That it ended so, and in no other way.
    #[track_caller]
    pub(crate) fn expect(&self, counts: &[(&str, usize)]) {
        let all: usize = counts.iter().map(|(_, count)| count).sum();
        let is_so = all == self.ends.len() && counts.iter().all(|(end, count)| self.count(end) == *count);
        assert!(is_so, "expected {counts:?}, but {:?}: {:?}", self.counts(), self.texts);
    }

    fn counts(&self) -> std::collections::BTreeMap<&str, usize> {
        let mut counts = std::collections::BTreeMap::new();
        self.ends.iter().for_each(|(_, end)| *counts.entry(*end).or_default() += 1);
        counts
    }

    /// That some failure says so.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.texts.iter().any(|own| own.contains(text)), "no text says {text:?}: {:?}", self.texts);
    }

    /// That it is known of each how it ended.
    #[track_caller]
    pub(crate) fn says_nothing_of_doubt(&self) {
        assert_eq!(self.count("unconfirmed"), 0, "{:?} {:?}", self.counts(), self.texts);
    }

    /// That it took no more than a deadline that long.
    #[track_caller]
    pub(crate) fn took_at_most(&self, deadline: Duration) {
        self.took.assert_at_most(deadline, &self.texts);
    }

    /// That everything which was dispatched is there, and nothing that was not attempted or was refused is.
    #[track_caller]
    pub(crate) fn agrees_with(&self, there: &std::collections::HashSet<String>, enqueued: usize) {
        assert_eq!(self.ends.len(), enqueued, "every intent has ended");
        for (id, end) in &self.ends {
            match *end {
                "dispatched" => {
                    assert!(there.contains(id), "{id} was dispatched, and is not there: {:?}", self.counts());
                }
                "unconfirmed" => {}
                _ => assert!(!there.contains(id), "{id} is {end}, and there: {:?} {:?}", self.counts(), self.texts),
            }
        }
    }
}

fn end_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Dispatched => "dispatched",
        Outcome::Failed { error, .. } => match error.kind() {
            DispatchErrorKind::Rejected => "rejected",
            DispatchErrorKind::Unavailable => "unavailable",
            _ => "failed",
        },
        Outcome::Unconfirmed { .. } => "unconfirmed",
        Outcome::Unattempted { .. } => "unattempted",
        _ => "not sent",
    }
}

/// The numbers in Celery's envelopes.
pub(crate) fn numbers(envelopes: &[String]) -> Vec<u64> {
    envelopes.iter().map(|envelope| note_of(envelope).1).collect()
}

/// The id and the number in one of Celery's envelopes.
pub(crate) fn note_of(envelope: &str) -> (String, u64) {
    let envelope: serde_json::Value = serde_json::from_str(envelope).expect("JSON");
    let repr = envelope["headers"]["kwargsrepr"].as_str().expect("the arguments, for people");
    let digits: String = repr.chars().filter(char::is_ascii_digit).collect();
    (envelope["headers"]["id"].as_str().expect("an id").to_owned(), digits.parse().expect("a number"))
}

/// How often a fault is tried: as given, or as the environment says for long runs.
pub(crate) fn rounds(usual: u64) -> u64 {
    std::env::var("AIRLOCK_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// Another number each time.
pub(crate) fn random(of: u64) -> u64 {
    use std::hash::BuildHasher;
    std::collections::hash_map::RandomState::new().hash_one(of)
}
