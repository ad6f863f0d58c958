//! Time, and how much of it went by while the machine let threads wait that wanted to run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Measures how long something takes.
#[derive(Debug)]
pub struct Stopwatch {
    start: Instant,
    held_up: Duration,
}

impl Stopwatch {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let held_up = Meter::of_this_process().held_up();
        Self { start: Instant::now(), held_up }
    }

    /// What it took since the start.
    #[must_use]
    pub fn stop(&self) -> Took {
        let time = self.start.elapsed();
        Took { time, held_up: Meter::of_this_process().held_up().saturating_sub(self.held_up) }
    }
}

/// What something took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// As a clock on the wall has it.
    pub time: Duration,
    /// For how much of it a thread that did nothing but wake up was held up: next to nothing on a quiet machine.
    pub held_up: Duration,
}

impl Took {
    /// That it took no more than a deadline: this long, a tenth of it or a quarter of a second, and what the machine was
    /// held up.
    ///
    /// # Panics
    /// If it took longer.
    #[track_caller]
    pub fn assert_at_most(&self, deadline: Duration) {
        let allowed = deadline + (deadline / 10).max(Duration::from_millis(250)) + self.held_up;
        assert!(self.time <= allowed, "{self:?}, more than {allowed:?}");
    }
}

/// A thread that wakes up regularly, and counts how late that is.
struct Meter {
    start: Instant,
    /// In microseconds since the start.
    woke: AtomicU64,
    /// In microseconds.
    late: AtomicU64,
}

const EVERY: Duration = Duration::from_millis(5);

impl Meter {
    fn of_this_process() -> &'static Self {
        static METER: OnceLock<Meter> = OnceLock::new();
        METER.get_or_init(|| {
            thread::spawn(|| {
                let meter = METER.wait();
                loop {
                    thread::sleep(EVERY);
                    meter.wake();
                }
            });
            Self { start: Instant::now(), woke: AtomicU64::new(0), late: AtomicU64::new(0) }
        })
    }

    fn wake(&self) {
        let now = micros(self.start.elapsed());
        let before = self.woke.swap(now, Ordering::Relaxed);
        self.late.fetch_add(lateness(now - before), Ordering::Relaxed);
    }

    fn held_up(&self) -> Duration {
        let since = micros(self.start.elapsed()).saturating_sub(self.woke.load(Ordering::Relaxed));
        Duration::from_micros(self.late.load(Ordering::Relaxed) + lateness(since))
    }
}

/// What is more than it wanted to sleep. A millisecond is what timers and a quiet machine add.
fn lateness(since_it_woke: u64) -> u64 {
    since_it_woke.saturating_sub(micros(EVERY) + 1_000)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longer_than_its_deadline_and_what_the_machine_adds_is_told() {
        let took = |time, held_up| Took { time: Duration::from_millis(time), held_up: Duration::from_millis(held_up) };
        took(1_250, 0).assert_at_most(Duration::from_secs(1));
        took(5_500, 0).assert_at_most(Duration::from_secs(5));
        took(1_300, 50).assert_at_most(Duration::from_secs(1));
        for late in [took(1_251, 0), took(1_301, 50)] {
            assert!(std::panic::catch_unwind(|| late.assert_at_most(Duration::from_secs(1))).is_err());
        }
    }

    #[test]
    fn what_a_thread_wakes_up_too_late_is_counted_also_before_it_has_woken_up() {
        let a_second_ago = Instant::now() - Duration::from_secs(1);
        let meter = Meter { start: a_second_ago, woke: AtomicU64::new(0), late: AtomicU64::new(0) };
        assert!(meter.held_up() >= Duration::from_millis(994), "{:?}", meter.held_up());
        meter.wake();
        assert!(meter.late.load(Ordering::Relaxed) >= 994_000);
        assert!(meter.held_up() >= Duration::from_millis(994), "{:?}", meter.held_up());
        assert_eq!((lateness(5_900), lateness(6_000), lateness(25_000)), (0, 0, 19_000));
    }
}
