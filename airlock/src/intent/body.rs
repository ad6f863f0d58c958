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
    pub(super) args: A,
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
    /// Calls the task. The arguments move out of the last handle, and are cloned otherwise.
    fn start(self: Arc<Self>, state: &State) -> Started;
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
        self.args.get(index)
    }

    fn start(self: Arc<Self>, state: &State) -> Started {
        let entry = self.entry;
        let args = match Arc::try_unwrap(self) {
            Ok(body) => body.args,
            Err(shared) => shared.args.duplicate(),
        };
        let started = match entry.run {
            Run::Sync(task) => return Started::Done(task(args)),
            Run::Async(task) => return Started::Pending(task(args)),
            Run::SyncWith(task) => task(args, state).map(Started::Done),
            Run::AsyncWith(task) => task(args, state).map(Started::Pending),
            Run::Elsewhere => return Started::Unable(no_body()),
        };
        started.unwrap_or_else(|| Started::lacking(entry.definition.state, state))
    }
}

impl Started {
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
    Arc::new(Body { head: Head { options, marks: Marks::new(taken) }, entry, args })
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
