//! The hand-over of what may escape, and the account of it.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::report::FlushReport;
use super::tally::Tally;
use super::{Discarded, FlushError, Outcome, Trouble, Unattempted, block_on_flush};
use crate::context::buffer::Phase;
use crate::context::frame::Frame;
use crate::context::futures::InContext;
use crate::context::judging::Judging;
use crate::context::scope_state::ScopeCore;
use crate::context::stack::Swapped;
use crate::executors::{
    Batch, Cause, Ending, Executor, FlushContext, FlushMode, InlineExecutor, ItemState, Ledger, OnFailure, Stop,
};
use crate::intent::Intent;
use crate::runtime::panics::{catch_panic, catching_panics};
use crate::runtime::{Deadline, timer};
use crate::scope_info::ScopeInfo;
use crate::state::State;
use crate::task::TaskDefinition;
use crate::text::redact::redact_text;

/// How long a flush waits for what lies outside this process, unless the scope or the settings say otherwise.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// One hand-over. Dropped before its end, it accounts for everything and lets the loss be known.
#[derive(Debug)]
pub(crate) struct Flight {
    frame: Arc<Frame>,
    /// What has not been given to an executor.
    waiting: Vec<Intent>,
    /// What runs here once the executor has had its share: kept where a dropped flush finds it.
    local: Vec<Intent>,
    special: bool,
    current: Option<Current>,
    tally: Tally,
    trouble: Trouble,
    landed: bool,
}

/// The batch an executor has.
#[derive(Debug)]
struct Current {
    ledger: Arc<Ledger>,
    /// A handle of each intent, unless the executor gives back what it couldn't hand over.
    kept: Option<Vec<Intent>>,
}

impl Flight {
    pub(crate) fn new(frame: Arc<Frame>, intents: Vec<Intent>, special: bool, tally: Tally) -> Self {
        let (local, trouble) = (Vec::new(), Trouble::default());
        Self { frame, waiting: intents, local, special, current: None, tally, trouble, landed: false }
    }

    /// A second attempt with what an error holds; what the first one settled otherwise is carried over.
    pub(crate) fn again(frame: Arc<Frame>, intents: Vec<Intent>, carried: Trouble) -> Self {
        let mut flight = Self::new(frame, intents, true, Tally::new(true));
        flight.trouble = carried;
        flight
    }

    /// What may escape, until it is handed over.
    pub(crate) fn intents(&self) -> &[Intent] {
        &self.waiting
    }

    /// What became of it all, once it has landed.
    pub(crate) fn report(&mut self) -> FlushReport {
        self.tally.take_report(&self.frame)
    }

    /// Hands over, and waits for that on this thread.
    pub(crate) fn fly_here(&mut self) -> Result<(), FlushError> {
        if self.call_if_plain() {
            return self.land();
        }
        let frame = Arc::clone(&self.frame);
        block_on_flush(&frame, self.fly(FlushMode::Sync))
    }

    pub(crate) async fn fly(&mut self, mode: FlushMode) -> Result<(), FlushError> {
        if self.call_if_plain() {
            return self.land();
        }
        let executor = Arc::clone(scope_of(&self.frame).executor());
        self.fly_with(&*executor, mode).await
    }

    pub(crate) async fn fly_with(&mut self, executor: &dyn Executor, mode: FlushMode) -> Result<(), FlushError> {
        if self.waiting.is_empty() {
            return self.land();
        }
        let carried = self.trouble.len();
        let core = scope_of(&self.frame);
        let (set, on_failure) = (core.deadline().map(Deadline::after), core.on_failure());
        let deadline = set.unwrap_or_else(|| {
            if executor.traits().no_deadline { Deadline::NONE } else { Deadline::after(DEFAULT_DEADLINE) }
        });
        self.ask_executor(executor, mode, deadline)?;
        self.split_off_local(executor);
        if !self.waiting.is_empty() {
            self.hand_over(executor, deadline).await;
        }
        self.waiting = std::mem::take(&mut self.local);
        let stops = on_failure == OnFailure::FailFast && self.trouble.len() > carried;
        if !self.waiting.is_empty() && !stops {
            // What waits on a network has had its time; what runs here has none, unless the scope sets one.
            self.hand_over(&InlineExecutor::new(), set.unwrap_or_default()).await;
        }
        self.land()
    }

