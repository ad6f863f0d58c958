//! What happened so far in one run, and the words for it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use airlock::{
    Begun, Counts as Counted, DispatchError, EnqueueError, Failure, FlushError, FlushReport, Intent, IntentId, Outcome,
    Phase, Scope, Settings, Unattempted,
};

use super::tasks;
use crate::program::{Call, Fate, Task};
use crate::trace::{Answer, Counts, Event, Held, Report, Seq, Verdict};

/// A fault of the library, played by the harness: what it reports is bent as the fault would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The policy of a scope is not asked about what was enqueued in a nested one.
    OuterPolicySkipped,
    /// When a policy or an executor panics, one of the intents that stayed in is not handed back.
    LostOnPanic,
    /// Captured intents are listed behind the scope's own.
    CapturedOrderChanged,
}

thread_local! {
    static HERE: RefCell<Option<Arc<World>>> = const { RefCell::new(None) };
}

/// Once a process: panics that programs ask for print nothing, and lost intents are told to the run they belong to.
pub(super) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let payload = info.payload();
            let message =
                payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
            if !message.is_some_and(|message| message.starts_with("expected: ")) {
                usual(info);
            }
        }));
        airlock::configure(Settings::new().on_lost(|lost| {
            let world = World::here();
            let scope = lost.scope().name().unwrap_or_default().to_owned();
            let seqs = world.seqs(lost.intents());
            world.event(Event::Lost { scope, seqs });
        }));
    });
}

pub(super) struct World {
    fault: Option<Fault>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    seqs: u64,
    policies: usize,
    scopes: usize,
    handles: Vec<Scope>,
    /// What executors began and never settled.
    begun: Vec<Begun>,
    ids: HashMap<IntentId, Seq>,
    /// The scope each intent was enqueued in.
    homes: HashMap<Seq, String>,
}

/// This thread works for a run, until dropped.
pub(super) struct Installed(Option<Arc<World>>);

impl Drop for Installed {
    fn drop(&mut self) {
        HERE.set(self.0.take());
    }
}

impl World {
    pub(super) fn new(fault: Option<Fault>) -> Self {
        Self { fault, state: Mutex::default() }
    }

    pub(super) fn install(self: &Arc<Self>) -> Installed {
        Installed(HERE.replace(Some(Arc::clone(self))))
    }

