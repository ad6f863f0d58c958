//! What the assertion macros call.

use super::expected::Expected;
use super::recording::Recorded;
use super::text::{call, line, times};
use crate::intent::Intent;

/// How many near misses, or other intents, are listed.
const MAX_LISTED: usize = 5;

/// # Panics
/// It was not enqueued, or not as often.
#[doc(hidden)]
#[track_caller]
pub fn assert_enqueued(recorded: &(impl Recorded + ?Sized), expected: &Expected) {
    let intents = recorded.recorded();
    check(expected, &intents);
    let matching: Vec<_> = intents.iter().filter(|intent| expected.matches(intent)).collect();
    let enough = expected.times.map_or(!matching.is_empty(), |times| matching.len() == times);
    if enough {
        return;
    }
    if !matching.is_empty() {
        let wanted = times(expected.times.unwrap_or(1));
        let mut message =
            format!("`{}` was enqueued {}, expected {wanted}:", expected.to_text(), times(matching.len()));
        list(&mut message, &matching);
        panic!("{message}");
    }
    let mut message = format!("`{}` was not enqueued", expected.to_text());
    near_misses(&mut message, expected, &intents);
    for (intent, policy) in recorded.refused().iter().filter(|(intent, _)| expected.matches(intent)).take(MAX_LISTED) {
        line(&mut message, 1, &format!("dropped by {policy}: {}", call(intent)));
    }
    panic!("{message}");
}

/// # Panics
/// It was enqueued.
#[doc(hidden)]
#[track_caller]
pub fn assert_not_enqueued(recorded: &(impl Recorded + ?Sized), expected: &Expected) {
    let intents = recorded.recorded();
    check(expected, &intents);
    let matching: Vec<_> = intents.iter().filter(|intent| expected.matches(intent)).collect();
    if !matching.is_empty() {
        let mut message = format!("`{}` was enqueued {}:", expected.to_text(), times(matching.len()));
        list(&mut message, &matching);
        panic!("{message}");
    }
}

/// # Panics
/// Something was enqueued.
#[doc(hidden)]
#[track_caller]
pub fn assert_nothing(recorded: &(impl Recorded + ?Sized)) {
    let intents = recorded.recorded();
    if !intents.is_empty() {
        let mut message = format!("{} enqueued:", count(intents.len()));
        list(&mut message, &intents.iter().collect::<Vec<_>>());
        panic!("{message}");
    }
}

/// # Panics
/// They were not enqueued in this order.
#[doc(hidden)]
#[track_caller]
pub fn assert_in_order(recorded: &(impl Recorded + ?Sized), expected: &[Expected]) {
    let intents = recorded.recorded();
    for expected in expected {
        check(expected, &intents);
    }
    let mut next = 0;
    let mut message = "these were not enqueued in this order:".to_owned();
    for (index, expected) in expected.iter().enumerate() {
        let found = intents[next..].iter().position(|intent| expected.matches(intent));
        let Some(found) = found else {
            let earlier = intents[..next].iter().rposition(|intent| expected.matches(intent));
            let missing = match earlier {
                Some(earlier) => format!("found as number {} only", earlier + 1),
                None => "not found".to_owned(),
            };
            line(&mut message, 1, &format!("{}. `{}`: {missing}", index + 1, expected.to_text()));
            line(&mut message, 0, &format!("{} enqueued", count(intents.len())));
            numbered(&mut message, &intents);
            panic!("{message}");
        };
        next += found + 1;
        line(&mut message, 1, &format!("{}. `{}`: found as number {next}", index + 1, expected.to_text()));
    }
}

/// An expectation that can't be met says nothing about the code under test.
#[track_caller]
fn check(expected: &Expected, intents: &[Intent]) {
    let example = intents.iter().find(|intent| expected.is_task_of(intent));
    let types = || example.map_or(Ok(()), |intent| expected.check_types(intent));
    if let Err(fault) = expected.check().and_then(|()| types()) {
        panic!("the assertion is wrong: {fault}");
    }
}

fn count(intents: usize) -> String {
    match intents {
        0 => "nothing was".to_owned(),
        1 => "1 intent was".to_owned(),
        _ => format!("{intents} intents were"),
    }
}

fn list(message: &mut String, intents: &[&Intent]) {
    intents.iter().take(MAX_LISTED).for_each(|intent| line(message, 1, &call(intent)));
    more(message, intents.len());
}

fn numbered(message: &mut String, intents: &[Intent]) {
    for (index, intent) in intents.iter().enumerate().take(4 * MAX_LISTED) {
        line(message, 1, &format!("{}. {}", index + 1, call(intent)));
    }
}

fn more(message: &mut String, count: usize) {
    if count > MAX_LISTED {
        line(message, 1, &format!("and {} more", count - MAX_LISTED));
    }
}

/// The intents of the same task with what differs, the nearest first; then what else there was.
fn near_misses(message: &mut String, expected: &Expected, intents: &[Intent]) {
    let (same, others): (Vec<_>, Vec<_>) = intents.iter().partition(|intent| expected.is_task_of(intent));
    let mut near: Vec<_> = same.iter().map(|intent| (expected.differences(intent), *intent)).collect();
    near.sort_by_key(|(differences, _)| differences.len());
    for (differences, intent) in near.iter().take(MAX_LISTED) {
        line(message, 1, &call(intent));
        for difference in differences {
            let (what, expected, found) = (&difference.what, &difference.expected, &difference.found);
            let found = if expected == found { "another value" } else { found };
            line(message, 2, &format!("{what}: expected {expected}, found {found}"));
        }
    }
    more(message, near.len());
    if near.is_empty() {
        line(message, 1, &format!("{} enqueued", count(intents.len())));
        list(message, &others);
    }
}
