//! The end of a pool: it accepts nothing more, and what waits is run or handed back.

use std::sync::MutexGuard;

use super::backlog::Backlog;
use super::jobs::{Jobs, Lane};
use super::listen::{WaiterCount, notified};
use crate::executors::Unfinished;
use crate::runtime::{Deadline, timer};

impl Backlog {
    /// Accepts nothing more. What was accepted is run all the same.
    pub(in crate::executors) fn close(&self) {
        if self.is_inherited() {
            return;
        }
        let mut jobs = self.jobs();
        jobs.closed = true;
        self.unlock_and_notify(jobs);
        self.room(Lane::Ready).notify(usize::MAX);
        self.room(Lane::Delayed).notify(usize::MAX);
    }

    /// Closes, waits up to the deadline until all jobs are done that can be, and takes out the rest. What a forked child
    /// has a copy of is its parent's to finish.
    ///
    /// `is_deserted` says whether the jobs that wait do so in vain. It is asked after each
    /// [`notify_waiters`](Self::look_again).
    pub(in crate::executors) async fn shutdown(
        &self,
        deadline: Deadline,
        is_deserted: impl Fn() -> bool,
    ) -> Unfinished {
        if self.is_inherited() {
            return Unfinished::default();
        }
        self.close();
        let counted = WaiterCount::new(self, |jobs| &mut jobs.shutdowns);
        let all_done = async {
            loop {
                // Before the look: what changes after it is heard of.
                let progress = self.progress.listen();
                if self.jobs().unfinished_by(deadline) == 0 || is_deserted() {
                    return;
                }
                notified(progress).await;
            }
        };
        timer::until(deadline, all_done).await;
        drop(counted);
        let mut jobs = self.jobs();
        let (left, running) = (jobs.take_all(), jobs.busy);
        drop(jobs);
        self.notify_waiters();
        Unfinished { intents: left.into_iter().map(|job| job.intent).collect(), running }
    }

    /// Has shutdowns look whether they have to wait any longer, and threads whether there will be more jobs.
    pub(in crate::executors) fn notify_waiters(&self) {
        self.unlock_and_notify(self.jobs());
    }

    fn unlock_and_notify(&self, jobs: MutexGuard<'_, Jobs>) {
        let (is_over, is_awaited) = (jobs.closed && jobs.unfinished() == 0, jobs.shutdowns > 0);
        drop(jobs);
        if is_over {
            self.work.notify_all();
        }
        if is_awaited {
            self.progress.notify(usize::MAX);
        }
    }
}
