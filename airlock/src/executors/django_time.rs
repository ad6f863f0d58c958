//! Times as Django writes them into SQLite, where they are compared as texts.

use std::time::SystemTime;

use crate::executors::civil::Civil;

/// The last year in which every time zone's clock still shows a year that Python has.
const LAST_YEAR: u64 = 9998;

/// `2030-01-02 03:04:05.678901` in UTC, without the fraction if there is none. A time before 1970 counts as 1970: it is
/// past either way. `None` after the year 9998, from which on a time marks a task that has none.
pub(super) fn text(time: SystemTime) -> Option<String> {
    let Civil { year, month, day, hour, minute, second, micros } = Civil::of(time);
    if year > LAST_YEAR {
        return None;
    }
    let fraction = match micros {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}"))
}
