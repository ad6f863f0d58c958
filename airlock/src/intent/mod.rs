//! One wish to run a task.

mod failure;
mod id;
mod json;
mod new;
mod run;

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

use crate::context::judging::Judging;
use crate::context::{Frame, frames};
use crate::dispatch::DispatchError;
use crate::encode::{self, EncodeError, Shape};
use crate::options::{Options, When};
use crate::policy::Policy;
use crate::task::args::Arguments;
use crate::task::{Call, SharedBody, Task, TaskDefinition, args, with_options};

pub use failure::Failure;
pub use id::{IntentId, ParseIntentIdError};
pub(crate) use json::{Message, OptionsForm, field, fields, parse_options};
pub(crate) use new::NewIntent;

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
    body: SharedBody,
    /// The innermost policy or scope around the intent. `None` while it lies in the scope it was enqueued in with no
    /// local policy around: the scope knows itself, and most intents are spared two atomic operations.
    pub(crate) context: Option<Arc<Frame>>,
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

impl Intent {
    #[inline]
    pub(crate) fn new(identity: Identity, body: SharedBody) -> Self {
        Self { identity, body, context: None, order: 0 }
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
        // Tasks with the same parameter types share the type of the call.
        if !std::ptr::eq(self.task(), T::definition()) {
            return None;
        }
        let call: &dyn Any = &self.body.call;
        match call.downcast_ref() {
            Some(Call::Waiting { args, .. }) => Some(args),
            _ => None,
        }
    }

    /// The arguments as a JSON object, by parameter name; as an array if the task is `positional`.
    ///
    /// # Errors
    /// An argument has no faithful JSON form: see [`EncodeFault`](crate::EncodeFault). The error names the parameter.
    pub fn to_json(&self) -> Result<Box<RawValue>, EncodeError> {
        self.json().and_then(encode::raw)
    }

    /// The same as plain text.
    pub(crate) fn json(&self) -> Result<String, EncodeError> {
        self.json_as(if self.task().positional { Shape::Array } else { Shape::Object })
    }

    pub(crate) fn json_as(&self, shape: Shape) -> Result<String, EncodeError> {
        args::to_json(self.task(), shape, |index| self.body.call.argument(index))
    }

    /// For each argument, in which way its type writes it.
    pub(crate) fn calls_of_arguments(&self) -> Result<Vec<u64>, EncodeError> {
        args::calls(self.task(), |index| self.body.call.argument(index))
    }

    /// The options in force: those of the call, else those of the task.
    #[must_use]
    pub fn options(&self) -> &Options {
        self.call_options().unwrap_or(self.task().options)
    }

    /// The options the call gave, if it gave any.
    pub(crate) fn call_options(&self) -> Option<&Options> {
        self.body.options.as_deref()
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// When it was first handed to an executor, which is what its durations count from, also when it is handed over
    /// again. Only kept for intents that have durations.
    #[must_use]
    pub fn handed_over(&self) -> Option<SystemTime> {
        self.body.marks.handed_over()
    }

    /// When it may start, by its [`delay`](Options::delay) or [`eta`](Options::eta). A delay counts from the first
    /// hand-over, or from `now` if there was none.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
    /// #[airlock::task(delay = "5m")]
    /// fn remind(order_id: u64) {
    ///     let _ = order_id;
    /// }
    ///
    /// let now = SystemTime::now();
    /// assert_eq!(remind::intent(42).starts_at(now), Some(now + Duration::from_secs(300)));
    /// assert_eq!(send_email::intent(42).starts_at(now), None);
    /// ```
    #[must_use]
    pub fn starts_at(&self, now: SystemTime) -> Option<SystemTime> {
        self.options().get_start().map(|start| self.time_of(start, now))
    }

    /// When it is no longer worth running, by its [`expires_in`](Options::expires_in) or
    /// [`expires_at`](Options::expires_at). A duration counts from the first hand-over, or from `now` if there was none.
    #[must_use]
    pub fn expires_at(&self, now: SystemTime) -> Option<SystemTime> {
        self.options().get_expiry().map(|expiry| self.time_of(expiry, now))
    }

    fn time_of(&self, when: When, now: SystemTime) -> SystemTime {
        // The end of the year 9999: what is too far off to be written is never.
        let never = || SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        match when {
            When::In(duration) => self.handed_over().unwrap_or(now).checked_add(duration).unwrap_or_else(never),
            When::At(time) => time,
        }
    }

    /// Notes the first hand-over, if there are durations to count from it.
    pub(crate) fn hand_over(&self, now: SystemTime) {
        if self.options().has_durations() {
            self.body.marks.hand_over(now);
        }
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
        frames(self.context.as_ref()).filter_map(|frame| frame.local_policy().cloned()).collect()
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

    /// A second intent with the same id whose arguments went through their encoding and back.
    pub(crate) fn round_trip(&self) -> Result<Self, String> {
        let encoded = self.to_json().map_err(|error| error.to_string())?;
        let arguments: Arguments = serde_json::from_str(encoded.get()).map_err(|error| error.to_string())?;
        let mut bound = arguments.bind(self.task()).map_err(|error| error.to_string())?;
        let options = self.call_options().cloned().map(Box::new);
        match self.task().typed.decode(&mut bound) {
            Some(body) => {
                let arrived = Self { body: with_options(body, options), ..self.clone() };
                arrived.claim();
                // Messages carry the times that the durations came to.
                if let Some(at) = self.handed_over() {
                    arrived.hand_over(at);
                }
                Ok(arrived)
            }
            None => Err(bound.into_error().to_string()),
        }
    }

    /// Marks it as taken by a scope; false if it was before.
    pub(crate) fn claim(&self) -> bool {
        self.body.marks.claim()
    }

    pub(crate) fn release(&self) {
        self.body.marks.release();
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
        args::write_call(&self.body.call, self.task(), f)?;
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
