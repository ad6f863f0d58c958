//! What the handles of an intent share: the typed arguments, behind a trait that has no types.

use std::any::Any;
use std::sync::Arc;

use super::marks::Marks;
use super::{Identity, Intent};
use crate::args::Args;
use crate::encode::Encode;
use crate::error::DispatchError;
use crate::executors::BoxFuture;
use crate::options::Options;
use crate::state::{self, State, StateParameter};
use crate::task::{Run, TaskEntry, TaskResult};

pub(super) struct Body<A: 'static> {
    head: Head,
    pub(super) entry: &'static TaskEntry<A>,
    /// `None` once they have moved into the task, which nobody sees: only the last handle moves them.
    pub(super) args: Option<A>,
}

/// What is the same whatever the types of the arguments are.
pub(crate) struct Head {
    /// The call's options over the task's; `None` if the call gave none.
    pub(super) options: Option<Box<Options>>,
    /// Whether a scope has taken it, and when it was handed over.
    pub(super) marks: Marks,
}

/// The shared part of an intent; the types of the arguments are known only inside.
pub(crate) trait AnyIntent: Any + Send + Sync {
    fn head(&self) -> &Head;
    /// The argument of the parameter at `index`.
    fn argument(&self, index: usize) -> &dyn Encode;
    /// The same again, for a handle that is not the only one.
    fn copy(&self) -> Arc<dyn AnyIntent>;
    /// Calls the task; the arguments move into it.
    fn start(&mut self, state: &State) -> Started;
}

/// Calls the task. The arguments move out of the last handle, and are cloned otherwise. Moved where they lie: an `Arc`
/// that is taken apart is code of its own for each type of arguments.
#[inline]
pub(super) fn start(mut body: Arc<dyn AnyIntent>, state: &State) -> Started {
    match Arc::get_mut(&mut body) {
        Some(body) => body.start(state),
        None => start_copy(&body, state),
    }
}

#[cold]
fn start_copy(body: &Arc<dyn AnyIntent>, state: &State) -> Started {
    let mut copy = body.copy();
    Arc::get_mut(&mut copy).map_or_else(|| moved(), |body| body.start(state))
}

#[cold]
fn moved() -> ! {
    unreachable!("arguments move into a task only once")
}

/// A task that has been called.
pub(crate) enum Started {
    /// A plain function has returned.
    Done(TaskResult),
    /// An `async fn` has given its future.
    Pending(BoxFuture<'static, TaskResult>),
    /// There is no function here, or it lacks the state it needs.
    Unable(DispatchError),
}

impl<A: Args> AnyIntent for Body<A> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn argument(&self, index: usize) -> &dyn Encode {
        match &self.args {
            Some(args) => args.get(index),
            None => moved(),
        }
    }

    fn copy(&self) -> Arc<dyn AnyIntent> {
        match &self.args {
            Some(args) => share(self.entry, args.duplicate(), None, true),
            None => moved(),
        }
    }

    fn start(&mut self, state: &State) -> Started {
        let Some(args) = self.args.take() else { moved() };
        let started = match self.entry.run {
            Run::Sync(task) => return Started::Done(task(args)),
            Run::Async(task) => return Started::Pending(task(args)),
            Run::SyncWith(task) => Started::done(task(args, state)),
            Run::AsyncWith(task) => Started::pending(task(args, state)),
            Run::Elsewhere => return Started::Unable(no_body()),
        };
        match started {
            Some(started) => started,
            None => Started::lacking(self.entry.definition.state, state),
        }
    }
}

impl Started {
    // Not `Option::map`, which would be compiled once for each type of arguments that leads here.
    fn done(result: Option<TaskResult>) -> Option<Self> {
        result.map(Self::Done)
    }

    fn pending(future: Option<BoxFuture<'static, TaskResult>>) -> Option<Self> {
        future.map(Self::Pending)
    }

    #[cold]
    fn lacking(needs: &[StateParameter], state: &State) -> Self {
        let missing = state::missing(needs, state).unwrap_or_else(|| "its state has no value".to_owned());
        Self::Unable(DispatchError::rejected(missing))
    }
}

/// What the handles of a new intent share.
pub(crate) fn share<A: Args>(
    entry: &'static TaskEntry<A>,
    args: A,
    options: Option<Box<Options>>,
    taken: bool,
) -> Arc<dyn AnyIntent> {
    Arc::new(Body { head: Head { options, marks: Marks::new(taken) }, entry, args: Some(args) })
}

#[cold]
fn no_body() -> DispatchError {
    DispatchError::rejected("the task has no body in this program; give the scope an executor")
}

/// An intent on its way into a scope.
pub(crate) struct Fresh {
    identity: Identity,
    /// `None` once it is there.
    body: Option<Arc<dyn AnyIntent>>,
}

impl Fresh {
    #[inline]
    pub(crate) fn new(identity: Identity, body: Arc<dyn AnyIntent>) -> Self {
        Self { identity, body: Some(body) }
    }

    #[inline]
    pub(crate) fn take(&mut self) -> Option<Intent> {
        self.body.take().map(|body| Intent::new(self.identity, body))
    }
}

impl From<Intent> for Fresh {
    #[inline]
    fn from(intent: Intent) -> Self {
        Self { identity: intent.identity, body: Some(intent.body) }
    }
}
