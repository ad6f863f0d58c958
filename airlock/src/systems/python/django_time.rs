//! Times as Django writes them into SQLite, where they are compared as texts.

use std::time::SystemTime;

use super::calendar;

/// `2030-01-02 03:04:05.678901` in UTC, without the fraction if there is none. A time before 1970 counts as 1970: it is
/// past either way. `None` after the year 9998, from which on a time marks a task that has none.
pub(crate) fn text(time: SystemTime) -> Option<String> {
    let time = calendar::utc_of_any_zone(time)?;
    let micros = calendar::micros(time);
    let mut text = *b"2030-01-02 03:04:05.678901";
    write(&mut text[..4], time.year().unsigned_abs().into());
    for (place, number) in
        [(5, time.month()), (8, time.day()), (11, time.hour()), (14, time.minute()), (17, time.second())]
    {
        write(&mut text[place..place + 2], number.unsigned_abs().into());
    }
    write(&mut text[20..], micros);
    let text = if micros > 0 { &text[..] } else { &text[..19] };
    std::str::from_utf8(text).ok().map(str::to_owned)
}

/// With leading zeros. Rows have several times each, and formatted numbers are felt.
fn write(places: &mut [u8], mut number: u32) {
    for place in places.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
