//! The reference: what scopes, policies, lifecycles and executors have to do, said once more and as plainly as can be.
//!
//! One thread, no futures, no panics: contexts are numbers in a list of frames, a body that fails, panics or is dropped
//! is a value, and an `await` that waits is a call of whoever polls. It shares no code with the library and knows only
//! its public words.

use airlock::{Discarded, DispatchErrorKind, OnFailure, Phase, Unattempted};

use crate::program::{
    Block, Call, Carry, Drive, End, ExecutorSpec, Fate, Form, GuardEnd, LifecycleSpec, LocalForm, OnError, PolicySpec,
    Program, Rule, ScopeStatement, SealEnd, Statement, Task,
};
use crate::trace::{Answer, Ended, Event, Held, Report, Seq, Verdict, When};

/// What has to be seen, and what can't be seen from outside but has to be true.
pub(crate) struct Expected {
    pub(crate) events: Vec<Event>,
    /// For each intent that was accepted, the policies around it, innermost first.
    pub(crate) around: Vec<(Seq, Vec<String>)>,
    /// For each intent that was accepted, each verdict on it, with the scope that gave it.
    pub(crate) verdicts: Vec<(Seq, String, Verdict)>,
}

pub(crate) fn expect(program: &Program) -> Expected {
    let mut model = Model::default();
    for statement in &program.statements {
        match model.statement(statement, Here { frame: None, driver: None }) {
            Flow::Next => {}
            Flow::Failed => model.events.push(Event::RootFailed),
            Flow::Panicked => model.events.push(Event::Caught),
            Flow::Cancelled => unreachable!("nobody polls the top"),
        }
    }
    for handle in model.handles.clone() {
        model.see(handle);
    }
    Expected { events: model.events, around: model.around, verdicts: model.verdicts }
}

type FrameId = usize;

#[derive(Default)]
struct Model<'p> {
    events: Vec<Event>,
    around: Vec<(Seq, Vec<String>)>,
    verdicts: Vec<(Seq, String, Verdict)>,
    frames: Vec<Frame>,
    drivers: Vec<Driver<'p>>,
    /// Frames with a scope in or around them.
    handles: Vec<FrameId>,
    seqs: Seq,
    policies: usize,
    scopes: usize,
}

struct Frame {
    around: Option<FrameId>,
    policy: Option<Policy>,
    scope: Option<Scope>,
}

struct Policy {
    name: String,
    spec: PolicySpec,
    asked: usize,
}

struct Scope {
    name: String,
    executor: ExecutorSpec,
    lifecycle: LifecycleSpec,
    on_failure: OnFailure,
    phase: Phase,
    intents: Vec<Intent>,
}

#[derive(Clone, Copy)]
struct Intent {
    seq: Seq,
    call: Call,
    /// Where it was enqueued.
    home: FrameId,
}

/// Whoever polls a future by hand.
struct Driver<'p> {
    frame: Option<FrameId>,
    polls: Option<usize>,
    between: &'p [Statement],
    pending: usize,
}

/// Where a statement stands: what is around it, and who polls it.
#[derive(Clone, Copy)]
struct Here {
    frame: Option<FrameId>,
    driver: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Failed,
    Panicked,
    /// The future this is in was dropped.
    Cancelled,
}

/// The account of one flush: each intent with its verdict.
struct Account {
    scope: FrameId,
    reported: bool,
    executor: Option<String>,
    entries: Vec<Entry>,
    undispatched: Vec<Intent>,
    unconfirmed: Vec<(Intent, Held)>,
    failed: Vec<(Intent, Held)>,
    /// It ended before the policies had their say.
    unjudged: bool,
}

struct Entry {
    intent: Intent,
    verdict: Verdict,
    /// Its arguments moved into the task.
    moved: bool,
}

/// How a flush ended: well, badly, or not at all.
enum Flush {
    Well(Account),
    Badly(Account),
    Cancelled,
}

/// A scope that is judged and closed.
struct Sealed {
    intents: Vec<Intent>,
    account: Account,
}

impl Account {
    fn new(scope: FrameId, reported: bool) -> Self {
        Self {
            scope,
            reported,
            executor: None,
            entries: Vec::new(),
            undispatched: Vec::new(),
            unconfirmed: Vec::new(),
            failed: Vec::new(),
            unjudged: false,
        }
    }

    fn add(&mut self, intent: Intent, verdict: Verdict) {
        self.entries.push(Entry { intent, verdict, moved: false });
    }

