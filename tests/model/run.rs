//! Runs a program against the library and writes down all that can be seen from outside.

mod executors;
mod policies;
mod tasks;
mod world;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use airlock::{AlwaysFlush, FlushError, FlushReport, Scope, ScopeBuilder, ScopeGuard, Sealed};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use crate::program::{
    Block, Carry, Drive, End, ExecutorSpec, Form, GuardEnd, LifecycleSpec, LocalForm, OnError, PolicySpec, Program,
    Rule, ScopeStatement, SealEnd, Statement,
};
use crate::trace::{Ended, Event};

use executors::{Script, closure};
use policies::{Scripted, Selective, quiet};
pub(crate) use world::Fault;
use world::{World, name_of};

/// Runs it, and gives what was seen.
pub(crate) fn run(program: &Program, fault: Option<Fault>) -> Vec<Event> {
    world::prepare();
    let world = Arc::new(World::new(fault));
    let _here = world.install();
    let run = Run { world: Arc::clone(&world) };
    for statement in &program.statements {
        match std::panic::catch_unwind(AssertUnwindSafe(|| now(run.statement(statement, Mode::Sync)))) {
            Ok(Ok(())) => {}
            Ok(Err(_)) => world.event(Event::RootFailed),
            Err(_) => world.event(Event::Caught),
        }
    }
    for handle in world.take_handles() {
        world.see(&handle);
    }
    world.take_events()
}

/// What a body may fail with.
enum BodyError {
    Own,
    Flush(FlushError),
}

impl From<FlushError> for BodyError {
    fn from(error: FlushError) -> Self {
        Self::Flush(error)
    }
}

type Body = Result<(), BodyError>;

/// Whether the code that runs is an `async` block or plain code, where nothing waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Sync,
    Async,
}

struct Run {
    world: Arc<World>,
}

/// Plain code is ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

impl Run {
    fn plain(&self, block: &Block) -> Body {
        now(self.block(block, Mode::Sync))
    }

    fn block<'a>(&'a self, block: &'a Block, mode: Mode) -> LocalBoxFuture<'a, Body> {
        Box::pin(async move {
            for statement in &block.statements {
                self.statement(statement, mode).await?;
            }
            match block.end {
                End::Done => Ok(()),
                End::Fail => Err(BodyError::Own),
                End::Panic => {
                    self.world.event(Event::Panics);
                    panic!("expected: body");
                }
            }
        })
    }

    async fn statement(&self, statement: &Statement, mode: Mode) -> Body {
        match statement {
            Statement::Enqueue(_) | Statement::Push { .. } | Statement::Look { .. } | Statement::TakeHandle => {
                self.leaf(statement);
                Ok(())
            }
            Statement::Yield => {
                if mode == Mode::Async {
                    pause().await;
                }
                Ok(())
            }
            Statement::Scope(scope) => self.scope(scope, mode).await,
            Statement::Local { policy, form, body } => self.local(*policy, *form, body, mode).await,
            Statement::Catch(body) => match AssertUnwindSafe(self.block(body, mode)).catch_unwind().await {
                Ok(result) => result,
                Err(_) => {
                    self.world.event(Event::Caught);
                    Ok(())
                }
            },
            Statement::Carry { handle, how, body } => self.carry(*handle, *how, body, mode).await,
            Statement::Thread(body) => self.in_thread(|| self.plain(body)),
        }
    }

    fn leaf(&self, statement: &Statement) {
        match statement {
            Statement::Enqueue(call) => self.world.enqueue(*call),
            Statement::Push { handle, call, twice } => {
                if let Some(scope) = self.world.handle(*handle) {
                    self.world.push(&scope, *call, *twice);
                }
            }
            Statement::Look { handle } => {
                if let Some(scope) = self.world.handle(*handle) {
                    self.world.see(&scope);
                }
            }
            Statement::TakeHandle => {
                if let Some(scope) = Scope::current() {
                    self.world.keep(scope);
                }
            }
            _ => {}
        }
    }

    async fn local(&self, spec: PolicySpec, form: LocalForm, body: &Block, mode: Mode) -> Body {
        let local = match self.policy(spec, None) {
            Either::Asked(policy) => airlock::policy(policy),
            Either::Quiet(policy) => airlock::policy(policy),
        };
        match form {
            LocalForm::Run => local.run(|| self.plain(body)),
            LocalForm::Enter => {
                let _in_force = local.enter();
                self.plain(body)
            }
            LocalForm::Wrap => self.wait(local.wrap(self.block(body, Mode::Async)), mode).await,
        }
    }

