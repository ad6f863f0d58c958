//! Times as Celery writes them: what Python's `datetime.isoformat()` gives in UTC.

use std::time::SystemTime;

use crate::systems::python::calendar;

/// `2030-01-02T03:04:05.678901+00:00`, without the fraction if there is none. A time before 1970 counts as 1970: it is
/// past either way. `None` after the year 9998, where the worker's time zone arithmetic would overflow.
pub(super) fn iso(time: SystemTime) -> Option<String> {
    let time = calendar::utc_of_any_zone(time)?;
    // Six digits of a fraction, or none.
    Some(if calendar::micros(time) == 0 { format!("{time:.0}+00:00") } else { format!("{time:.6}+00:00") })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

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
    fn what_python_cannot_count_is_refused_and_the_past_is_the_past() {
        assert_eq!(at(253_370_764_799, 0).as_deref(), Some("9998-12-31T23:59:59+00:00"));
        assert_eq!(at(253_370_764_800, 0), None);
        assert_eq!(at(253_402_300_799, 0), None);
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(iso(before).as_deref(), Some("1970-01-01T00:00:00+00:00"));
    }
}
