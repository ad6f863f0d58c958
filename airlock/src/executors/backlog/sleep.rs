//! How threads wait for work.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::{hint, thread};

use super::Backlog;
use super::job::Job;

/// How often a thread that finds nothing looks again before it sleeps: a few microseconds. To be woken costs as much, and
/// costs it whoever hands over.
const LOOKS: u32 = 12;

impl Backlog {
    /// The next to be started, once there is one; `None` when there will be no more.
    pub(in crate::executors) fn wait_for_next(&self) -> Option<Job> {
        for look in 0..LOOKS {
            if let Some(job) = self.next() {
                return Some(job);
            }
            // Twice as long each time, and then whoever else wants to run goes first.
            if look < LOOKS / 2 {
                (0..1 << look).for_each(|_| hint::spin_loop());
            } else {
                thread::yield_now();
            }
        }
        let mut entrance = self.waiting.entrance();
        loop {
            if self.waiting.ready(&entrance) > 0 {
                // Others take from it too, without a lock.
                drop(entrance);
                if let Some(job) = self.next() {
                    self.wake_threads();
                    return Some(job);
                }
                entrance = self.waiting.entrance();
                continue;
            }
            if self.closed.0.load(Ordering::SeqCst) && self.outstanding(&entrance) == 0 {
                return None;
            }
            entrance.asleep += 1;
            entrance = self.work.wait(entrance).unwrap_or_else(PoisonError::into_inner);
            entrance.asleep -= 1;
            entrance.waking = false;
        }
    }

    /// Wakes a thread if there is work. It wakes the next one if there is more: whoever hands over is not held up for each
    /// of them.
    pub(in crate::executors) fn wake_threads(&self) {
        let mut entrance = self.waiting.entrance();
        if entrance.asleep > 0 && !entrance.waking && self.waiting.ready(&entrance) > 0 {
            entrance.waking = true;
            drop(entrance);
            self.work.notify_one();
        }
    }
}
