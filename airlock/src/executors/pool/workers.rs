//! Workers that come and go with the jobs, as tasks of a runtime do: each has a job in hand, or is none any more.

use super::backlog::Backlog;
use super::jobs::PoolJob;

impl Backlog {
    /// The first job of a new worker; `None` if there is none, or if there are enough workers.
    pub(in crate::executors) fn add_worker(&self) -> Option<PoolJob> {
        let mut jobs = self.jobs();
        if jobs.busy >= self.limits.at_once {
            return None;
        }
        let (job, place, emptied) = jobs.pop()?;
        jobs.busy += 1;
        self.unlock_after_pop(jobs, place);
        drop(emptied);
        Some(job)
    }

    /// The next job of a worker whose last one is done. If there is none the worker is removed, under the same lock: a
    /// flush that comes after that adds a new one.
    pub(in crate::executors) fn next_or_remove_worker(&self) -> Option<PoolJob> {
        let mut jobs = self.jobs();
        let next = jobs.pop();
        if next.is_none() {
            jobs.busy -= 1;
        }
        let may_be_over = jobs.may_be_over();
        let job = next.map(|(job, place, emptied)| {
            self.unlock_after_pop(jobs, place);
            drop(emptied);
            job
        });
        if may_be_over {
            self.notify_waiters();
        }
        job
    }

    /// Removes a worker that can't go on, and takes back the job that it has not started.
    pub(in crate::executors) fn remove_worker(&self, job: Option<PoolJob>) {
        let mut jobs = self.jobs();
        jobs.busy -= 1;
        if let Some(job) = job {
            jobs.put_back(job);
        }
    }

    pub(in crate::executors) fn has_workers(&self) -> bool {
        self.jobs().busy > 0
    }

    /// How many jobs could be started now.
    pub(in crate::executors) fn ready(&self) -> usize {
        self.jobs().ready()
    }
}
