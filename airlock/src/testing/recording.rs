//! An executor that keeps what it is handed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::json::{Arrays, same};
use crate::dispatch::{DispatchError, Rejection};
use crate::encode::Shape;
use crate::executors::{Batch, Capabilities, Executor, FlushContext};
use crate::intent::Intent;
use crate::runtime::BoxFuture;
use crate::scope::Scope;

/// Something that has intents to assert on.
pub trait Recorded {
    /// The intents, in the order of the enqueue calls.
    fn recorded(&self) -> Vec<Intent>;

    /// What was enqueued and refused by a policy, with its name.
    #[doc(hidden)]
    fn refused(&self) -> Vec<(Intent, String)> {
        Vec::new()
    }
}

impl<T: Recorded + ?Sized> Recorded for &T {
    fn recorded(&self) -> Vec<Intent> {
        (**self).recorded()
    }

    fn refused(&self) -> Vec<(Intent, String)> {
        (**self).refused()
    }
}

impl Recorded for [Intent] {
    fn recorded(&self) -> Vec<Intent> {
        self.to_vec()
    }
}

impl Recorded for Vec<Intent> {
    fn recorded(&self) -> Vec<Intent> {
        self.clone()
    }
}

impl Recorded for Scope {
    /// What the scope holds now.
    fn recorded(&self) -> Vec<Intent> {
        self.intents()
    }
}

/// An executor that dispatches nothing and keeps what it is handed, after it went through its encoding and back. Clones
/// share the record.
///
/// For what a [`capture`](super::capture) can't reach into: a whole program, whose scopes have it from its settings.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::testing::{RecordingExecutor, with_settings};
/// use airlock::{Settings, assert_enqueued};
///
/// let sent = RecordingExecutor::new();
/// with_settings(Settings::new().executor(sent.clone()), || {
///     airlock::scope().run(|| { send_email::enqueue(42).unwrap(); })
/// })?;
/// assert_enqueued!(sent, send_email { order_id: 42 });
/// # Ok::<(), airlock::FlushError>(())
/// ```
#[derive(Clone, Default)]
pub struct RecordingExecutor {
    intents: Arc<Mutex<Vec<Intent>>>,
}

impl RecordingExecutor {
    /// An empty record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the record, and leaves an empty one.
    #[must_use]
    pub fn take(&self) -> Vec<Intent> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Intent>> {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RecordingExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordingExecutor").field(&*self.lock()).finish()
    }
}

impl Recorded for RecordingExecutor {
    fn recorded(&self) -> Vec<Intent> {
        self.lock().clone()
    }
}

// Named in messages about other types only where it is compiled in, which would make two of each.
#[diagnostic::do_not_recommend]
impl Executor for RecordingExecutor {
    fn name(&self) -> &str {
        "recording"
    }

    fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        survive(intent).map(drop).map_err(Rejection::new)
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                let (intent, ticket) = begun.into_parts();
                let kept = survive(&intent).map(|intent| self.lock().push(intent));
                ticket.settle(kept.map_err(DispatchError::rejected));
            }
        })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_local: true,
            no_deadline: true,
            records_only: true,
            records_some: true,
            ..Capabilities::default()
        }
    }
}

/// The intent as it comes out of a queue, or what is wrong with that.
pub(super) fn survive(intent: &Intent) -> Result<Intent, String> {
    let sent = intent.json_as(Shape::Object).map_err(|error| error.to_string())?;
    let calls = intent.calls_of_arguments().map_err(|error| error.to_string())?;
    unchanged(intent.round_trip()?, &sent, &calls)
}

/// The intent, if it would be sent as it was, in the same way.
pub(super) fn unchanged(arrived: Intent, sent: &str, calls: &[u64]) -> Result<Intent, String> {
    let read = arrived.json_as(Shape::Object).map_err(|error| error.to_string())?;
    if !same(sent, &read, Arrays::Unordered) {
        return Err(
            "its arguments change on the way through their encoding and back; look at the types' serde attributes"
                .to_owned(),
        );
    }
    let arrived_calls = arrived.calls_of_arguments().map_err(|error| error.to_string())?;
    let changed = calls.iter().zip(&arrived_calls).position(|(before, after)| before != after);
    let Some(parameter) = changed.and_then(|index| arrived.task().parameters.get(index)) else { return Ok(arrived) };
    Err(format!(
        "argument `{}` is read back as another value of the same text, as `Some(None)` is read as `None`; give its type \
         (`{}`) a text for each value",
        parameter.name, parameter.type_name
    ))
}