    pub(super) fn here() -> Arc<Self> {
        HERE.with_borrow(|here| here.clone().unwrap())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    pub(super) fn event(&self, event: Event) {
        self.state().events.push(event);
    }

    pub(super) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.state().events)
    }

    pub(super) fn next_policy(&self) -> String {
        let mut state = self.state();
        state.policies += 1;
        format!("p{}", state.policies)
    }

    pub(super) fn next_scope(&self) -> String {
        let mut state = self.state();
        state.scopes += 1;
        format!("s{}", state.scopes)
    }

    pub(super) fn home(&self, seq: Seq) -> String {
        self.state().homes.get(&seq).cloned().unwrap_or_default()
    }

    fn next_seq(&self, home: Option<String>) -> Seq {
        let mut state = self.state();
        let seq = state.seqs;
        state.seqs += 1;
        state.homes.extend(home.map(|home| (seq, home)));
        seq
    }

    pub(super) fn handle(&self, index: usize) -> Option<Scope> {
        let state = self.state();
        let len = state.handles.len();
        (len > 0).then(|| state.handles[index % len].clone())
    }

    pub(super) fn keep(&self, scope: Scope) {
        self.state().handles.push(scope);
    }

    pub(super) fn keep_begun(&self, begun: Begun) {
        self.state().begun.push(begun);
    }

    /// Handles and intents hold policies, and policies hold the world: this ends the circle.
    pub(super) fn take_handles(&self) -> Vec<Scope> {
        let begun = std::mem::take(&mut self.state().begun);
        // Settles them after all, which is too late to change anything.
        drop(begun);
        std::mem::take(&mut self.state().handles)
    }

    pub(super) fn opened(&self, name: &str, around: Option<String>) {
        let scope = Scope::current();
        if scope.as_ref().map(name_of).as_deref() != Some(name) {
            self.event(Event::Torn(format!("{name} is not the current scope of its own body")));
        }
        self.event(Event::Opened { scope: name.to_owned(), around });
        self.state().handles.extend(scope);
    }

    pub(super) fn enqueue(&self, call: Call) {
        let seq = self.next_seq(Scope::current().map(|scope| name_of(&scope)));
        let result = tasks::enqueue(seq, call);
        self.enqueued(seq, result);
    }

    pub(super) fn push(&self, scope: &Scope, call: Call, twice: bool) {
        let seq = self.next_seq(Some(name_of(scope)));
        let intent = tasks::intent(seq, call);
        let again = twice.then(|| intent.clone());
        let id = intent.id();
        let result = scope.push(intent);
        if result.as_ref().is_ok_and(|accepted| *accepted != id) {
            self.event(Event::Torn(format!("{seq} was accepted under another id")));
        }
        self.enqueued(seq, result);
        if let Some(intent) = again {
            self.enqueued(seq, scope.push(intent));
        }
    }

    fn enqueued(&self, seq: Seq, result: Result<IntentId, EnqueueError>) {
        let answer = match result {
            Ok(id) => {
                if self.state().ids.insert(id, seq).is_some() {
                    self.event(Event::Torn(format!("the id of {seq} is not unique")));
                }
                self.answer(None)
            }
            Err(error) => {
                let answer = self.answer(Some(error));
                if let Answer::Closed(_) | Answer::RejectedBy(_) | Answer::NoScope = answer {
                    self.state().homes.remove(&seq);
                }
                answer
            }
        };
        self.event(Event::Enqueued { seq, answer });
    }

    pub(super) fn answer(&self, error: Option<EnqueueError>) -> Answer {
        let Some(error) = error else { return Answer::Accepted };
        let text = error.to_string();
        match error {
            EnqueueError::NoScope { .. } => Answer::NoScope,
            EnqueueError::InPolicy { .. } => Answer::InPolicy,
            EnqueueError::Repeated { .. } => Answer::Repeated,
            EnqueueError::Rejected { refused } => {
                Answer::RejectedBy(refused.policy().map(policy_name).unwrap_or_default())
            }
            EnqueueError::Closed { .. } if text.ends_with("is sealed") => Answer::Closed(Phase::Sealed),
            EnqueueError::Closed { .. } if text.ends_with("was flushed") => Answer::Closed(Phase::Flushed),
            EnqueueError::Closed { .. } if text.ends_with("was discarded") => Answer::Closed(Phase::Discarded),
            error => {
                self.event(Event::Torn(format!("an enqueue was told {error}")));
                Answer::Repeated
            }
        }
    }

    /// An enqueue where there is no scope: in a task or in an executor.
    pub(super) fn inside(&self, seq: Seq) {
        let result = tasks::enqueue(seq, Call { task: Task::Note, fate: Fate::Well });
        let answer = self.answer(result.err());
        self.event(Event::Inside { seq, answer });
    }

    /// How a dispatch goes that neither panics nor ends anything.
    pub(super) fn settle(&self, seq: Seq, fate: Fate) -> Result<(), DispatchError> {
        match fate {
            Fate::Fail => Err(DispatchError::task_failed("failed")),
            Fate::Reject => Err(DispatchError::rejected("rejected")),
            Fate::Unavailable => Err(DispatchError::unavailable("unavailable")),
            Fate::Unconfirmed => Err(DispatchError::unconfirmed("unconfirmed")),
            Fate::Enqueue => {
                self.inside(seq);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn see(&self, scope: &Scope) {
        let all = self.seqs(&scope.intents());
        let event = Event::Seen {
            scope: name_of(scope),
            phase: scope.phase(),
            all: self.listed(&name_of(scope), all, |seq| *seq),
            own: self.seqs(&scope.own_intents()),
            captured: self.seqs(&scope.captured_intents()),
        };
        self.event(event);
    }

    /// Which intents these are, by argument; their ids have to agree.
    pub(super) fn seqs(&self, intents: &[Intent]) -> Vec<Seq> {
        intents.iter().map(|intent| self.seq(intent.id(), Some(intent))).collect()
    }

    fn seq(&self, id: IntentId, intent: Option<&Intent>) -> Seq {
        let seq = self.state().ids.get(&id).copied();
        if let Some(intent) = intent
            && seq != Some(tasks::read(intent).1)
        {
            self.event(Event::Torn(format!("an intent has the id of {seq:?} and is {intent}")));
        }
        seq.unwrap_or(Seq::MAX)
    }

    pub(super) fn report(&self, report: &FlushReport) {
        let report = self.read_report(report);
        self.event(Event::Report(report));
    }

    pub(super) fn error(&self, error: &FlushError) {
        let report = self.read_report(error.report());
        let mut undispatched = self.seqs(error.undispatched());
        if self.lost_one(error.report()).is_some() {
            undispatched.pop();
        }
        let (unconfirmed, failed) = (self.held(error.unconfirmed()), self.held(error.failed()));
        self.event(Event::Error { report, undispatched, unconfirmed, failed });
    }

    fn held(&self, failures: &[Failure]) -> Vec<Held> {
        let held = |failure: &Failure| Held {
            seq: self.seq(failure.id, failure.intent.as_ref()),
            kind: failure.error.kind(),
            held: failure.intent.is_some(),
        };
        failures.iter().map(held).collect()
    }

    fn read_report(&self, report: &FlushReport) -> Report {
        let scope = report.scope().name().unwrap_or_default().to_owned();
        let entries = report.entries().iter().map(|entry| {
            let verdict = match entry.outcome() {
                Outcome::Dispatched => Verdict::Dispatched,
                Outcome::Dropped { policy } => Verdict::Dropped(policy_name(policy)),
                Outcome::Captured { scope } => Verdict::Captured(scope.name().unwrap_or_default().to_owned()),
                Outcome::Discarded { reason } => Verdict::Discarded(*reason),
                Outcome::Failed { error } => Verdict::Failed(error.kind()),
                Outcome::Unconfirmed { .. } => Verdict::Unconfirmed,
                Outcome::Unattempted { reason } => Verdict::Unattempted(without_location(reason)),
                outcome => panic!("an outcome that the reference does not know: {outcome}"),
            };
            (self.seq(entry.id(), entry.intent()), tasks::by_name(entry.name()), verdict)
        });
        let mut entries = self.listed(&scope, entries.collect(), |(seq, ..)| *seq);
        let mut counts = counts(report.counts());
        if let Some(lost) = self.lost_one(report) {
            entries.remove(lost);
            counts.enqueued -= 1;
            counts.unattempted -= 1;
        }
        Report {
            scope,
            executor: report.executor().map(str::to_owned),
            complete: report.is_complete(),
            counts,
            entries,
        }
    }

    /// The list as it is, or as the fault would have it.
    fn listed<T>(&self, scope: &str, mut list: Vec<T>, seq: impl Fn(&T) -> Seq) -> Vec<T> {
        if self.fault == Some(Fault::CapturedOrderChanged) {
            list.sort_by_key(|item| self.home(seq(item)) != scope);
        }
        list
    }

    /// Which entry the fault would have lost.
    fn lost_one(&self, report: &FlushReport) -> Option<usize> {
        let panicked = |outcome: &Outcome| {
            let Outcome::Unattempted { reason } = outcome else { return false };
            matches!(reason, Unattempted::JudgePanicked(_) | Unattempted::ExecutorPanicked(_))
        };
        let found = report.entries().iter().rposition(|entry| panicked(entry.outcome()));
        found.filter(|_| self.fault == Some(Fault::LostOnPanic))
    }
}

pub(super) fn name_of(scope: &Scope) -> String {
    scope.info().name().unwrap_or_default().to_owned()
}

/// Closures are called after their type.
fn policy_name(name: &str) -> String {
    if name.contains("{{closure}}") { "closure".to_owned() } else { name.to_owned() }
}

/// A panic of a policy is told with where the intent was enqueued, which the reference can't know.
fn without_location(reason: &Unattempted) -> Unattempted {
    match reason {
        Unattempted::JudgePanicked(text) => {
            let (head, tail) = (text.split_once(" ("), text.rsplit_once("): "));
            let text = match (head, tail) {
                (Some((head, _)), Some((_, tail))) => format!("{head}: {tail}"),
                _ => text.clone(),
            };
            Unattempted::JudgePanicked(text)
        }
        reason => reason.clone(),
    }
}

fn counts(counted: Counted) -> Counts {
    Counts {
        enqueued: counted.enqueued,
        dispatched: counted.dispatched,
        dropped: counted.dropped,
        captured: counted.captured,
        discarded: counted.discarded,
        failed: counted.failed,
        unconfirmed: counted.unconfirmed,
        unattempted: counted.unattempted,
    }
}
