//! The reference: what scopes, policies, lifecycles and executors have to do, said once more and as plainly as can be.
//!
//! One thread, no futures, no panics: contexts are numbers in a list of frames, a body that fails, panics or is dropped
//! is a value, and an `await` that waits is a call of the poller. It shares no code with the library and knows only
//! its public words.

mod account;
mod asking;
mod ending;
mod handing;
mod scopes;
mod statements;

use airlock::{OnFailure, Phase};

use crate::program::{Call, ExecutorSpec, LifecycleSpec, PolicySpec, Program, Statement};
use crate::trace::{Event, Seq, Verdict};

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
            Flow::Cancelled => unreachable!("the top is never polled"),
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

/// What polls a future by hand.
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
