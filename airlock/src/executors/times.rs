//! When an intent may start, and until when it is worth running: the same words for every executor that honours times.

use std::time::{Duration, SystemTime};

use crate::dispatch::Rejection;
use crate::intent::Intent;
use crate::options::{Options, When};

/// The end of the year 9998, the last in which every time zone's clock shows a year that Python has.
const LAST: Duration = Duration::from_secs(253_370_764_799);

/// When the intent may start, if that is not yet.
pub(crate) fn starts_later(intent: &Intent, now: SystemTime) -> Option<SystemTime> {
    intent.starts_at(now).filter(|start| *start > now)
}

/// Whether a delay ends at a time that calendars have.
pub(crate) fn check_delay(options: &Options, now: SystemTime) -> Result<(), Rejection> {
    let Some(When::In(delay)) = options.get_start() else { return Ok(()) };
    match now.checked_add(delay) {
        Some(start) if start <= SystemTime::UNIX_EPOCH + LAST => Ok(()),
        _ => Err(Rejection::new(
            "`delay` ends after the year 9998, where the calendars of workers end; leave it out, or make it shorter",
        )),
    }
}

/// Whether the intent is worth handing over: not past its expiry, and not past it when it may start.
pub(crate) fn check_expiry(intent: &Intent, now: SystemTime) -> Result<(), Rejection> {
    let Some(expiry) = intent.expires_at(now) else { return Ok(()) };
    if expiry <= now {
        return Err(Rejection::new(EXPIRED));
    }
    match starts_later(intent, now) {
        Some(start) if expiry <= start => {
            Err(Rejection::new("it expires before it may start; let it expire later, or start sooner"))
        }
        _ => Ok(()),
    }
}

/// Of an intent that is not run because it is late.
pub(crate) const EXPIRED: &str = "it expired before its turn came";

/// Whole milliseconds, rounded up.
pub(crate) fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

/// Of a time that Django's tables can't hold.
pub(crate) fn too_late() -> Rejection {
    Rejection::new("its time is after the year 9998, which Python's clocks don't all have; leave `eta` or `delay` out")
}
