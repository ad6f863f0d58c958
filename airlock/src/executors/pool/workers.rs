//! Workers that come and go with the jobs, as tasks of a runtime do: each has a job in hand, or is none any more.

use super::backlog::Backlog;
use super::run_queue::Job;

impl Backlog {
    /// The first job of a new worker; `None` if there is none, or if there are enough workers.
    pub(in crate::executors) fn add_worker(&self) -> Option<Job> {
        let mut queue = self.queue();
        if queue.busy >= self.limits.at_once {
            return None;
        }
        let (job, place) = queue.pop()?;
        queue.busy += 1;
        self.unlock_after_pop(queue, place);
        Some(job)
    }

    /// The next job of a worker whose last one is done. If there is none the worker is removed, under the same lock: a
    /// flush that comes after that adds a new one.
    pub(in crate::executors) fn next_or_remove_worker(&self) -> Option<Job> {
        let mut queue = self.queue();
        let next = queue.pop();
        let closed = queue.closed;
        let job = match next {
            Some((job, place)) => {
                self.unlock_after_pop(queue, place);
                Some(job)
            }
            None => {
                queue.busy -= 1;
                drop(queue);
                None
            }
        };
        if closed {
            self.look_again();
        }
        job
    }

    /// Removes a worker that can't go on, and takes back the job that it has not started.
    pub(in crate::executors) fn remove_worker(&self, job: Option<Job>) {
        let mut queue = self.queue();
        queue.busy -= 1;
        if let Some(job) = job {
            queue.put_back(job);
        }
    }

    pub(in crate::executors) fn has_workers(&self) -> bool {
        self.queue().busy > 0
    }

    /// How many jobs could be started now.
    pub(in crate::executors) fn ready(&self) -> usize {
        self.queue().ready()
    }
}
