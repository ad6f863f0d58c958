//! One wish to run a task.

mod id;
mod message;

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::value::RawValue;

use crate::args::{self, Args};
use crate::encode::EncodeError;
use crate::error::{DispatchError, Failure};
use crate::executors::BoxFuture;
use crate::options::Options;
use crate::panics::{catch_panic, catching_panics};
use crate::policy::Policy;
use crate::scope::context::{self, Swapped};
use crate::scope::futures::InContext;
use crate::scope::judging::Judging;
use crate::scope::{Frame, frames};
use crate::task::{Run, Task, TaskDefinition, TaskEntry, TaskKind, TaskResult};

pub use id::{IntentId, ParseIntentIdError};
pub(crate) use message::Message;

/// One wish to run a task: which task, with which arguments and options, enqueued where, under which policies.
///
/// Cheap to clone: handles share one allocation. Arguments stay typed and are encoded only when an executor asks.
///
/// ```
/// #[airlock::task]
/// fn send_email(order_id: u64, #[redact] token: String) {
///     let _ = (order_id, token);
/// }
///
/// let intent = send_email::intent(42, "secret".to_owned());
/// assert_eq!(intent.args::<send_email>(), Some(&(42, "secret".to_owned())));
/// assert_eq!(intent.to_string(), "send_email(order_id=42, token=***)");
/// ```
#[derive(Clone)]
pub struct Intent {
    identity: Identity,
    body: Arc<dyn AnyIntent>,
    /// The innermost policy or scope around the intent. `None` while it lies in the scope it was enqueued in with no
    /// local policy around: the scope knows itself, and most intents are spared two atomic operations.
    pub(crate) around: Option<Arc<Frame>>,
    /// Its place among the intents of the outermost scope and all scopes in it: the order of the enqueue calls.
    pub(crate) order: u64,
}

/// Who an intent is, also when its arguments have moved into the task. In every handle rather than in what they share:
/// a flush finds it without a look at each allocation, and small allocations are faster to free by the thousand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) id: IntentId,
    pub(crate) task: &'static TaskDefinition,
    pub(crate) location: &'static Location<'static>,
}

impl Identity {
    pub(crate) fn failure(self, error: DispatchError, intent: Option<Intent>) -> Failure {
        Failure { id: self.id, name: self.task.name, location: self.location, error, intent }
    }
}

struct Body<A: 'static> {
    entry: &'static TaskEntry<A>,
    /// The call's options over the task's; `None` if the call gave none.
    options: Option<Box<Options>>,
    /// Whether a scope has taken it; the same intent in two places would run twice.
    taken: AtomicBool,
    args: A,
}

/// What the handles of an intent share; the types of the arguments are known only inside.
pub(crate) trait AnyIntent: Any + Send + Sync {
    fn options(&self) -> Option<&Options>;
    fn taken(&self) -> &AtomicBool;
    fn to_json(&self) -> Result<Box<RawValue>, EncodeError>;
    fn round_trip(&self) -> Result<Arc<dyn AnyIntent>, String>;
    fn write_call(&self, out: &mut dyn fmt::Write) -> fmt::Result;
    fn call(self: Arc<Self>) -> TaskResult;
    fn start(self: Arc<Self>) -> Started;
}

/// A task that has been called.
pub(crate) enum Started {
    /// A plain function has returned.
    Done(TaskResult),
    /// An `async fn` has given its future.
    Pending(BoxFuture<'static, TaskResult>),
    /// There is no function here.
    Elsewhere,
}

impl<A: Args> AnyIntent for Body<A> {
    fn options(&self) -> Option<&Options> {
        self.options.as_deref()
    }

    fn taken(&self) -> &AtomicBool {
        &self.taken
    }

    fn to_json(&self) -> Result<Box<RawValue>, EncodeError> {
        args::to_json(&self.args, self.entry.definition.parameters)
    }