    async fn carry(&self, handle: usize, how: Carry, body: &Block, mode: Mode) -> Body {
        let Some(scope) = self.world.handle(handle) else { return Ok(()) };
        self.world.event(Event::Carried { to: name_of(&scope), thread: matches!(how, Carry::Thread) });
        match how {
            Carry::Run => scope.run(|| self.plain(body)),
            Carry::Thread => self.in_thread(|| scope.run(|| self.plain(body))),
            Carry::Wrap => self.wait(scope.wrap(self.block(body, Mode::Async)), mode).await,
        }
    }

    fn in_thread(&self, body: impl FnOnce() -> Body + Send) -> Body {
        let ended = std::thread::scope(|threads| {
            let thread = std::thread::Builder::new().stack_size(16 << 20).spawn_scoped(threads, || {
                let _here = self.world.install();
                body()
            });
            thread.unwrap().join()
        });
        ended.unwrap_or_else(|_| {
            self.world.event(Event::Caught);
            Ok(())
        })
    }

    async fn scope(&self, scope: &ScopeStatement, mode: Mode) -> Body {
        let around = Scope::current().map(|scope| name_of(&scope));
        let (builder, name) = self.builder(scope);
        let opened = || self.world.opened(&name, around.clone());
        let ended = match &scope.form {
            Form::Guard(end) => {
                let guard = builder.enter();
                opened();
                self.guarded(scope, &name, guard, end)
            }
            Form::Run { unit, reported } => {
                let body = || {
                    opened();
                    self.plain(&scope.body)
                };
                let nothing = || drop(body());
                match (unit, reported) {
                    (false, false) => self.ran(scope, &name, builder.run(body)),
                    (true, false) => self.ran(scope, &name, builder.run(nothing).map_err(BodyError::Flush)),
                    (false, true) => {
                        let ended = builder.run_reported(body);
                        self.ran_reported(scope, &name, ended.result, ended.flush)
                    }
                    (true, true) => {
                        let flush = builder.run_reported(nothing).flush;
                        self.ran_reported(scope, &name, Ok(()), flush)
                    }
                }
            }
            Form::Async { reported, drive } => {
                let body = async {
                    opened();
                    self.block(&scope.body, Mode::Async).await
                };
                if *reported {
                    let ended = self.driven(builder.run_reported_async(body), drive, mode).await;
                    ended.is_none_or(|ended| self.ran_reported(scope, &name, ended.result, ended.flush))
                } else {
                    let ended = self.driven(builder.run_async(body), drive, mode).await;
                    ended.is_none_or(|result| self.ran(scope, &name, result))
                }
            }
        };
        if !ended && scope.propagate { Err(BodyError::Own) } else { Ok(()) }
    }

    /// What a caller does with a guard; gives whether all went well.
    fn guarded(&self, scope: &ScopeStatement, name: &str, guard: ScopeGuard, end: &GuardEnd) -> bool {
        if self.plain(&scope.body).is_err() {
            drop(guard);
            return false;
        }
        match end {
            GuardEnd::Flush => self.flushed(scope, guard.flush()),
            GuardEnd::Discard => {
                self.world.report(&guard.discard());
                true
            }
            GuardEnd::Drop => {
                drop(guard);
                true
            }
            GuardEnd::Seal { meanwhile, then } => match guard.seal() {
                Ok(sealed) => self.sealed(scope, name, sealed, meanwhile, *then),
                Err(error) => self.flushed(scope, Err(error)),
            },
        }
    }

    fn sealed(&self, scope: &ScopeStatement, name: &str, sealed: Sealed, meanwhile: &Block, then: SealEnd) -> bool {
        self.world.event(Event::Sealed { scope: name.to_owned(), seqs: self.world.seqs(sealed.intents()) });
        if self.plain(meanwhile).is_err() {
            drop(sealed);
            return false;
        }
        match then {
            SealEnd::Dispatch => self.flushed(scope, sealed.dispatch()),
            SealEnd::DispatchAsync(polls) => {
                let flush = self.by_hand(sealed.dispatch_async(), polls, &[]);
                flush.is_none_or(|flush| self.flushed(scope, flush))
            }
            SealEnd::Discard => {
                self.world.report(&sealed.discard());
                true
            }
            SealEnd::Drop => {
                drop(sealed);
                true
            }
        }
    }

    fn ran(&self, scope: &ScopeStatement, name: &str, result: Body) -> bool {
        let ended = match &result {
            Ok(()) => Ended::Well,
            Err(BodyError::Own) => Ended::BodyFailed,
            Err(BodyError::Flush(_)) => Ended::FlushFailed,
        };
        self.world.event(Event::Ran { scope: name.to_owned(), ended });
        if let Err(BodyError::Flush(error)) = result {
            self.handle_error(scope, error);
        }
        ended == Ended::Well
    }

