//! From a call to an intent in the current scope.

use std::panic::Location;
use std::sync::Arc;

use super::buffer::Phase;
use super::context;
use super::frame::{Frame, frames, nearest_scope};
use super::judging::Judging;
use crate::error::EnqueueError;
use crate::intent::{Fresh, Intent, IntentId};
use crate::options::Options;
use crate::task::TaskEntry;

/// What the companion's `enqueue` calls.
#[doc(hidden)]
#[track_caller]
pub fn enqueue<A>(entry: &'static TaskEntry<A>, options: Option<Options>, args: A) -> Result<IntentId, EnqueueError> {
    let (id, special) = (IntentId::fresh(), options.is_some() || !entry.definition.is_plain());
    submit(id, special, entry.fresh(id, args, options, Location::caller(), true))
}

/// What the companion's `intent` calls.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub fn make_intent<A>(entry: &'static TaskEntry<A>, options: Option<Options>, args: A) -> Intent {
    entry.fresh(IntentId::fresh(), args, options, Location::caller(), false).into()
}

/// The common case: a plain task without options, nobody around looks at calls, and the scope is open.
fn submit(id: IntentId, special: bool, fresh: Fresh) -> Result<IntentId, EnqueueError> {
    let mut waiting = Some(fresh);
    if !special && !Judging::is_under_way() {
        // Without a handle of the frame. Nothing in here runs foreign code, which must not happen under the borrow of
        // the stack.
        context::with_current(|frame| {
            if let Some(frame) = frame.filter(|frame| frame.is_quiet()) {
                let _ = accept(frame, &mut waiting, special);
            }
        });
    }
    match waiting {
        None => Ok(id),
        Some(fresh) => submit_with_care(fresh.into()),
    }
}

#[cold]
fn submit_with_care(intent: Intent) -> Result<IntentId, EnqueueError> {
    let id = intent.id();
    let intent = check(intent)?;
    match context::current() {
        Some(frame) => ask_and_accept(&frame, intent),
        None => Err(EnqueueError::no_scope(intent)),
    }
    .map(|()| id)
}

/// Adds an intent made earlier to the scope of `frame`, under the policies from `frame` outwards.
pub(super) fn push(frame: &Arc<Frame>, mut intent: Intent) -> Result<IntentId, EnqueueError> {
    let id = intent.id();
    if !intent.take() {
        return Err(EnqueueError::repeated(intent));
    }
    // A failed flush may have given it back: what was around it then is not around it now.
    intent.around = None;
    check(intent).and_then(|intent| ask_and_accept(frame, intent)).map(|()| id)
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

fn ask_and_accept(frame: &Arc<Frame>, mut intent: Intent) -> Result<(), EnqueueError> {
    let Some(scope) = nearest_scope(Some(frame)) else {
        return Err(EnqueueError::no_scope(intent));
    };
    if !frame.is_quiet() {
        // A policy may look at the intent's local policies.
        intent.around = Some(Arc::clone(frame));
        let _judging = Judging::enter();
        for frame in frames(Some(frame)) {
            if let Err(violation) = frame.policy().on_enqueue(&intent) {
                return Err(EnqueueError::rejected(intent, frame.policy().name(), &violation));
            }
        }
        intent.around = None;
    }
    let special = !intent.is_plain();
    let mut waiting = Some(Fresh::from(intent));
    match (accept(frame, &mut waiting, special), waiting) {
        (Err(phase), Some(fresh)) => Err(EnqueueError::closed(fresh.into(), phase, scope)),
        _ => Ok(()),
    }
}

/// Moves the intent into the scope that `frame` is in, or leaves it where it is if that has ended.
#[inline]
fn accept(frame: &Arc<Frame>, intent: &mut Option<Fresh>, special: bool) -> Result<(), Phase> {
    let around = frame.has_local().then(|| Arc::clone(frame));
    match nearest_scope(Some(frame)).and_then(|scope| scope.as_scope()) {
        Some(core) => core.accept(intent, around, special),
        None => Err(Phase::Discarded),
    }
}