    fn round_trip(&self) -> Result<Arc<dyn AnyIntent>, String> {
        let encoded = self.to_json().map_err(|error| error.to_string())?;
        let arguments: args::Arguments = serde_json::from_str(encoded.get()).map_err(|error| error.to_string())?;
        let decoded = arguments.bind(self.entry.definition.parameters).and_then(|mut bound| A::decode(&mut bound));
        let args = decoded.map_err(|error| error.to_string())?;
        Ok(share(self.entry, args, self.options.clone(), true))
    }

    fn write_call(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        args::write_call(&self.args, self.entry.definition.parameters, out)
    }

    fn call(self: Arc<Self>) -> TaskResult {
        match self.entry.run {
            Run::Sync(task) => task(self.into_args()),
            Run::Async(_) | Run::Elsewhere => unreachable!("only plain functions are called"),
        }
    }

    fn start(self: Arc<Self>) -> Started {
        match self.entry.run {
            Run::Sync(task) => Started::Done(task(self.into_args())),
            Run::Async(task) => Started::Pending(task(self.into_args())),
            Run::Elsewhere => Started::Elsewhere,
        }
    }
}

impl<A: Args> Body<A> {
    /// Moved out of the last handle, cloned otherwise.
    #[inline]
    fn into_args(self: Arc<Self>) -> A {
        match Arc::try_unwrap(self) {
            Ok(body) => body.args,
            Err(shared) => shared.args.duplicate(),
        }
    }
}

/// What the handles of a new intent share.
pub(crate) fn share<A: Args>(
    entry: &'static TaskEntry<A>,
    args: A,
    options: Option<Box<Options>>,
    taken: bool,
) -> Arc<dyn AnyIntent> {
    Arc::new(Body { entry, options, taken: AtomicBool::new(taken), args })
}

/// An intent on its way into a scope.
pub(crate) struct Fresh {
    identity: Identity,
    /// `None` once it is there.
    body: Option<Arc<dyn AnyIntent>>,
}

impl Fresh {
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

impl Intent {
    #[inline]
    pub(crate) fn new(identity: Identity, body: Arc<dyn AnyIntent>) -> Self {
        Self { identity, body, around: None, order: 0 }
    }

    /// Its id, which is the message id on every wire.
    #[must_use]
    pub fn id(&self) -> IntentId {
        self.identity.id
    }

    /// The task's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.task().name
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &'static TaskDefinition {
        self.identity.task
    }

    /// The typed arguments, if this is an intent of task `T`.
    #[must_use]
    pub fn args<T: Task>(&self) -> Option<&T::Args> {
        let body: &dyn Any = &*self.body;
        let body = body.downcast_ref::<Body<T::Args>>()?;
        // Tasks with the same parameter types share the type of the body.
        std::ptr::eq(body.entry, T::__entry()).then_some(&body.args)
    }

    /// The arguments as a JSON object, by parameter name.
    ///
    /// # Errors
    /// An argument has no faithful JSON form: see [`EncodeFault`](crate::EncodeFault). The error names the parameter.
    pub fn to_json(&self) -> Result<Box<RawValue>, EncodeError> {
        self.body.to_json()
    }

    /// The options in force: those of the call, else those of the task.
    #[must_use]
    pub fn options(&self) -> &Options {
        self.body.options().unwrap_or(&self.task().options)
    }

    /// The options the call gave, if it gave any.
    pub(crate) fn call_options(&self) -> Option<&Options> {
        self.body.options()
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Where it was enqueued.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.identity.location
    }

    /// Who caused it: see [`Options::origin`].
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.options().get_origin()
    }

