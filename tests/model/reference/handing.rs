//! Executors: what they refuse, and how each hand-over goes.

use airlock::{DispatchErrorKind, OnFailure, Phase, Unattempted};

use super::account::{Account, Flush, Sealed};
use super::{Flow, FrameId, Intent, Model};
use crate::program::{Call, ExecutorSpec, Fate, Task};
use crate::trace::{Answer, Event, Verdict};

#[derive(Clone, Copy)]
pub(super) struct Executor {
    pub(super) spec: ExecutorSpec,
    pub(super) lenient: bool,
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

impl Model<'_> {
    pub(super) fn executor_of(&self, frame: FrameId) -> Executor {
        Executor { spec: self.scope_of(frame).executor, lenient: false }
    }

    pub(super) fn dispatch(&mut self, sealed: Sealed, driver: Option<usize>) -> Flush {
        let executor = self.executor_of(sealed.account.scope);
        let flush = self.fly(sealed, executor, driver);
        if let Flush::Well(account) | Flush::Badly(account) = &flush {
            self.done(account);
        }
        flush
    }

    /// All are asked about before the first is handed over, and one refusal keeps all of them in.
    pub(super) fn ask_executor(
        &mut self,
        sealed: Sealed,
        executor: Executor,
        awaited: bool,
    ) -> Result<Sealed, Box<Account>> {
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

    pub(super) fn fly(&mut self, sealed: Sealed, executor: Executor, driver: Option<usize>) -> Flush {
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
