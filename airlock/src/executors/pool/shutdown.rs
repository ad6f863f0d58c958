//! The end of a pool: it accepts nothing more, and what waits is run or handed back.

use super::backlog::Backlog;
use super::listen::heard;
use super::run_queue::Place;
use crate::executors::{Deadline, Unfinished};
use crate::timer;

impl Backlog {
    /// Accepts nothing more. What was accepted is run all the same.
    pub(in crate::executors) fn close(&self) {
        if self.is_inherited() {
            return;
        }
        self.queue().closed = true;
        self.room(Place::Ready).notify(usize::MAX);
        self.room(Place::Delayed).notify(usize::MAX);
        self.look_again();
    }

    /// Closes, waits up to the deadline until all jobs are done that can be, and takes out the rest. What a forked child
    /// has a copy of is its parent's to finish.
    ///
    /// `is_deserted` says whether the jobs that wait do so in vain. It is asked after each
    /// [`look_again`](Self::look_again).
    pub(in crate::executors) async fn shutdown(
        &self,
        deadline: Deadline,
        is_deserted: impl Fn() -> bool,
    ) -> Unfinished {
        if self.is_inherited() {
            return Unfinished::default();
        }
        self.close();
        let all_done = async {
            loop {
                // Before the look: what changes after it is heard of.
                let progress = self.progress.listen();
                if self.queue().unfinished_by(deadline) == 0 || is_deserted() {
                    return;
                }
                heard(progress).await;
            }
        };
        timer::until(deadline, all_done).await;
        let mut queue = self.queue();
        let (jobs, running) = (queue.take_all(), queue.busy);
        drop(queue);
        self.look_again();
        Unfinished { intents: jobs.into_iter().map(|job| job.intent).collect(), running }
    }

    /// Has shutdowns look whether they have to wait any longer, and threads whether there will be more jobs.
    pub(in crate::executors) fn look_again(&self) {
        let queue = self.queue();
        let (closed, unfinished) = (queue.closed, queue.unfinished());
        drop(queue);
        if !closed {
            return;
        }
        if unfinished == 0 {
            self.work.notify_all();
        }
        self.progress.notify(usize::MAX);
    }
}