    fn ran_reported(
        &self,
        scope: &ScopeStatement,
        name: &str,
        result: Body,
        flush: Result<FlushReport, FlushError>,
    ) -> bool {
        let ended = if result.is_ok() { Ended::Well } else { Ended::BodyFailed };
        self.world.event(Event::Ran { scope: name.to_owned(), ended });
        self.flushed(scope, flush) && result.is_ok()
    }

    fn flushed(&self, scope: &ScopeStatement, flush: Result<FlushReport, FlushError>) -> bool {
        match flush {
            Ok(report) => {
                self.world.report(&report);
                true
            }
            Err(error) => {
                self.handle_error(scope, error);
                false
            }
        }
    }

    fn handle_error(&self, scope: &ScopeStatement, error: FlushError) {
        self.world.error(&error);
        match scope.on_error {
            OnError::Drop => drop(error),
            OnError::Take => {
                let seqs = self.world.seqs(&error.into_intents());
                self.world.event(Event::Taken { seqs });
            }
            OnError::Resend { unconfirmed, lenient } => {
                let error = if unconfirmed { error.including_unconfirmed() } else { error };
                match error.dispatch(&Script { world: Arc::clone(&self.world), slow: false, lenient }) {
                    Ok(report) => self.world.report(&report),
                    Err(error) => self.world.error(&error),
                }
            }
        }
    }

    fn builder(&self, scope: &ScopeStatement) -> (ScopeBuilder, String) {
        let name = self.world.next_scope();
        let builder = airlock::scope().name(name.clone()).on_failure(scope.on_failure);
        let builder = match scope.policy.map(|spec| self.policy(spec, Some(name.clone()))) {
            None => builder,
            Some(Either::Asked(policy)) => builder.policy(policy),
            Some(Either::Quiet(policy)) => builder.policy(policy),
        };
        let builder = match scope.executor {
            ExecutorSpec::Inline => builder,
            ExecutorSpec::Script { slow } => {
                builder.executor(Script { world: Arc::clone(&self.world), slow, lenient: false })
            }
            ExecutorSpec::Closure => builder.executor(closure(Arc::clone(&self.world))),
        };
        let selective = |flushes, panics, modulus, rest| Selective { flushes, panics, modulus, rest };
        let builder = match scope.lifecycle {
            LifecycleSpec::OnSuccess => builder,
            LifecycleSpec::Always => builder.lifecycle(AlwaysFlush),
            LifecycleSpec::Never => builder.lifecycle(selective(false, false, 1, 1)),
            LifecycleSpec::ReleaseNested => builder.lifecycle(airlock::ReleaseNested),
            LifecycleSpec::ReleaseIf { modulus, rest } => builder.lifecycle(selective(true, false, modulus, rest)),
            LifecycleSpec::PanicIf { modulus, rest } => builder.lifecycle(selective(true, true, modulus, rest)),
        };
        (builder, name)
    }

    fn policy(
        &self,
        spec: PolicySpec,
        scope: Option<String>,
    ) -> Either<Scripted, impl Fn(&airlock::Intent) -> bool + Send + Sync + use<>> {
        let policy = Scripted::new(&self.world, spec, scope);
        if matches!(spec.rule, Rule::Closure { .. }) { Either::Quiet(quiet(policy)) } else { Either::Asked(policy) }
    }

    /// Awaits in async code, and polls to the end elsewhere.
    async fn wait<T>(&self, future: impl Future<Output = T>, mode: Mode) -> T {
        match mode {
            Mode::Async => future.await,
            Mode::Sync => self.by_hand(future, None, &[]).unwrap(),
        }
    }

    async fn driven<T>(&self, future: impl Future<Output = T>, drive: &Drive, mode: Mode) -> Option<T> {
        match drive {
            Drive::Await => Some(self.wait(future, mode).await),
            Drive::ByHand { polls, between } => self.by_hand(future, *polls, between),
        }
    }

    /// Polls a future, at most so often, and does something else between the polls.
    fn by_hand<T>(&self, future: impl Future<Output = T>, polls: Option<usize>, between: &[Statement]) -> Option<T> {
        let mut future = Box::pin(future);
        let mut polled = 0;
        while polls != Some(polled) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(output);
            }
            polled += 1;
            if polls != Some(polled) {
                between.iter().for_each(|statement| self.leaf(statement));
            }
        }
        drop(future);
        self.world.event(Event::FutureDropped);
        None
    }
}

/// A policy the library asks at enqueues, or one it knows not to.
enum Either<A, Q> {
    Asked(A),
    Quiet(Q),
}

/// Pending once.
fn pause() -> Pause {
    Pause(false)
}

struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
