//! Threads, which wait for jobs where workers would end.

use std::sync::PoisonError;

use super::backlog::Backlog;
use super::run_queue::Job;

impl Backlog {
    /// The life of a thread: runs jobs until there will be no more. `run` must not panic.
    pub(in crate::executors) fn run_on_thread(&self, run: impl Fn(Job)) {
        let mut queue = self.queue();
        loop {
            if let Some((job, place)) = queue.pop() {
                queue.busy += 1;
                self.unlock_after_pop(queue, place);
                run(job);
                queue = self.queue();
                queue.busy -= 1;
                if queue.closed {
                    drop(queue);
                    self.look_again();
                    queue = self.queue();
                }
            } else if queue.closed && queue.unfinished() == 0 {
                return;
            } else {
                queue.parked += 1;
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.parked -= 1;
                queue.unparking = false;
            }
        }
    }
}
