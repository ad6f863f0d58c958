//! The options an intent is to have.

use super::expected::Difference;
use super::json::{Arrays, same};
use crate::options::{Options, When};

/// An option that is set.
struct Item {
    what: String,
    value: String,
    /// Headers and extras may be secrets: their values are compared and not shown.
    hidden: bool,
}

impl Item {
    fn shown(&self) -> &str {
        if self.hidden { "***" } else { &self.value }
    }

    fn equals(&self, other: &Self) -> bool {
        self.value == other.value || self.hidden && same(&self.value, &other.value, Arrays::Ordered)
    }
}

/// The options as an assertion has them: ` queue "mail", priority 3`.
pub(super) fn text_of(options: &Options) -> String {
    let items: Vec<_> = items(options).iter().map(|item| format!(" {} {}", item.what, item.shown())).collect();
    items.join(",")
}

/// In which of the options set in `expected` those found differ.
pub(super) fn differences(expected: &Options, found: &Options) -> Vec<Difference> {
    let there = items(found);
    let differing = items(expected).into_iter().filter_map(|item| {
        let other = there.iter().find(|other| other.what == item.what);
        let found = match other {
            None => "none",
            Some(other) if item.equals(other) => return None,
            Some(other) if other.hidden => "another value",
            Some(other) => other.shown(),
        };
        let (expected, found) = (item.shown().to_owned(), found.to_owned());
        Some(Difference { what: item.what, expected, found })
    });
    differing.collect()
}

fn items(options: &Options) -> Vec<Item> {
    let relative = |when, relative, fixed| if matches!(when, Some(When::At(_))) { fixed } else { relative };
    let (start, expiry) = (options.get_start(), options.get_expiry());
    let plain = [
        ("queue", options.get_queue().map(|queue| format!("{queue:?}"))),
        ("priority", options.get_priority().map(|priority| priority.to_string())),
        ("max_retries", options.get_max_retries().map(|retries| retries.to_string())),
        (relative(start, "delay", "eta"), start.map(when)),
        (relative(expiry, "expires_in", "expires_at"), expiry.map(when)),
        ("timeout", options.get_timeout().map(|timeout| format!("{timeout:?}"))),
        ("origin", options.get_origin().map(|origin| format!("{origin:?}"))),
        ("label", options.get_label().map(|label| format!("{label:?}"))),
    ];
    let plain = plain.into_iter().filter_map(|(what, value)| Some((what.to_owned(), value?, false)));
    let headers = options.get_headers().iter().map(|(name, value)| (format!("header {name:?}"), value.clone(), true));
    let extras = options.get_extras().iter();
    let extras = extras.map(|extra| (format!("extra {extra:?}"), extra.value().get().to_owned(), true));
    let items = plain.chain(headers).chain(extras);
    items.map(|(what, value, hidden)| Item { what, value, hidden }).collect()
}

fn when(when: When) -> String {
    match when {
        When::In(duration) => format!("{duration:?}"),
        When::At(time) => format!("{time:?}"),
    }
}
