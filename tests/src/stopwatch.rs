//! Time, and how much of it went by while the machine let threads wait that wanted to run.

use std::fmt::Debug;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Measures how long something takes.
#[derive(Debug)]
pub struct Stopwatch {
    start: Instant,
}

impl Stopwatch {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let _ = Meter::of_this_process();
        Self { start: Instant::now() }
    }

    /// What it took since the start.
    #[must_use]
    pub fn stop(&self) -> Took {
        Took { start: self.start, end: Instant::now() }
    }
}

/// What something took, as a clock on the wall has it.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    start: Instant,
    end: Instant,
}

impl Took {
    /// How long.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.end - self.start
    }

    /// That it took no more than a deadline: this long, and a tenth of it or a quarter of a second. For how long a thread
    /// that did nothing but wake up was held up after the deadline comes on top of that, at most as much as the deadline:
    /// on a quiet machine next to nothing.
    ///
    /// # Panics
    /// If it took longer.
    #[track_caller]
    pub fn assert_at_most(&self, deadline: Duration, about: impl Debug) {
        let held_up = Meter::of_this_process().held_up(self.start + deadline, self.end);
        let (time, allowed) = (self.time(), allowed(deadline, held_up));
        assert!(time <= allowed, "it took {time:?} of {allowed:?}, held up for {held_up:?}: {about:?}");
    }
}

fn allowed(deadline: Duration, held_up: Duration) -> Duration {
    deadline + (deadline / 10).max(Duration::from_millis(250)) + held_up.min(deadline)
}

/// A thread that wakes up regularly, and notes when that was late. There is none in a forked child.
struct Meter(Mutex<Wakes>);

struct Wakes {
    last: Instant,
    /// From when it wanted to wake up until it did.
    late: Vec<(Instant, Instant)>,
}

const EVERY: Duration = Duration::from_millis(5);

/// What timers and a quiet machine add.
const USUAL: Duration = Duration::from_millis(1);

impl Meter {
    fn of_this_process() -> &'static Self {
        static METER: OnceLock<Meter> = OnceLock::new();
        METER.get_or_init(|| {
            thread::spawn(|| {
                let meter = METER.wait();
                loop {
                    thread::sleep(EVERY);
                    meter.wake(Instant::now());
                }
            });
            Self::started(Instant::now())
        })
    }

    fn started(last: Instant) -> Self {
        Self(Mutex::new(Wakes { last, late: Vec::new() }))
    }

    fn wake(&self, now: Instant) {
        let mut wakes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = wakes.last + EVERY + USUAL;
        if now > due {
            wakes.late.push((due, now));
        }
        wakes.last = now;
    }

    /// For how much of the time between the two it was late, be it that it has not woken up yet.
    fn held_up(&self, from: Instant, until: Instant) -> Duration {
        let wakes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let still = (wakes.last + EVERY + USUAL, until);
        let both = |(due, woke): (Instant, Instant)| woke.min(until).saturating_duration_since(due.max(from));
        wakes.late.iter().copied().chain([still]).map(both).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_deadline_allows_for_a_tenth_or_a_quarter_of_a_second_and_what_the_machine_was_held_up() {
        let seconds = Duration::from_secs;
        assert_eq!(allowed(seconds(1), Duration::ZERO), MILLI * 1_250);
        assert_eq!(allowed(seconds(5), Duration::ZERO), MILLI * 5_500);
        assert_eq!(allowed(seconds(1), MILLI * 50), MILLI * 1_300);
        assert_eq!(allowed(seconds(1), seconds(60)), MILLI * 2_250);
    }

    #[test]
    fn what_takes_too_long_fails_and_says_what_it_is_about() {
        let took = Took { start: Instant::now() - MILLI * 2_300, end: Instant::now() };
        took.assert_at_most(MILLI * 2_200, "it is in time");
        let fails = || took.assert_at_most(MILLI * 1_000, "it never ends");
        let said = std::panic::catch_unwind(fails).expect_err("it took longer");
        let said = said.downcast_ref::<String>().expect("a text");
        assert!(said.contains("it never ends"), "{said}");
    }

    #[test]
    fn a_thread_that_wakes_up_late_was_held_up_from_when_it_wanted_to() {
        let start = Instant::now();
        let at = |millis| start + MILLI * millis;
        let meter = Meter::started(start);
        meter.wake(at(5));
        meter.wake(at(11));
        meter.wake(at(117));
        // Late from 17 to 117, and from 123 on.
        assert_eq!(meter.held_up(at(0), at(120)), MILLI * 100);
        assert_eq!(meter.held_up(at(50), at(100)), MILLI * 50);
        assert_eq!(meter.held_up(at(0), at(10)), Duration::ZERO);
        assert_eq!(meter.held_up(at(110), at(133)), MILLI * 17);
    }
}