    fn unattempted(&mut self, intent: Intent, reason: &Unattempted) {
        self.undispatched.push(intent);
        self.add(intent, Verdict::Unattempted(reason.clone()));
    }

    fn failed(&mut self, intent: Intent, kind: DispatchErrorKind, held: bool) {
        let unconfirmed = kind == DispatchErrorKind::Unconfirmed;
        let verdict = if unconfirmed { Verdict::Unconfirmed } else { Verdict::Failed(kind) };
        self.entries.push(Entry { intent, verdict, moved: !held });
        let failure = Held { seq: intent.seq, kind, held };
        match kind {
            DispatchErrorKind::Rejected | DispatchErrorKind::Unavailable => self.undispatched.push(intent),
            DispatchErrorKind::Unconfirmed => self.unconfirmed.push((intent, failure)),
            _ => self.failed.push((intent, failure)),
        }
    }

    fn is_clean(&self) -> bool {
        self.undispatched.is_empty() && self.unconfirmed.is_empty() && self.failed.is_empty()
    }

    fn by_seq(intents: &[Intent]) -> Vec<Seq> {
        intents.iter().map(|intent| intent.seq).collect()
    }

    /// The undispatched, then the unconfirmed that are still held.
    fn lost(&self) -> Vec<Seq> {
        let unconfirmed = self.unconfirmed.iter().filter(|(_, failure)| failure.held).map(|(intent, _)| intent.seq);
        Self::by_seq(&self.undispatched).into_iter().chain(unconfirmed).collect()
    }
}

fn is_trouble(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed(_) | Verdict::Unconfirmed | Verdict::Unattempted(_))
}