    /// Its short name for people: see [`Options::label`].
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.options().get_label()
    }

    /// The local policies around the call that enqueued it, innermost first, which is the order they are asked in.
    #[must_use]
    pub fn local_policies(&self) -> Vec<Arc<dyn Policy>> {
        frames(self.around.as_ref()).filter_map(|frame| frame.local_policy().cloned()).collect()
    }

    /// Asks the local policies, innermost first, until one refuses. A policy that counts, counts this.
    ///
    /// That they all agree doesn't mean that the intent will be dispatched: the scopes' policies, the end of the scope
    /// and the executor have their say too.
    #[must_use]
    pub fn passes_local_policies(&self) -> bool {
        let _judging = Judging::enter();
        self.local_policies().iter().all(|policy| policy.allows(self))
    }

    /// Runs the task here and now, in an empty context, as the inline executor does in a sync flush.
    ///
    /// The arguments move into the task if this is the last handle; otherwise they are cloned.
    ///
    /// # Errors
    /// `TaskFailed` if the task fails or panics, `Rejected` if it is an `async fn` or has no body here.
    pub fn call(self) -> Result<(), DispatchError> {
        match self.task().kind {
            TaskKind::Sync => {
                let _empty = Swapped::empty();
                self.call_here()
            }
            TaskKind::Async => Err(DispatchError::rejected(format!(
                "`{}` is an async task; use `call_async`, or `run_async` for the scope",
                self.name()
            ))),
            TaskKind::Elsewhere => {
                Err(DispatchError::rejected("the task has no body in this program; give the scope an executor"))
            }
        }
    }

    /// [`call`](Self::call) for a plain function, where the context mostly is empty as it is.
    #[inline]
    pub(crate) fn call_in_flush(self) -> Result<(), DispatchError> {
        if context::is_empty() {
            return self.call_here();
        }
        let _empty = Swapped::empty();
        self.call_here()
    }

    #[inline]
    pub(crate) fn call_here(self) -> Result<(), DispatchError> {
        let body = self.body;
        match catch_panic(move || body.call()) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(DispatchError::task_failed(error)),
            Err(message) => Err(DispatchError::panicked(message)),
        }
    }

    /// Runs the task here, awaiting it if it is an `async fn`, in an empty context.
    ///
    /// # Errors
    /// `TaskFailed` if the task fails or panics, `Rejected` if it has no body here.
    pub async fn call_async(self) -> Result<(), DispatchError> {
        let started = {
            let _empty = Swapped::empty();
            self.start()?
        };
        let result = match started {
            Started::Done(result) => result,
            Started::Pending(future) => {
                catching_panics(InContext::empty(future)).await.map_err(DispatchError::panicked)?
            }
            Started::Elsewhere => {
                return Err(DispatchError::rejected(
                    "the task has no body in this program; give the scope an executor",
                ));
            }
        };
        result.map_err(DispatchError::task_failed)
    }

    #[inline]
    pub(crate) fn start(self) -> Result<Started, DispatchError> {
        let body = self.body;
        catch_panic(move || body.start()).map_err(DispatchError::panicked)
    }

    /// A second intent with the same id whose arguments went through their encoding and back.
    pub(crate) fn round_trip(&self) -> Result<Self, String> {
        Ok(Self::new(self.identity, self.body.round_trip()?))
    }

    /// Marks it as taken by a scope; false if it was before.
    pub(crate) fn take(&self) -> bool {
        !self.body.taken().swap(true, Ordering::Relaxed)
    }

    pub(crate) fn give_back(&self) {
        self.body.taken().store(false, Ordering::Relaxed);
    }

    /// Whether it is a plain function for any executor: nothing that runs it inline has to ask first.
    pub(crate) fn is_plain(&self) -> bool {
        self.task().is_plain()
    }
}

impl fmt::Display for Intent {
    /// The call, `send_email(order_id=42, token=***)`: with values, except those marked `#[redact]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name())?;
        self.body.write_call(f)?;
        f.write_str(")")
    }
}

impl fmt::Debug for Intent {
    /// Name, id and location; no argument.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intent")
            .field("name", &self.name())
            .field("id", &format_args!("{}", self.id()))
            .field("location", &format_args!("{}", self.location()))
            .finish_non_exhaustive()
    }
}
