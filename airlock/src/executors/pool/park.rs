//! Threads, which wait for jobs where workers would end.

use std::sync::PoisonError;
use std::thread;

use super::backlog::Backlog;
use super::jobs::PoolJob;

impl Backlog {
    /// The life of a thread: runs jobs until there will be no more. `run` must not panic.
    pub(in crate::executors) fn run_on_thread(&self, run: impl Fn(PoolJob)) {
        let mut jobs = self.jobs();
        loop {
            if let Some((job, place, emptied)) = jobs.pop() {
                jobs.busy += 1;
                self.unlock_after_pop(jobs, place);
                drop(emptied);
                run(job);
                jobs = self.jobs();
                jobs.busy -= 1;
                if jobs.may_be_over() {
                    drop(jobs);
                    self.notify_waiters();
                    jobs = self.jobs();
                }
            } else if jobs.closed && jobs.unfinished() == 0 {
                return;
            } else {
                jobs.parked += 1;
                jobs = self.work.wait(jobs).unwrap_or_else(PoisonError::into_inner);
                jobs.parked -= 1;
                jobs.unparking = false;
                drop(jobs);
                // The flush that woke this thread goes on first, if they share a core.
                thread::yield_now();
                jobs = self.jobs();
            }
        }
    }
}