/// Statements.
impl<'p> Model<'p> {
    fn block(&mut self, block: &'p Block, here: Here) -> Flow {
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

    fn statement(&mut self, statement: &'p Statement, here: Here) -> Flow {
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

    fn driver(&mut self, frame: Option<FrameId>, polls: Option<usize>, between: &'p [Statement]) -> usize {
        self.drivers.push(Driver { frame, polls, between, pending: 0 });
        self.drivers.len() - 1
    }

    /// A future has nothing to do for now.
    fn pause(&mut self, driver: Option<usize>) -> Flow {
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

    fn see(&mut self, handle: FrameId) {
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

    fn scope(&mut self, scope: &'p ScopeStatement, here: Here) -> Flow {
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
        // After a success with nothing to decide about, nobody is asked whether to discard it.
        let idle = !reported && succeeded && self.scope_of(frame).intents.is_empty();
        let flush = if wanted || idle {
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

    fn handle_error(&mut self, scope: &ScopeStatement, account: Account) {
        self.show_error(&account);
        match scope.on_error {
            OnError::Drop => self.drop_error(&account),
            OnError::Take => {
                let failed = account.failed.iter().filter(|(_, failure)| failure.held).map(|(intent, _)| intent.seq);
                let seqs = account.lost().into_iter().chain(failed).collect();
                self.events.push(Event::Taken { seqs });
            }
            OnError::Resend { unconfirmed, lenient } => self.resend(account, unconfirmed, lenient),
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

    fn drop_error(&mut self, account: &Account) {
        let seqs = account.lost();
        if !seqs.is_empty() {
            let scope = self.scope_of(account.scope).name.clone();
            self.events.push(Event::Lost { scope, seqs });
        }
    }

    /// The same intents again, not judged again; what was settled before stays as it was. Those that nobody has judged
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
        let sealed =
            if first.unjudged { self.judge(account, intents) } else { Ok(Sealed { intents, account }) };
        let executor = Executor { spec: ExecutorSpec::Script { slow: false }, lenient };
        let flush = match sealed {
            Ok(sealed) => self.fly(sealed, executor, None),
            Err(account) => Flush::Badly(account),
        };
        let (Flush::Well(mut account) | Flush::Badly(mut account)) = flush else {
            unreachable!("nobody drops a plain call");
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

    fn report(&self, account: &Account) -> Report {
        let mut counts = crate::trace::Counts::default();
        for entry in &account.entries {
            counts.enqueued += 1;
            *entry.verdict.count_in(&mut counts) += 1;
        }
        let listed = account.entries.iter().filter(|entry| account.reported || is_trouble(&entry.verdict));
        // Those that moved into their tasks come last.
        let mut listed: Vec<_> = listed.collect();
        listed.sort_by_key(|entry| (entry.moved, if entry.moved { 0 } else { entry.intent.seq }));
        let entries = listed.into_iter().map(|entry| (entry.intent.seq, entry.intent.call.task, entry.verdict.clone()));
        Report {
            scope: self.scope_of(account.scope).name.clone(),
            executor: account.executor.clone(),
            complete: account.reported,
            counts,
            entries: entries.collect(),
        }
    }
}

/// Frames, and what is asked along them.
impl Model<'_> {
    fn frame(&mut self, frame: Frame) -> FrameId {
        self.frames.push(frame);
        self.frames.len() - 1
    }

    fn outwards(&self, from: Option<FrameId>) -> Vec<FrameId> {
        std::iter::successors(from, |&frame| self.frames[frame].around).collect()
    }

    fn nearest(&self, from: Option<FrameId>) -> Option<FrameId> {
        self.outwards(from).into_iter().find(|&frame| self.frames[frame].scope.is_some())
    }

    /// The scope a frame is in, or is.
    fn scope_of(&self, frame: FrameId) -> &Scope {
        let scope = self.nearest(Some(frame)).and_then(|frame| self.frames[frame].scope.as_ref());
        scope.unwrap_or_else(|| unreachable!("asked only where there is one"))
    }

    fn scope_mut(&mut self, frame: FrameId) -> &mut Scope {
        let scope = self.nearest(Some(frame)).and_then(|frame| self.frames[frame].scope.as_mut());
        scope.unwrap_or_else(|| unreachable!("asked only where there is one"))
    }

    fn next_seq(&mut self) -> Seq {
        self.seqs += 1;
        self.seqs - 1
    }

    fn policy_name(&mut self) -> String {
        self.policies += 1;
        format!("p{}", self.policies)
    }

    fn policy(&mut self, spec: PolicySpec) -> Policy {
        Policy { name: self.policy_name(), spec, asked: 0 }
    }

    fn submit(&mut self, seq: Seq, call: Call, frame: Option<FrameId>) -> Answer {
        let Some((home, at)) = frame.zip(self.nearest(frame)) else { return Answer::NoScope };
        let outwards = self.outwards(Some(home));
        for &frame in &outwards {
            let Some(policy) = self.frames[frame].policy.as_mut() else { continue };
            let yes = match policy.spec.rule {
                // A closure is asked in the flush only.
                Rule::Closure { .. } => continue,
                Rule::RejectIf { modulus, rest } => seq % modulus != rest,
                Rule::RejectAfter(most) => {
                    policy.asked += 1;
                    policy.asked <= most
                }
                Rule::Unless { .. } | Rule::Quota(_) | Rule::PanicIf { .. } => true,
            };
            let name = policy.name.clone();
            self.pry(frame);
            self.events.push(Event::Asked { policy: name.clone(), when: When::Enqueue, seq, yes });
            if !yes {
                return Answer::RejectedBy(name);
            }
        }
        let policies = outwards.iter().filter_map(|&frame| self.frames[frame].policy.as_ref());
        let policies = policies.map(|policy| policy.name.clone()).collect();
        let scope = self.scope_mut(at);
        if scope.phase != Phase::Open {
            return Answer::Closed(scope.phase);
        }
        scope.intents.push(Intent { seq, call, home });
        self.around.push((seq, policies));
        Answer::Accepted
    }

    fn pry(&mut self, frame: FrameId) {
        let Some(policy) = self.frames[frame].policy.as_ref().filter(|policy| policy.spec.nosy) else { return };
        let nosy = Event::Nosy { policy: policy.name.clone(), answer: Answer::InPolicy };
        self.events.extend([nosy.clone(), nosy]);
    }

    /// Asked in the flush: yes, no, or a panic.
    fn allows(&mut self, frame: FrameId, seq: Seq) -> Option<bool> {
        let Some(policy) = self.frames[frame].policy.as_mut() else { return Some(true) };
        let yes = match policy.spec.rule {
            Rule::Unless { modulus, rest } | Rule::Closure { modulus, rest } => seq % modulus != rest,
            Rule::Quota(most) => {
                policy.asked += 1;
                policy.asked <= most
            }
            Rule::PanicIf { modulus, rest } if seq % modulus == rest => return None,
            Rule::RejectIf { .. } | Rule::RejectAfter(_) | Rule::PanicIf { .. } => true,
        };
        let name = policy.name.clone();
        self.pry(frame);
        self.events.push(Event::Asked { policy: name, when: When::Flush, seq, yes });
        Some(yes)
    }
}

#[derive(Clone, Copy)]
struct Executor {
    spec: ExecutorSpec,
    lenient: bool,
}

impl Executor {
    fn name(self) -> &'static str {
        match self.spec {
            ExecutorSpec::Inline => "inline",
            ExecutorSpec::Script { .. } => "script",
            ExecutorSpec::Closure => "closure",
        }
    }
}

/// What a hand-over leads to.
enum Handed {
    Settled(Result<(), DispatchErrorKind>),
    /// Settled well, and the executor went home.
    Ends,
    /// Taken along by somebody who never says how it went.
    Kept,
    Panics,
    Cancelled,
}

/// The ends of scopes.
impl Model<'_> {
    fn discard(&mut self, frame: FrameId, reason: Discarded, reported: bool) -> Account {
        let mut account = Account::new(frame, reported);
        let scope = self.scope_mut(frame);
        scope.phase = Phase::Discarded;
        for intent in std::mem::take(&mut scope.intents) {
            account.add(intent, Verdict::Discarded(reason));
        }
        self.done(&account);
        account
    }

    fn unseal(&mut self, sealed: Sealed, reason: Discarded) -> Account {
        let Sealed { intents, mut account } = sealed;
        for intent in intents {
            account.add(intent, Verdict::Discarded(reason));
        }
        self.scope_mut(account.scope).phase = Phase::Discarded;
        self.done(&account);
        account
    }

    /// Every account ends here, once.
    fn done(&mut self, account: &Account) {
        let name = self.scope_of(account.scope).name.clone();
        let verdicts = account.entries.iter().map(|entry| (entry.intent.seq, name.clone(), entry.verdict.clone()));
        self.verdicts.extend(verdicts);
    }

    fn flush(&mut self, frame: FrameId, reported: bool, driver: Option<usize>) -> Flush {
        match self.seal(frame, reported) {
            Ok(sealed) => self.dispatch(sealed, driver),
            Err(account) => {
                self.done(&account);
                Flush::Badly(account)
            }
        }
    }

    fn all_back(&mut self, mut account: Account, intents: &[Intent], reason: &Unattempted) -> Account {
        for &intent in intents {
            account.unattempted(intent, reason);
        }
        account.unjudged = true;
        self.scope_mut(account.scope).phase = Phase::Flushed;
        account
    }

    /// Closes the scope, gives away what others capture, and judges the rest.
    fn seal(&mut self, frame: FrameId, reported: bool) -> Result<Sealed, Account> {
        let mut account = Account::new(frame, reported);
        let scope = self.scope_mut(frame);
        scope.phase = Phase::Sealed;
        let intents = std::mem::take(&mut scope.intents);
        let ancestors: Vec<_> = self.outwards(self.frames[frame].around);
        let ancestors: Vec<_> = ancestors.into_iter().filter(|&frame| self.frames[frame].scope.is_some()).collect();

        let mut kept = Vec::new();
        let mut captured = Vec::new();
        for &intent in &intents {
            let mut captor = None;
            for &ancestor in &ancestors {
                let released = match self.scope_of(ancestor).lifecycle {
                    LifecycleSpec::ReleaseNested => Some(true),
                    LifecycleSpec::ReleaseIf { modulus, rest } => Some(intent.seq % modulus == rest),
                    LifecycleSpec::PanicIf { modulus, rest } => (intent.seq % modulus != rest).then_some(true),
                    _ => Some(false),
                };
                let Some(released) = released else {
                    let reason = "a lifecycle panicked: expected: lifecycle".to_owned();
                    return Err(self.all_back(account, &intents, &Unattempted::JudgePanicked(reason)));
                };
                if !released {
                    captor = Some(ancestor);
                    break;
                }
            }
            match captor {
                Some(captor) => captured.push((intent, captor)),
                None => kept.push(intent),
            }
        }
        let phases = captured.iter().map(|&(_, captor)| self.scope_of(captor).phase);
        if let Some(phase) = phases.into_iter().find(|phase| matches!(phase, Phase::Sealed | Phase::Flushed)) {
            return Err(self.all_back(account, &intents, &Unattempted::ParentEnded(phase)));
        }
        for (intent, captor) in captured {
            let captor = self.scope_mut(captor);
            if captor.phase == Phase::Discarded {
                account.add(intent, Verdict::Discarded(Discarded::ParentDiscarded));
                continue;
            }
            // Numbers are given in the order of the calls.
            let place = captor.intents.iter().take_while(|other| other.seq < intent.seq).count();
            captor.intents.insert(place, intent);
            account.add(intent, Verdict::Captured(captor.name.clone()));
        }
        self.judge(account, kept)
    }

    /// Asks, for each intent, the policies around it from the innermost outwards, up to the first refusal.
    fn judge(&mut self, mut account: Account, kept: Vec<Intent>) -> Result<Sealed, Account> {
        let mut refused = Vec::new();
        for &intent in &kept {
            for around in self.outwards(Some(intent.home)) {
                match self.allows(around, intent.seq) {
                    Some(true) => {}
                    Some(false) => {
                        refused.push((intent.seq, self.policy_in_reports(around)));
                        break;
                    }
                    None => {
                        let policy = self.policy_in_reports(around);
                        let task = task_name(intent.call.task);
                        let reason = format!("policy {policy} panicked at `{task}`: expected: policy");
                        return Err(self.all_back(account, &kept, &Unattempted::JudgePanicked(reason)));
                    }
                }
            }
        }
        let mut allowed = Vec::new();
        for intent in kept {
            match refused.iter().find(|(seq, _)| *seq == intent.seq) {
                Some((_, policy)) => account.add(intent, Verdict::Dropped(policy.clone())),
                None => allowed.push(intent),
            }
        }
        Ok(Sealed { intents: allowed, account })
    }

    fn policy_in_reports(&self, frame: FrameId) -> String {
        match &self.frames[frame].policy {
            Some(Policy { spec: PolicySpec { rule: Rule::Closure { .. }, .. }, .. }) => "closure".to_owned(),
            Some(policy) => policy.name.clone(),
            None => unreachable!("what is not there refuses nothing"),
        }
    }

    fn executor_of(&self, frame: FrameId) -> Executor {
        Executor { spec: self.scope_of(frame).executor, lenient: false }
    }

    fn dispatch(&mut self, sealed: Sealed, driver: Option<usize>) -> Flush {
        let executor = self.executor_of(sealed.account.scope);
        let flush = self.fly(sealed, executor, driver);
        if let Flush::Well(account) | Flush::Badly(account) = &flush {
            self.done(account);
        }
        flush
    }

    /// All are asked about before the first is handed over, and one refusal keeps all of them in.
    fn ask_executor(&mut self, sealed: Sealed, executor: Executor, awaited: bool) -> Result<Sealed, Account> {
        let mut refused = Vec::new();
        for intent in &sealed.intents {
            let Call { task, fate } = intent.call;
            let yes = match executor.spec {
                ExecutorSpec::Inline => task != Task::Remote && (awaited || task != Task::Later),
                // Those run inline whatever the executor, and can.
                _ if task == Task::Near => true,
                ExecutorSpec::Closure => true,
                ExecutorSpec::Script { .. } => {
                    let yes = executor.lenient || fate != Fate::Refuse;
                    self.events.push(Event::Accepts { executor: executor.name(), seq: intent.seq, yes });
                    yes
                }
            };
            refused.push(!yes);
        }
        if !refused.contains(&true) {
            return Ok(sealed);
        }
        let Sealed { intents, mut account } = sealed;
        for (intent, refused) in intents.into_iter().zip(refused) {
            if refused {
                account.failed(intent, DispatchErrorKind::Rejected, true);
            } else {
                account.unattempted(intent, &Unattempted::OtherRefused);
            }
        }
        self.scope_mut(account.scope).phase = Phase::Flushed;
        Err(account)
    }

    fn fly(&mut self, sealed: Sealed, executor: Executor, driver: Option<usize>) -> Flush {
        let sealed = match self.ask_executor(sealed, executor, driver.is_some()) {
            Ok(sealed) => sealed,
            Err(account) => return Flush::Badly(account),
        };
        let Sealed { intents, mut account } = sealed;
        let inline = executor.spec == ExecutorSpec::Inline;
        let (local, rest): (Vec<_>, Vec<_>) =
            intents.into_iter().partition(|intent| !inline && intent.call.task == Task::Near);
        let mut cancelled = self.hand_over(&mut account, &rest, executor, driver);
        if cancelled {
            local.iter().for_each(|&intent| account.unattempted(intent, &Unattempted::Cancelled));
        } else if !account.is_clean() && self.scope_of(account.scope).on_failure == OnFailure::FailFast {
            local.iter().for_each(|&intent| account.unattempted(intent, &Unattempted::FailedFast));
        } else {
            let inline = Executor { spec: ExecutorSpec::Inline, lenient: false };
            cancelled = self.hand_over(&mut account, &local, inline, driver);
        }
        account.undispatched.sort_by_key(|intent| intent.seq);
        self.scope_mut(account.scope).phase = Phase::Flushed;
        if cancelled {
            self.done(&account);
            self.drop_error(&account);
            Flush::Cancelled
        } else if account.is_clean() {
            Flush::Well(account)
        } else {
            Flush::Badly(account)
        }
    }

    /// True if it was cut off.
    fn hand_over(
        &mut self,
        account: &mut Account,
        intents: &[Intent],
        executor: Executor,
        driver: Option<usize>,
    ) -> bool {
        if !intents.is_empty() {
            account.executor = Some(match account.executor.take() {
                None => executor.name().to_owned(),
                Some(first) => format!("{first}, then {}", executor.name()),
            });
        }
        // An inline task gets the arguments themselves, unless somebody wants to see the intent later.
        let held = account.reported || executor.spec != ExecutorSpec::Inline;
        let fail_fast = self.scope_of(account.scope).on_failure == OnFailure::FailFast;
        let mut stop: Option<Unattempted> = None;
        let mut cancelled = false;
        for &intent in intents {
            if let Some(reason) = &stop {
                account.unattempted(intent, reason);
                continue;
            }
            let (settled, end) = match self.hand(intent, executor, driver) {
                Handed::Settled(result) => (result, None),
                Handed::Ends => (Ok(()), Some(Unattempted::ExecutorEnded)),
                Handed::Kept => {
                    // Known only at the end, when it is too late to keep others in.
                    account.failed(intent, DispatchErrorKind::Unconfirmed, held);
                    continue;
                }
                Handed::Panics => {
                    let reason = Unattempted::ExecutorPanicked("expected: executor".to_owned());
                    (Err(DispatchErrorKind::Unconfirmed), Some(reason))
                }
                Handed::Cancelled => {
                    cancelled = true;
                    (Err(DispatchErrorKind::Unconfirmed), Some(Unattempted::Cancelled))
                }
            };
            match settled {
                Ok(()) => account.add(intent, Verdict::Dispatched),
                Err(kind) => account.failed(intent, kind, held),
            }
            // What an intent's own failure means comes before what made it fail.
            stop = match settled {
                Err(DispatchErrorKind::Unavailable) => Some(Unattempted::Unavailable),
                Err(_) if fail_fast => Some(Unattempted::FailedFast),
                _ => end,
            };
        }
        cancelled
    }

    fn hand(&mut self, intent: Intent, executor: Executor, driver: Option<usize>) -> Handed {
        let Call { task, fate } = intent.call;
        let seq = intent.seq;
        let inline = executor.spec == ExecutorSpec::Inline;
        let fate = if executor.lenient { Fate::Well } else { fate };
        self.events.push(Event::Handed { executor: executor.name(), task, seq, fate: intent.call.fate });
        let pauses = executor.spec == ExecutorSpec::Script { slow: true } || (inline && task == Task::Later);
        if pauses && self.pause(driver) == Flow::Cancelled {
            return Handed::Cancelled;
        }
        let failed = |kind| Handed::Settled(Err(kind));
        match fate {
            Fate::Fail => failed(DispatchErrorKind::TaskFailed),
            Fate::Panic if inline => failed(DispatchErrorKind::TaskFailed),
            Fate::Enqueue => {
                self.events.push(Event::Inside { seq, answer: Answer::NoScope });
                Handed::Settled(Ok(()))
            }
            _ if inline => Handed::Settled(Ok(())),
            Fate::Panic => Handed::Panics,
            Fate::Reject => failed(DispatchErrorKind::Rejected),
            Fate::Unavailable => failed(DispatchErrorKind::Unavailable),
            Fate::Unconfirmed => failed(DispatchErrorKind::Unconfirmed),
            Fate::Forget if executor.spec != ExecutorSpec::Closure && seq % 2 == 1 => Handed::Kept,
            Fate::Forget if executor.spec != ExecutorSpec::Closure => failed(DispatchErrorKind::Unconfirmed),
            Fate::End if executor.spec != ExecutorSpec::Closure => Handed::Ends,
            _ => Handed::Settled(Ok(())),
        }
    }
}

fn task_name(task: Task) -> &'static str {
    match task {
        Task::Note => "model.note",
        Task::Mail => "model.mail",
        Task::Later => "model.later",
        Task::Near => "model.near",
        Task::Remote => "model.remote",
    }
}