    /// Asks about every intent before the first is handed over.
    fn ask_executor(&mut self, executor: &dyn Executor, mode: FlushMode, deadline: Deadline) -> Result<(), FlushError> {
        if self.special {
            // An executor on another thread finds the state of a scope through its intents.
            for intent in self.waiting.iter_mut().filter(|intent| !intent.task().state.is_empty()) {
                intent.around.get_or_insert_with(|| Arc::clone(&self.frame));
            }
        } else if executor.traits().inline {
            return Ok(());
        }
        let state = State::around(Some(&self.frame));
        let flush = FlushContext { mode, now: SystemTime::now(), deadline, state, call_options: self.special };
        let takes_local = executor.traits().takes_local;
        let by_task = executor.traits().by_task && !self.special;
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
                if by_task && accepted.is_some_and(|task| ptr::eq(task, intent.task())) {
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
                self.trouble.refused(answered, &mut self.tally);
                Err(self.land_badly(&Unattempted::OtherRefused))
            }
            Err(message) => {
                // An argument's own `Serialize` may be what panicked: whose it was has to be said.
                let intent = &self.waiting[asking.get()];
                let asked = format!("{message}, asked about `{}` ({})", intent.name(), intent.location());
                Err(self.land_badly(&Unattempted::ExecutorPanicked(asked)))
            }
        }
    }

    fn split_off_local(&mut self, executor: &dyn Executor) {
        if !self.special || executor.traits().takes_local {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        (self.local, self.waiting) = waiting.into_iter().partition(|intent| intent.task().local);
    }

    async fn hand_over(&mut self, executor: &dyn Executor, deadline: Deadline) {
        let core = scope_of(&self.frame);
        let reported = self.tally.is_reported();
        self.tally.handed_to(redact_text(executor.name()).into_owned().into());
        let intents = std::mem::take(&mut self.waiting);
        if !executor.traits().inline {
            let now = SystemTime::now();
            // Without call options anywhere, it is known without a look at each intent's own memory.
            let special = self.special;
            let dated = intents.iter().filter(|intent| special || intent.task().options.has_durations());
            dated.for_each(|intent| intent.hand_over(now));
        }
        let kept = (reported || !executor.traits().gives_back).then(|| intents.clone());
        let ledger = Arc::new(Ledger::new(intents.len(), core.on_failure(), deadline));
        let batch = Batch::new(intents, Arc::clone(&ledger), core.timings());
        let batch = if self.special { batch } else { batch.without_call_options() };
        self.current = Some(Current { ledger, kept });
        let ending = drive(executor, batch, deadline).await;
        self.settle(ending);
    }

    /// Calls plain functions one after the other, if that is all there is to do. The inline executor does the same; but
    /// a batch, a ledger that another thread may close and a future cost more than many a task.
    fn call_if_plain(&mut self) -> bool {
        let core = scope_of(&self.frame);
        if self.special || !core.executor().traits().inline {
            return false;
        }
        let (on_failure, timings) = (core.on_failure(), core.timings());
        let deadline = core.deadline().map_or(Deadline::NONE, Deadline::after);
        let tally = &mut self.tally;
        let mut intents = std::mem::take(&mut self.waiting).into_iter();
        if intents.len() > 0 {
            tally.handed_to(InlineExecutor::NAME.into());
        }
        // A task that forgets a guard leaves its scope on this stack, not on the caller's.
        let _between = Swapped::empty();
        let (mut called, mut stop) = (0, None);
        while stop.is_none() && intents.len() > 0 {
            if deadline.has_passed() {
                stop = Some(Unattempted::Deadline);
                break;
            }
            // Read where it lies: copied along, it would have to wait for the copy.
            let Some(identity) = intents.as_slice().first().map(Intent::identity) else { break };
            let Some(intent) = intents.next() else { break };
            let handle = tally.is_reported().then(|| intent.clone());
            let started = timings.then(Instant::now);
            match (intent.call_in_flush(), handle) {
                (Ok(()), None) => called += 1,
                (Ok(()), Some(intent)) => tally.add(intent, || Outcome::Dispatched),
                (Err(error), handle) => {
                    self.trouble.failed(identity.failure(error, None), handle, tally);
                    stop = (on_failure == OnFailure::FailFast).then_some(Unattempted::FailedFast);
                }
            }
            if let Some(started) = started {
                tally.time_last(started.elapsed());
            }
        }
        tally.add_unseen(&Outcome::Dispatched, called);
        if let Some(reason) = stop {
            self.trouble.unattempted(intents, &reason, tally);
        }
        true
    }

    /// Closes the ledger of the current batch and enters every intent of it.
    fn settle(&mut self, ending: Ending) {
        let Some(Current { ledger, kept }) = self.current.take() else { return };
        let tally = &mut self.tally;
        let mut settled = ledger.close();
        if kept.is_none() && settled.is_clean() {
            tally.add_unseen(&Outcome::Dispatched, settled.begun);
            return;
        }
        let reason = unattempted(settled.stop.map_or(Cause::Ended(ending), Cause::Stopped));
        let mut timings = std::mem::take(&mut settled.timings);
        // An executor may settle in any order.
        timings.sort_unstable_by_key(|(index, _)| *index);
        let mut timings = timings.into_iter().peekable();
        let mut returned = std::mem::take(&mut settled.returned).into_iter();
        let mut kept = kept.map(Vec::into_iter);
        for (index, state) in settled.into_states().enumerate() {
            let handle = kept.as_mut().and_then(Iterator::next);
            match (state, handle) {
                (ItemState::Dispatched, Some(intent)) => tally.add(intent, || Outcome::Dispatched),
                (ItemState::Dispatched, None) => tally.add_unseen(&Outcome::Dispatched, 1),
                (ItemState::Failed(failure), handle) => self.trouble.failed(failure, handle, tally),
                (ItemState::Unsettled, Some(intent)) => self.trouble.unsettled(intent, tally),
                // Who gives back settles each ticket as it goes, even when dropped.
                (ItemState::Unsettled, None) => {}
                (ItemState::NotBegun(cause), handle) => {
                    let intent = handle.or_else(|| returned.next());
                    let own = cause.map(unattempted);
                    self.trouble.unattempted(intent, own.as_ref().unwrap_or(&reason), tally);
                }
            }
            if let Some((_, time)) = timings.next_if(|(timed, _)| *timed == index) {
                tally.time_last(time);
            }
        }
    }

    fn land(&mut self) -> Result<(), FlushError> {
        if self.trouble.is_empty() && self.waiting.is_empty() {
            self.landed = true;
            scope_of(&self.frame).buffer().conclude(Phase::Flushed);
            return Ok(());
        }
        // Only fail-fast leaves anything waiting.
        Err(self.land_badly(&Unattempted::FailedFast))
    }

    fn land_badly(&mut self, reason: &Unattempted) -> FlushError {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.append(&mut self.local);
        self.landed = true;
        self.trouble.unattempted(waiting, reason, &mut self.tally);
        fail(&self.frame, std::mem::take(&mut self.trouble), &mut self.tally)
    }

    /// Lets nothing escape after all.
    pub(crate) fn discard(&mut self, reason: Discarded) -> FlushReport {
        self.landed = true;
        for intent in std::mem::take(&mut self.waiting) {
            self.tally.add(intent, || Outcome::Discarded { reason });
        }
        scope_of(&self.frame).buffer().conclude(Phase::Discarded);
        self.report()
    }

    pub(crate) fn scope(&self) -> &ScopeInfo {
        scope_of(&self.frame).info()
    }

    /// Asks the executor before it is known in which mode the flush will be: what it refuses even in the more lenient
    /// one can be told at once.
    pub(crate) fn check(&mut self) -> Result<(), FlushError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let executor = Arc::clone(scope_of(&self.frame).executor());
        self.ask_executor(&*executor, FlushMode::Async, Deadline::NONE)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            self.settle(Ending::Dropped);
            // Dropping the error lets the loss be known.
            drop(self.land_badly(&Unattempted::Cancelled));
        }
    }
}

