//! What the executor says of the intents before the first is handed over.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::time::SystemTime;

use super::hand_over::Flush;
use super::{FlushError, Unattempted};
use crate::context::judging::Judging;
use crate::executors::{Executor, FlushContext, FlushMode, InlineExecutor};
use crate::intent::Intent;
use crate::runtime::Deadline;
use crate::runtime::panics::catch_panic;
use crate::state::State;
use crate::task::TaskDefinition;

impl Flush {
    /// Asks about every intent before the first is handed over.
    pub(super) fn ask_executor(
        &mut self,
        executor: &dyn Executor,
        mode: FlushMode,
        deadline: Deadline,
    ) -> Result<(), FlushError> {
        if self.may_have_options {
            // An executor on another thread finds the state of a scope through its intents.
            for intent in self.waiting.iter_mut().filter(|intent| !intent.task().state.is_empty()) {
                intent.context.get_or_insert_with(|| Arc::clone(&self.frame));
            }
        } else if executor.capabilities().inline {
            return Ok(());
        }
        let state = State::around(Some(&self.frame));
        let flush =
            FlushContext { mode, now: SystemTime::now(), deadline, state, may_have_options: self.may_have_options };
        let takes_local = executor.capabilities().takes_local;
        let accepts_by_task = executor.capabilities().accepts_by_task && !self.may_have_options;
        let asking = Cell::new(0);
        let asked = catch_panic(|| {
            let _judging = Judging::enter();
            let ask = |intent: &Intent| {
                if intent.task().local && !takes_local {
                    return InlineExecutor::new().accepts(intent, &flush);
                }
                executor.accepts(intent, &flush)
            };
            let mut accepted: Option<&TaskDefinition> = None;
            let ask_next = |(index, intent): (usize, &Intent)| {
                if accepts_by_task && accepted.is_some_and(|task| ptr::eq(task, intent.task())) {
                    return None;
                }
                asking.set(index);
                let answer = ask(intent);
                accepted = answer.is_ok().then(|| intent.task());
                answer.err().map(|rejection| (index, rejection))
            };
            self.waiting.iter().enumerate().filter_map(ask_next).collect::<Vec<_>>()
        });
        match asked {
            Ok(rejections) if rejections.is_empty() => Ok(()),
            Ok(rejections) => {
                let waiting = std::mem::take(&mut self.waiting);
                let mut rejections = rejections.into_iter().peekable();
                let answered = waiting.into_iter().enumerate().map(|(index, intent)| {
                    let rejection = rejections.next_if(|(at, _)| *at == index);
                    (intent, rejection.map(|(_, rejection)| rejection))
                });
                self.unsent.refused(answered, &mut self.report);
                Err(self.fail_all(&Unattempted::OtherRefused))
            }
            Err(message) => {
                // An argument's own `Serialize` may be what panicked: whose it was has to be said.
                let intent = &self.waiting[asking.get()];
                let asked = format!("{message}, asked about `{}` ({})", intent.name(), intent.location());
                Err(self.fail_all(&Unattempted::ExecutorPanicked(asked)))
            }
        }
    }

    pub(super) fn split_off_local(&mut self, executor: &dyn Executor) {
        if !self.may_have_options || executor.capabilities().takes_local {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        (self.local, self.waiting) = waiting.into_iter().partition(|intent| intent.task().local);
    }
}
