//! The forms of a scope, and what callers make of how it ended.

use airlock::{Discarded, Phase};

use super::account::{Account, Flush, Sealed};
use super::handing::Executor;
use super::{Flow, Frame, FrameId, Here, Model, Policy, Scope};
use crate::program::{
    Block, Drive, ExecutorSpec, Form, GuardEnd, LifecycleSpec, OnError, PolicySpec, ScopeStatement, SealEnd,
};
use crate::trace::{Ended, Event};

impl<'p> Model<'p> {
    pub(super) fn scope(&mut self, scope: &'p ScopeStatement, here: Here) -> Flow {
        let policy = scope.policy.map(|spec| (spec, self.policy_name()));
        self.scopes += 1;
        let name = format!("s{}", self.scopes);
        let ended = match &scope.form {
            Form::Guard(end) => self.guarded(scope, name, policy, end, here),
            Form::Run { unit, reported } => {
                let (frame, flow) = self.body(scope, name, policy, here, None);
                self.ran(scope, frame, if *unit && flow == Flow::Failed { Flow::Next } else { flow }, *reported, None)
            }
            Form::Async { reported, drive } => {
                let (driver, own) = match (drive, here.driver) {
                    (Drive::Await, Some(driver)) => (driver, false),
                    (Drive::Await, None) => (self.driver(here.frame, None, &[]), false),
                    (Drive::ByHand { polls, between }, _) => (self.driver(here.frame, *polls, between), true),
                };
                let ended = if self.drivers[driver].polls == Some(0) {
                    // Dropped before its first poll, it never was.
                    Err(Flow::Cancelled)
                } else {
                    let (frame, flow) = self.body(scope, name, policy, here, Some(driver));
                    self.ran(scope, frame, flow, *reported, Some(driver))
                };
                match ended {
                    Err(Flow::Cancelled) if own => {
                        self.events.push(Event::FutureDropped);
                        Ok(true)
                    }
                    ended => ended,
                }
            }
        };
        match ended {
            Ok(well) if well || !scope.propagate => Flow::Next,
            Ok(_) => Flow::Failed,
            Err(flow) => flow,
        }
    }

    /// Opens a scope and runs its body.
    fn body(
        &mut self,
        scope: &'p ScopeStatement,
        name: String,
        policy: Option<(PolicySpec, String)>,
        here: Here,
        driver: Option<usize>,
    ) -> (FrameId, Flow) {
        let around = self.nearest(here.frame).map(|around| self.scope_of(around).name.clone());
        self.events.push(Event::Opened { scope: name.clone(), around });
        let policy = policy.map(|(spec, name)| Policy { name, spec, asked: 0 });
        let opened = Scope {
            name,
            executor: scope.executor,
            lifecycle: scope.lifecycle,
            on_failure: scope.on_failure,
            phase: Phase::Open,
            intents: Vec::new(),
        };
        let frame = self.frame(Frame { around: here.frame, policy, scope: Some(opened) });
        self.handles.push(frame);
        let flow = self.block(&scope.body, Here { frame: Some(frame), driver });
        (frame, flow)
    }

    /// The end of `run` and its kin: whether all went well, or how it goes on if that can't be said.
    fn ran(
        &mut self,
        scope: &ScopeStatement,
        frame: FrameId,
        flow: Flow,
        reported: bool,
        driver: Option<usize>,
    ) -> Result<bool, Flow> {
        let succeeded = match flow {
            Flow::Next => true,
            Flow::Failed => false,
            Flow::Panicked => {
                self.discard(frame, Discarded::Panicked, false);
                return Err(flow);
            }
            Flow::Cancelled => {
                self.discard(frame, Discarded::Dropped, false);
                return Err(flow);
            }
        };
        let name = self.scope_of(frame).name.clone();
        let wanted = match self.scope_of(frame).lifecycle {
            LifecycleSpec::Always => true,
            LifecycleSpec::Never => false,
            _ => succeeded,
        };
        let flush = if wanted {
            self.flush(frame, reported, driver)
        } else {
            let reason = if succeeded { Discarded::ByLifecycle } else { Discarded::BodyFailed };
            Flush::Well(self.discard(frame, reason, reported))
        };
        let mut ended = if succeeded { Ended::Well } else { Ended::BodyFailed };
        if reported {
            if !matches!(flush, Flush::Cancelled) {
                self.events.push(Event::Ran { scope: name, ended });
            }
            return Ok(self.flushed(scope, flush)? && succeeded);
        }
        match flush {
            Flush::Cancelled => Err(Flow::Cancelled),
            Flush::Well(_) => {
                self.events.push(Event::Ran { scope: name, ended });
                Ok(succeeded)
            }
            Flush::Badly(account) if succeeded => {
                ended = Ended::FlushFailed;
                self.events.push(Event::Ran { scope: name, ended });
                self.handle_error(scope, account);
                Ok(false)
            }
            Flush::Badly(account) => {
                // The body's error is the one that is returned.
                self.drop_error(&account);
                self.events.push(Event::Ran { scope: name, ended });
                Ok(false)
            }
        }
    }

