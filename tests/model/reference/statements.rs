//! What each statement does.

use super::account::Account;
use super::{Driver, Flow, Frame, FrameId, Here, Model};
use crate::program::{Block, Carry, End, LocalForm, Statement};
use crate::trace::{Answer, Event};

impl<'p> Model<'p> {
    pub(super) fn block(&mut self, block: &'p Block, here: Here) -> Flow {
        for statement in &block.statements {
            match self.statement(statement, here) {
                Flow::Next => {}
                flow => return flow,
            }
        }
        match block.end {
            End::Done => Flow::Next,
            End::Fail => Flow::Failed,
            End::Panic => {
                self.events.push(Event::Panics);
                Flow::Panicked
            }
        }
    }

    pub(super) fn statement(&mut self, statement: &'p Statement, here: Here) -> Flow {
        match statement {
            Statement::Enqueue(_) | Statement::Push { .. } | Statement::Look { .. } | Statement::TakeHandle => {
                self.leaf(statement, here.frame);
                Flow::Next
            }
            Statement::Yield => self.pause(here.driver),
            Statement::Scope(scope) => self.scope(scope, here),
            Statement::Local { policy, form, body } => {
                let policy = self.policy(*policy);
                let frame = self.frame(Frame { around: here.frame, policy: Some(policy), scope: None });
                match form {
                    LocalForm::Run | LocalForm::Enter => self.block(body, Here { frame: Some(frame), driver: None }),
                    LocalForm::Wrap => self.wrapped(body, Some(frame), here),
                }
            }
            Statement::Catch(body) => {
                let flow = self.block(body, here);
                self.stop_panic(flow)
            }
            Statement::Carry { handle, how, body } => {
                let Some(frame) = self.handle(*handle) else { return Flow::Next };
                let to = self.scope_of(frame).name.clone();
                self.events.push(Event::Carried { to, thread: matches!(how, Carry::Thread) });
                let there = Here { frame: Some(frame), driver: None };
                match how {
                    Carry::Run => self.block(body, there),
                    Carry::Thread => {
                        let flow = self.block(body, there);
                        self.stop_panic(flow)
                    }
                    Carry::Wrap => self.wrapped(body, Some(frame), here),
                }
            }
            Statement::Thread(body) => {
                let flow = self.block(body, Here { frame: None, driver: None });
                self.stop_panic(flow)
            }
        }
    }

    fn stop_panic(&mut self, flow: Flow) -> Flow {
        if flow != Flow::Panicked {
            return flow;
        }
        self.events.push(Event::Caught);
        Flow::Next
    }

    /// A future that is awaited in async code, and polled to its end elsewhere.
    fn wrapped(&mut self, body: &'p Block, frame: Option<FrameId>, here: Here) -> Flow {
        let driver = here.driver.unwrap_or_else(|| self.driver(here.frame, None, &[]));
        self.block(body, Here { frame, driver: Some(driver) })
    }

    pub(super) fn driver(&mut self, frame: Option<FrameId>, polls: Option<usize>, between: &'p [Statement]) -> usize {
        self.drivers.push(Driver { frame, polls, between, pending: 0 });
        self.drivers.len() - 1
    }

    /// A future has nothing to do for now.
    pub(super) fn pause(&mut self, driver: Option<usize>) -> Flow {
        let Some(index) = driver else { return Flow::Next };
        let driver = &mut self.drivers[index];
        driver.pending += 1;
        if Some(driver.pending) == driver.polls {
            return Flow::Cancelled;
        }
        let (between, frame) = (driver.between, driver.frame);
        for statement in between {
            self.leaf(statement, frame);
        }
        Flow::Next
    }

    fn leaf(&mut self, statement: &Statement, frame: Option<FrameId>) {
        match statement {
            Statement::Enqueue(call) => {
                let seq = self.next_seq();
                let answer = self.submit(seq, *call, frame);
                self.events.push(Event::Enqueued { seq, answer });
            }
            Statement::Push { handle, call, twice } => {
                let Some(frame) = self.handle(*handle) else { return };
                let seq = self.next_seq();
                let first = self.submit(seq, *call, Some(frame));
                let taken = first == Answer::Accepted;
                self.events.push(Event::Enqueued { seq, answer: first });
                if *twice {
                    let answer = if taken { Answer::Repeated } else { self.submit(seq, *call, Some(frame)) };
                    self.events.push(Event::Enqueued { seq, answer });
                }
            }
            Statement::Look { handle } => {
                if let Some(frame) = self.handle(*handle) {
                    self.see(frame);
                }
            }
            Statement::TakeHandle => self.handles.extend(frame.filter(|&frame| self.nearest(Some(frame)).is_some())),
            _ => {}
        }
    }

    fn handle(&self, index: usize) -> Option<FrameId> {
        (!self.handles.is_empty()).then(|| self.handles[index % self.handles.len()])
    }

    pub(super) fn see(&mut self, handle: FrameId) {
        let at = self.nearest(Some(handle));
        let scope = self.scope_of(handle);
        let intents = scope.intents.clone();
        let (own, captured): (Vec<_>, Vec<_>) =
            intents.iter().copied().partition(|intent| self.nearest(Some(intent.home)) == at);
        self.events.push(Event::Seen {
            scope: scope.name.clone(),
            phase: scope.phase,
            all: Account::by_seq(&intents),
            own: Account::by_seq(&own),
            captured: Account::by_seq(&captured),
        });
    }
}
