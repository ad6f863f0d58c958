//! From a call to an intent in the current scope.

use std::panic::Location;
use std::sync::Arc;

use super::buffer::Phase;
use super::context;
use super::frame::{Frame, frames, nearest_scope};
use super::judging::Judging;
use crate::error::EnqueueError;
use crate::intent::{Intent, IntentId};
use crate::options::Options;
use crate::task::TaskEntry;

/// What the companion's `enqueue` calls.
#[doc(hidden)]
#[track_caller]
pub fn enqueue<A>(entry: &'static TaskEntry<A>, options: Option<Options>, args: A) -> Result<IntentId, EnqueueError> {
    submit(entry.intent(args, options, Location::caller(), true))
}

/// What the companion's `intent` calls.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub fn make_intent<A>(entry: &'static TaskEntry<A>, options: Option<Options>, args: A) -> Intent {
    entry.intent(args, options, Location::caller(), false)
}

/// What became of an attempt to add to the current scope without asking anyone.
enum Attempt {
    Accepted,
    NoScope(Intent),
    Closed(Intent, Phase, Arc<Frame>),
    Ask(Intent, Arc<Frame>),
}

fn submit(intent: Intent) -> Result<IntentId, EnqueueError> {
    let id = intent.id();
    let intent = check(intent)?;
    let attempt = context::with_current(|frame| {
        // Only what can't run foreign code happens under the borrow of the stack.
        let Some((frame, scope)) = frame.and_then(|frame| Some((frame, nearest_scope(Some(frame))?))) else {
            return Attempt::NoScope(intent);
        };
        if !frame.is_quiet() {
            return Attempt::Ask(intent, Arc::clone(frame));
        }
        match accept(frame, scope, intent) {
            Ok(()) => Attempt::Accepted,
            Err((intent, phase)) => Attempt::Closed(intent, phase, Arc::clone(scope)),
        }
    });
    match attempt {
        Attempt::Accepted => Ok(()),
        Attempt::NoScope(intent) => Err(EnqueueError::no_scope(intent)),
        Attempt::Closed(intent, phase, scope) => Err(EnqueueError::closed(intent, phase, &scope)),
        Attempt::Ask(intent, frame) => ask_and_accept(&frame, intent),
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
    accept(frame, scope, intent).map_err(|(intent, phase)| EnqueueError::closed(intent, phase, scope))
}

fn accept(frame: &Arc<Frame>, scope: &Arc<Frame>, mut intent: Intent) -> Result<(), (Intent, Phase)> {
    if frame.has_local() {
        intent.around = Some(Arc::clone(frame));
    }
    match scope.as_scope() {
        Some(core) => core.accept(intent),
        None => Err((intent, Phase::Discarded)),
    }
}
