//! From a call to an intent in the current scope.

use std::panic::Location;
use std::sync::Arc;

use super::EnqueueError;
use crate::context::buffer::Phase;
use crate::context::frame::{Frame, frames, nearest_scope};
use crate::context::judging::Judging;
use crate::context::stack;
use crate::intent::{Identity, Intent, IntentId, NewIntent};
use crate::options::Options;
use crate::task::{Marks, SharedBody, TaskDefinition, TaskEntry, with_options};

/// What the companion's `enqueue` calls.
#[doc(hidden)]
#[inline]
#[track_caller]
pub fn enqueue<A>(entry: &'static TaskEntry<A>, args: A) -> Result<IntentId, EnqueueError> {
    enqueue_plain(&entry.definition, (entry.share)(entry.run, args, Marks::TAKEN))
}

/// What the companion's `enqueue_with` calls.
#[doc(hidden)]
#[track_caller]
pub fn enqueue_with<A>(entry: &'static TaskEntry<A>, options: Options, args: A) -> Result<IntentId, EnqueueError> {
    enqueue_special(&entry.definition, (entry.share)(entry.run, args, Marks::TAKEN), options)
}

// What follows needs no types and is compiled once. It takes the caller's place as a caller has it: to ask for it is a call
// of its own.

#[track_caller]
fn enqueue_plain(task: &'static TaskDefinition, body: SharedBody) -> Result<IntentId, EnqueueError> {
    enqueue_body(task, body, !task.is_plain(), Location::caller())
}

#[track_caller]
fn enqueue_special(
    task: &'static TaskDefinition,
    body: SharedBody,
    options: Options,
) -> Result<IntentId, EnqueueError> {
    enqueue_body(task, with_options(body, Some(task.over(options))), true, Location::caller())
}

#[inline]
fn enqueue_body(
    task: &'static TaskDefinition,
    body: SharedBody,
    may_have_options: bool,
    location: &'static Location<'static>,
) -> Result<IntentId, EnqueueError> {
    let id = IntentId::fresh();
    let mut new = NewIntent::new(Identity { id, task, location }, body);
    submit(&mut new, may_have_options).map(|()| id)
}

#[track_caller]
fn intent_of(task: &'static TaskDefinition, body: SharedBody) -> Intent {
    Intent::new(Identity { id: IntentId::fresh(), task, location: Location::caller() }, body)
}

/// Whether a direct call of a `shim` is to enqueue.
#[doc(hidden)]
#[must_use]
pub fn in_scope() -> bool {
    // A policy that judges has no scope around, and must not call tasks either: `enqueue` says so.
    Judging::is_under_way() || stack::with_current(|frame| nearest_scope(frame).is_some())
}

/// What the companion's `intent` calls.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub fn make_intent<A>(entry: &'static TaskEntry<A>, args: A) -> Intent {
    intent_of(&entry.definition, (entry.share)(entry.run, args, Marks::NEW))
}

/// The common case: a plain task without options, no policy around looks at calls, and the scope is open.
fn submit(new: &mut NewIntent, may_have_options: bool) -> Result<(), EnqueueError> {
    if !may_have_options && !Judging::is_under_way() {
        // Without a handle of the frame. Nothing in here runs foreign code, which must not happen under the borrow of
        // the stack.
        stack::with_current(|frame| {
            if let Some(scope) = frame.and_then(|frame| frame.as_simple_scope()) {
                let _ = scope.record(new, None, may_have_options);
            }
        });
    }
    match new.take() {
        None => Ok(()),
        Some(intent) => submit_with_care(intent),
    }
}

#[cold]
fn submit_with_care(intent: Intent) -> Result<(), EnqueueError> {
    let intent = check(intent)?;
    match stack::current() {
        Some(frame) => judge_and_record(&frame, intent),
        None if stack::is_gone() => Err(EnqueueError::thread_ending(intent)),
        None => Err(EnqueueError::no_scope(intent)),
    }
}

/// Adds an intent made earlier to the scope of `frame`, under the policies from `frame` outwards.
pub(super) fn push(frame: &Arc<Frame>, intent: Intent) -> Result<IntentId, EnqueueError> {
    let id = intent.id();
    if !intent.claim() {
        return Err(EnqueueError::repeated(intent));
    }
    check(intent).and_then(|intent| judge_and_record(frame, intent)).map(|()| id)
}

fn check(intent: Intent) -> Result<Intent, EnqueueError> {
    if Judging::is_under_way() {
        return Err(EnqueueError::in_policy(intent));
    }
    match intent.call_options().map(Options::check) {
        Some(Err(error)) => Err(EnqueueError::options(intent, &error)),
        _ => Ok(intent),
    }
}

fn judge_and_record(frame: &Arc<Frame>, mut intent: Intent) -> Result<(), EnqueueError> {
    let Some(scope) = nearest_scope(Some(frame)) else {
        return Err(EnqueueError::no_scope(intent));
    };
    if !frame.skips_enqueue() {
        // A policy may look at the intent's local policies.
        intent.context = Some(Arc::clone(frame));
        let _judging = Judging::enter();
        for frame in frames(Some(frame)) {
            if let Err(violation) = frame.policy().on_enqueue(&intent) {
                return Err(EnqueueError::rejected(intent, frame.policy().name(), &violation));
            }
        }
        intent.context = None;
    }
    let may_have_options = !intent.is_plain() || intent.call_options().is_some();
    let mut new = NewIntent::from(intent);
    match (record(frame, &mut new, may_have_options), new.take()) {
        (Err(phase), Some(intent)) => Err(EnqueueError::closed(intent, phase, scope)),
        _ => Ok(()),
    }
}

/// Moves the intent into the scope that `frame` is in, or leaves it where it is if that has ended.
fn record(frame: &Arc<Frame>, new: &mut NewIntent, may_have_options: bool) -> Result<(), Phase> {
    let around = frame.has_local().then(|| Arc::clone(frame));
    match nearest_scope(Some(frame)).and_then(|scope| scope.as_scope()) {
        Some(scope) => scope.record(new, around, may_have_options),
        None => Err(Phase::Discarded),
    }
}
