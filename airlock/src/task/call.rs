//! What the handles of an intent share: the typed arguments, behind a trait that has no types.

use std::any::Any;
use std::sync::Arc;

use super::{CallError, Marks, Started, TaskFn};
use crate::encode::Encode;
use crate::options::Options;
use crate::state::State;

/// What the handles of an intent share; the types of the arguments are known only inside.
pub(crate) type SharedBody = Arc<Body<dyn AnyCall>>;

/// What is the same whatever the types of the arguments are, then the call.
pub(crate) struct Body<C: ?Sized> {
    /// The call's options over the task's; `None` if the call gave none.
    pub(crate) options: Option<Box<Options>>,
    /// Whether a scope has taken it, and when it was handed over.
    pub(crate) marks: Marks,
    pub(crate) call: C,
}

/// The function and its arguments.
pub(crate) enum Call<A> {
    Waiting {
        run: TaskFn<A>,
        args: A,
    },
    /// They have moved into the task. No other handle sees that: only the last one moves them.
    Moved,
}

/// A call without its types. Implemented where tuples are, in as few functions as can be: each is compiled again for
/// each type of arguments.
pub(crate) trait AnyCall: Any + Send + Sync {
    /// The argument of the parameter at `index`.
    fn argument(&self, index: usize) -> &dyn Encode;
    /// The same again, for a handle that is not the only one.
    fn copy(&self) -> SharedBody;
    /// Calls the task; the arguments move into it.
    fn start(&mut self, state: &State) -> Result<Started, CallError>;
}

/// Calls the task. The arguments move out of the last handle, and are cloned otherwise. Moved where they lie: an `Arc`
/// that is taken apart is code of its own for each type of arguments.
#[inline]
pub(crate) fn start(mut body: SharedBody, state: &State) -> Result<Started, CallError> {
    match Arc::get_mut(&mut body) {
        Some(body) => body.call.start(state),
        None => start_copy(&body, state),
    }
}

#[cold]
fn start_copy(body: &SharedBody, state: &State) -> Result<Started, CallError> {
    let mut copy = body.call.copy();
    Arc::get_mut(&mut copy).map_or_else(|| moved(), |body| body.call.start(state))
}

#[cold]
pub(crate) fn moved() -> ! {
    unreachable!("arguments move into a task only once")
}

/// What the handles of a new intent share.
pub(crate) fn share<A>(run: TaskFn<A>, args: A, marks: Marks) -> SharedBody
where
    Call<A>: AnyCall,
{
    Arc::new(Body { options: None, marks, call: Call::Waiting { run, args } })
}

/// Gives options to a new intent. Only here, and not as it is made: that is compiled for each type of arguments.
pub(crate) fn with_options(mut body: SharedBody, options: Option<Box<Options>>) -> SharedBody {
    if let Some(body) = Arc::get_mut(&mut body) {
        body.options = options;
    }
    body
}
