//! Times as Celery writes them: what Python's `datetime.isoformat()` gives in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last year in which every time zone's clock still shows a year that Python has.
const LAST_YEAR: u64 = 9998;

/// `2030-01-02T03:04:05.678901+00:00`, without the fraction if there is none. A time before 1970 counts as 1970: it is
/// past either way. `None` after the year 9998, where the worker's time zone arithmetic would overflow.
pub(super) fn iso(time: SystemTime) -> Option<String> {
    // Python counts in microseconds. Rounded up: nothing may run early.
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_nanos(999);
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    if year > LAST_YEAR {
        return None;
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = match since.subsec_micros() {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00"))
}

/// The date that many days after 1970-01-01: Howard Hinnant's `civil_from_days`, for days that are not negative.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years start in March here, so that the day that some have is their last, and eras of 400 years are all alike.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, micros: u32) -> Option<String> {
        iso(UNIX_EPOCH + Duration::new(seconds, micros * 1000))
    }

    /// What `datetime.fromtimestamp(seconds, timezone.utc).isoformat()` of Python 3.11 gives.
    #[test]
    fn it_reads_as_python_writes_it() {
        for (seconds, micros, expected) in [
            (0, 0, "1970-01-01T00:00:00+00:00"),
            (1_893_553_445, 678_901, "2030-01-02T03:04:05.678901+00:00"),
            (951_782_400, 1, "2000-02-29T00:00:00.000001+00:00"),
            (951_868_799, 999_999, "2000-02-29T23:59:59.999999+00:00"),
            (4_107_542_400, 0, "2100-03-01T00:00:00+00:00"),
            (4_107_542_399, 0, "2100-02-28T23:59:59+00:00"),
            (1_735_689_599, 0, "2024-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(at(seconds, micros).as_deref(), Some(expected));
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_the_one_after_the_day_before() {
        let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..146_097 {
            assert_eq!(civil(days), (year, month, day));
            let length = match month {
                2 => 28 + u64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (day, month) = if day == length { (1, month + 1) } else { (day + 1, month) };
            (month, year) = if month == 13 { (1, year + 1) } else { (month, year) };
        }
    }

    #[test]
    fn what_python_cannot_count_is_refused_and_the_past_is_the_past() {
        assert_eq!(at(253_370_764_799, 0).as_deref(), Some("9998-12-31T23:59:59+00:00"));
        assert_eq!(at(253_370_764_800, 0), None);
        assert_eq!(at(253_402_300_799, 0), None);
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(iso(before).as_deref(), Some("1970-01-01T00:00:00+00:00"));
    }
}
