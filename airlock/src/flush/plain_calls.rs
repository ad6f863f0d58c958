//! The short way of a flush that only calls plain functions.

use std::time::Instant;

use super::hand_over::{Flush, scope_of};
use super::{Outcome, Unattempted};
use crate::context::stack::ContextSwap;
use crate::executors::{InlineExecutor, OnFailure};
use crate::intent::Intent;
use crate::runtime::Deadline;

impl Flush {
    /// Calls plain functions one after the other, if that is all there is to do. The inline executor does the same; but
    /// a batch, a ledger that another thread may close and a future cost more than many a task.
    pub(super) fn call_if_plain(&mut self) -> bool {
        let scope = scope_of(&self.frame);
        if self.may_have_options || self.transactional || !scope.executor().capabilities().inline {
            return false;
        }
        let (on_failure, timings) = (scope.on_failure(), scope.timings());
        let deadline = scope.deadline().map_or(Deadline::NONE, Deadline::after);
        let report = &mut self.report;
        let mut intents = std::mem::take(&mut self.waiting).into_iter();
        if intents.len() > 0 {
            report.handed_to(InlineExecutor::NAME.into());
        }
        // A task that forgets a guard leaves its scope on this stack, not on the caller's.
        let _between = ContextSwap::empty();
        let (mut called, mut stop) = (0, None);
        while stop.is_none() && intents.len() > 0 {
            if deadline.has_passed() {
                stop = Some(Unattempted::Deadline);
                break;
            }
            // Read where it lies: copied along, it would have to wait for the copy.
            let Some(identity) = intents.as_slice().first().map(Intent::identity) else { break };
            let Some(intent) = intents.next() else { break };
            let handle = report.is_reported().then(|| intent.clone());
            let started = timings.then(Instant::now);
            match (intent.call_in_flush(), handle) {
                (Ok(()), None) => called += 1,
                (Ok(()), Some(intent)) => report.add(intent, || Outcome::Dispatched),
                (Err(error), handle) => {
                    self.unsent.failed(identity.failure(error, None), handle, report);
                    stop = (on_failure == OnFailure::FailFast).then_some(Unattempted::FailedFast);
                }
            }
            if let Some(started) = started {
                report.time_last(started.elapsed());
            }
        }
        report.add_unseen(&Outcome::Dispatched, called);
        if let Some(reason) = stop {
            self.unsent.unattempted(intents, &reason, report);
        }
        true
    }
}
