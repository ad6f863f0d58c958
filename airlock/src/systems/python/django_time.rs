//! Times as Django writes them into SQLite, where they are compared as texts.

use std::time::SystemTime;

use super::civil::Civil;

/// The last year in which every time zone's clock still shows a year that Python has.
const LAST_YEAR: u64 = 9998;

/// `2030-01-02 03:04:05.678901` in UTC, without the fraction if there is none. A time before 1970 counts as 1970: it is
/// past either way. `None` after the year 9998, from which on a time marks a task that has none.
pub(crate) fn text(time: SystemTime) -> Option<String> {
    let Civil { year, month, day, hour, minute, second, micros } = Civil::of(time);
    if year > LAST_YEAR {
        return None;
    }
    let mut text = *b"2030-01-02 03:04:05.678901";
    write(&mut text[..4], year);
    for (place, number) in [(5, month), (8, day), (11, hour), (14, minute), (17, second)] {
        write(&mut text[place..place + 2], number);
    }
    write(&mut text[20..], micros.into());
    let text = if micros > 0 { &text[..] } else { &text[..19] };
    std::str::from_utf8(text).ok().map(str::to_owned)
}

/// With leading zeros. Rows have several times each, and formatted numbers are felt.
fn write(places: &mut [u8], mut number: u64) {
    for place in places.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