    fn guarded(
        &mut self,
        scope: &'p ScopeStatement,
        name: String,
        policy: Option<(PolicySpec, String)>,
        end: &'p GuardEnd,
        here: Here,
    ) -> Result<bool, Flow> {
        let (frame, flow) = self.body(scope, name, policy, here, None);
        if flow != Flow::Next {
            let reason = if flow == Flow::Panicked { Discarded::Panicked } else { Discarded::Dropped };
            self.discard(frame, reason, false);
            return if flow == Flow::Failed { Ok(false) } else { Err(flow) };
        }
        match end {
            GuardEnd::Flush => {
                let flush = self.flush(frame, true, None);
                self.flushed(scope, flush)
            }
            GuardEnd::Discard => {
                let account = self.discard(frame, Discarded::ByHand, true);
                self.flushed(scope, Flush::Well(account))
            }
            GuardEnd::Drop => {
                self.discard(frame, Discarded::Dropped, false);
                Ok(true)
            }
            GuardEnd::Seal { meanwhile, then } => {
                // What not even the more lenient way of flushing can hand over is known now.
                let executor = self.executor_of(frame);
                let sealed = self.seal(frame, true).and_then(|sealed| self.ask_executor(sealed, executor, true));
                match sealed {
                    Ok(sealed) => self.sealed(scope, frame, sealed, meanwhile, *then, here),
                    Err(account) => {
                        self.done(&account);
                        self.flushed(scope, Flush::Badly(account))
                    }
                }
            }
        }
    }

    fn sealed(
        &mut self,
        scope: &ScopeStatement,
        frame: FrameId,
        sealed: Sealed,
        meanwhile: &'p Block,
        then: SealEnd,
        here: Here,
    ) -> Result<bool, Flow> {
        let name = self.scope_of(frame).name.clone();
        self.events.push(Event::Sealed { scope: name, seqs: Account::by_seq(&sealed.intents) });
        let flow = self.block(meanwhile, Here { frame: here.frame, driver: None });
        if flow != Flow::Next {
            self.unseal(sealed, Discarded::Dropped);
            return if flow == Flow::Failed { Ok(false) } else { Err(flow) };
        }
        match then {
            SealEnd::Dispatch => {
                let flush = self.dispatch(sealed, None);
                self.flushed(scope, flush)
            }
            SealEnd::DispatchAsync(Some(0)) => {
                self.unseal(sealed, Discarded::Dropped);
                self.events.push(Event::FutureDropped);
                Ok(true)
            }
            SealEnd::DispatchAsync(polls) => {
                let driver = self.driver(here.frame, polls, &[]);
                match self.dispatch(sealed, Some(driver)) {
                    Flush::Cancelled => {
                        self.events.push(Event::FutureDropped);
                        Ok(true)
                    }
                    flush => self.flushed(scope, flush),
                }
            }
            SealEnd::Discard => {
                let account = self.unseal(sealed, Discarded::ByHand);
                self.flushed(scope, Flush::Well(account))
            }
            SealEnd::Drop => {
                self.unseal(sealed, Discarded::Dropped);
                Ok(true)
            }
        }
    }

    fn flushed(&mut self, scope: &ScopeStatement, flush: Flush) -> Result<bool, Flow> {
        match flush {
            Flush::Well(account) => {
                let report = self.report(&account);
                self.events.push(Event::Report(report));
                Ok(true)
            }
            Flush::Badly(account) => {
                self.handle_error(scope, account);
                Ok(false)
            }
            Flush::Cancelled => Err(Flow::Cancelled),
        }
    }

    fn handle_error(&mut self, scope: &ScopeStatement, account: Box<Account>) {
        self.show_error(&account);
        match scope.on_error {
            OnError::Drop => self.drop_error(&account),
            OnError::Take => {
                let failed = account.failed.iter().filter(|(_, failure)| failure.held).map(|(intent, _)| intent.seq);
                let seqs = account.lost().into_iter().chain(failed).collect();
                self.events.push(Event::Taken { seqs });
            }
            OnError::Resend { unconfirmed, lenient } => self.resend(*account, unconfirmed, lenient),
        }
    }

    fn show_error(&mut self, account: &Account) {
        let event = Event::Error {
            report: self.report(account),
            undispatched: Account::by_seq(&account.undispatched),
            unconfirmed: account.unconfirmed.iter().map(|(_, failure)| *failure).collect(),
            failed: account.failed.iter().map(|(_, failure)| *failure).collect(),
        };
        self.events.push(event);
    }

    pub(super) fn drop_error(&mut self, account: &Account) {
        let seqs = account.lost();
        if !seqs.is_empty() {
            let scope = self.scope_of(account.scope).name.clone();
            self.events.push(Event::Lost { scope, seqs });
        }
    }

    /// The same intents again, not judged again; what was settled before stays as it was. Those that no policy has judged
    /// are judged first: this is no way around the policies.
    fn resend(&mut self, first: Account, unconfirmed: bool, lenient: bool) {
        let mut intents = first.undispatched;
        let mut kept = first.unconfirmed;
        if unconfirmed {
            intents.extend(kept.iter().filter(|(_, failure)| failure.held).map(|(intent, _)| *intent));
            intents.sort_by_key(|intent| intent.seq);
            kept.retain(|(_, failure)| !failure.held);
        }
        let account = Account::new(first.scope, true);
        let sealed = if first.unjudged { self.judge(account, intents) } else { Ok(Sealed { intents, account }) };
        let executor = Executor { spec: ExecutorSpec::Script { slow: false }, lenient };
        let flush = match sealed {
            Ok(sealed) => self.fly(sealed, executor, None),
            Err(account) => Flush::Badly(account),
        };
        let (Flush::Well(mut account) | Flush::Badly(mut account)) = flush else {
            unreachable!("a plain call is never dropped");
        };
        account.unconfirmed.splice(0..0, kept);
        account.failed.splice(0..0, first.failed);
        if account.is_clean() {
            let report = self.report(&account);
            self.events.push(Event::Report(report));
        } else {
            self.show_error(&account);
            self.drop_error(&account);
        }
    }
}