/// A closed scope whose flush failed.
pub(crate) fn fail(frame: &Arc<Frame>, trouble: Trouble, tally: &mut Tally) -> FlushError {
    scope_of(frame).buffer().conclude(Phase::Flushed);
    FlushError::new(Arc::clone(frame), tally.take_report(frame), trouble)
}

fn unattempted(cause: Cause) -> Unattempted {
    match cause {
        Cause::Stopped(Stop::Failure) => Unattempted::FailedFast,
        Cause::Stopped(Stop::Unavailable) => Unattempted::Unavailable,
        Cause::Stopped(Stop::Deadline) | Cause::Ended(Ending::DeadlinePassed) => Unattempted::Deadline,
        Cause::Ended(Ending::Returned) => Unattempted::ExecutorEnded,
        Cause::Ended(Ending::Dropped) => Unattempted::Cancelled,
        Cause::Ended(Ending::Panicked(message)) => Unattempted::ExecutorPanicked(message),
    }
}

fn scope_of(frame: &Frame) -> &ScopeCore {
    frame.as_scope().unwrap_or_else(|| unreachable!("only scopes flush"))
}

/// Runs the executor's future to its end or to the deadline, in an empty context.
async fn drive(executor: &dyn Executor, batch: Batch, deadline: Deadline) -> Ending {
    let started = {
        let _empty = Swapped::empty();
        catch_panic(|| executor.dispatch(batch))
    };
    Ending::of(match started {
        Ok(future) => timer::until(deadline, catching_panics(InContext::empty(future))).await,
        Err(message) => Some(Err(message)),
    })
}
