//! What can be seen of a run, by the library or by the reference: one list of events, in order.

use airlock::{DispatchErrorKind, Phase};

use crate::program::{Fate, Task};

/// Numbers an intent in the order of the calls; it is the first argument of every task here.
pub(crate) type Seq = u64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// An enqueue or a push, and what the caller was told.
    Enqueued { seq: Seq, answer: Answer },
    /// A policy was asked: at the call, or in the flush.
    Asked { policy: String, when: When, seq: Seq, yes: bool },
    /// A policy tried to enqueue, or to open a scope and enqueue there.
    Nosy { policy: String, answer: Answer },
    /// An executor was asked whether it can hand the intent over.
    Accepts { executor: &'static str, seq: Seq, yes: bool },
    /// An executor, or the task itself where it runs inline, has the intent.
    Handed { executor: &'static str, task: Task, seq: Seq, fate: Fate },
    /// An enqueue by an executor or an inline task.
    Inside { seq: Seq, answer: Answer },
    /// A scope's body begins, inside which scope.
    Opened { scope: String, around: Option<String> },
    /// The body is carried into a scope, and whether to another thread.
    Carried { to: String, thread: bool },
    /// A body panics here.
    Panics,
    /// A panic was caught: by the program, or at the end of a thread.
    Caught,
    /// A future was dropped before its end.
    FutureDropped,
    /// What `run` and its kin returned.
    Ran { scope: String, ended: Ended },
    /// What a sealed scope may let out.
    Sealed { scope: String, seqs: Vec<Seq> },
    /// A report of `flush`, `discard`, `dispatch` or `run_reported`.
    Report(Report),
    /// An error, with all that it owns.
    Error { report: Report, undispatched: Vec<Seq>, unconfirmed: Vec<Held>, failed: Vec<Held> },
    /// What an error gave out by value.
    Taken { seqs: Vec<Seq> },
    /// What `on_lost` was given.
    Lost { scope: String, seqs: Vec<Seq> },
    /// A look at a scope through a handle.
    Seen { scope: String, phase: Phase, all: Vec<Seq>, own: Vec<Seq>, captured: Vec<Seq> },
    /// A top-level statement failed.
    RootFailed,
    /// The library contradicts itself, in words; the reference never says this.
    Torn(String),
}

/// What an attempt to enqueue was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    NoScope,
    InPolicy,
    RejectedBy(String),
    Closed(Phase),
    Repeated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum When {
    Enqueue,
    Flush,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    BodyFailed,
    FlushFailed,
}

/// An intent in a list of failures, and whether the error still holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) seq: Seq,
    pub(crate) kind: DispatchErrorKind,
    pub(crate) held: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) scope: String,
    pub(crate) executor: Option<String>,
    pub(crate) complete: bool,
    pub(crate) counts: Counts,
    pub(crate) entries: Vec<(Seq, Task, Verdict)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) enqueued: usize,
    pub(crate) dispatched: usize,
    pub(crate) dropped: usize,
    pub(crate) captured: usize,
    pub(crate) discarded: usize,
    pub(crate) failed: usize,
    pub(crate) unconfirmed: usize,
    pub(crate) unattempted: usize,
}

/// An outcome, comparable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Dispatched,
    Dropped(String),
    Captured(String),
    Discarded(airlock::Discarded),
    Failed(DispatchErrorKind),
    Unconfirmed,
    Unattempted(airlock::Unattempted),
}

impl Verdict {
    /// Its place in the counts.
    pub(crate) fn count_in<'a>(&self, counts: &'a mut Counts) -> &'a mut usize {
        match self {
            Self::Dispatched => &mut counts.dispatched,
            Self::Dropped(_) => &mut counts.dropped,
            Self::Captured(_) => &mut counts.captured,
            Self::Discarded(_) => &mut counts.discarded,
            Self::Failed(_) => &mut counts.failed,
            Self::Unconfirmed => &mut counts.unconfirmed,
            Self::Unattempted(_) => &mut counts.unattempted,
        }
    }
}
