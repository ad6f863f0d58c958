//! Times as a calendar and a clock in UTC show them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::{DateTime, datetime};

/// The last year in which every time zone's clock still shows a year that Python has.
const LAST_YEAR: i16 = 9998;

const EPOCH: DateTime = datetime(1970, 1, 1, 0, 0, 0, 0);

/// In whole microseconds, as Python counts, and rounded up: nothing may run early. A time before 1970 counts as 1970: it is
/// past either way. `None` after the year 9999, which is Python's last.
pub(crate) fn utc(time: SystemTime) -> Option<DateTime> {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(Duration::from_nanos(999));
    let (seconds, nanos) = (i64::try_from(since.as_secs()).ok()?, since.subsec_micros() * 1_000);
    EPOCH.checked_add(SignedDuration::new(seconds, nanos.cast_signed())).ok()
}

/// [`utc`] for workers that show it in a time zone of theirs: `None` after the year 9998, where that would overflow.
pub(crate) fn utc_of_any_zone(time: SystemTime) -> Option<DateTime> {
    utc(time).filter(|time| time.year() <= LAST_YEAR)
}

/// The microseconds of its second.
pub(crate) fn micros(time: DateTime) -> u32 {
    time.subsec_nanosecond().unsigned_abs() / 1_000
}
