//! HOW intents are handed over.

mod batch;
#[cfg(feature = "celery")]
mod celery;
#[cfg(any(feature = "celery", feature = "django-q", feature = "django-tasks", feature = "huey"))]
mod civil;
mod closure;
#[cfg(any(feature = "django-q", feature = "huey"))]
mod compress;
#[cfg(feature = "django-q")]
mod django_q;
#[cfg(feature = "django-tasks")]
mod django_tasks;
#[cfg(any(feature = "django-q", feature = "django-tasks"))]
mod django_time;
#[cfg(feature = "dramatiq")]
mod dramatiq;
#[cfg(any(
    feature = "celery",
    feature = "django-q",
    feature = "django-tasks",
    feature = "dramatiq",
    feature = "huey",
    feature = "lambda"
))]
#[cfg_attr(not(feature = "celery"), allow(dead_code, reason = "not every system needs all of it"))]
mod extras;
mod fallback;
#[cfg(feature = "huey")]
mod huey;
mod inline;
mod join;
#[cfg(feature = "lambda")]
mod lambda;
mod ledger;
mod log;
#[cfg(any(feature = "celery", feature = "django-q", feature = "django-tasks", feature = "dramatiq", feature = "huey"))]
#[cfg_attr(not(feature = "celery"), allow(dead_code, reason = "not every system needs all of it"))]
mod names;
#[cfg(any(feature = "django-q", feature = "huey"))]
mod pickle;
#[cfg(any(feature = "threads", feature = "tokio"))]
mod pool;
#[cfg(any(feature = "celery", feature = "django-q", feature = "django-tasks", feature = "dramatiq", feature = "huey"))]
mod publish;
#[cfg(any(feature = "celery", feature = "django-q", feature = "django-tasks", feature = "dramatiq", feature = "huey"))]
mod python;
mod retry;
mod route;
#[cfg(all(
    any(feature = "celery", feature = "django-q", feature = "django-tasks", feature = "dramatiq", feature = "huey"),
    any(feature = "sqlite", feature = "postgres")
))]
mod rows;
#[cfg(feature = "threads")]
mod threads;
#[cfg(any(feature = "celery", feature = "django-q", feature = "django-tasks", feature = "dramatiq", feature = "huey"))]
mod tokens;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(any(
    feature = "celery",
    feature = "django-q",
    feature = "django-tasks",
    feature = "dramatiq",
    feature = "huey",
    feature = "lambda"
))]
#[cfg_attr(not(feature = "celery"), allow(dead_code, reason = "not every system needs all of it"))]
mod write;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::intent::Intent;
use crate::redact::redact_text;
use crate::state::State;

pub use batch::{Batch, Begun, Ticket};
#[cfg(feature = "celery")]
pub use celery::CeleryExecutor;
pub use closure::executor_fn;
#[cfg(feature = "django-q")]
pub use django_q::DjangoQExecutor;
#[cfg(feature = "django-tasks")]
pub use django_tasks::DjangoTasksExecutor;
#[cfg(feature = "dramatiq")]
pub use dramatiq::DramatiqExecutor;
pub use fallback::Fallback;
#[cfg(feature = "huey")]
pub use huey::HueyExecutor;
pub use inline::InlineExecutor;
pub(crate) use join::{join_all, shut_down};
#[cfg(feature = "lambda")]
pub use lambda::{LambdaEvent, LambdaExecutor};
pub(crate) use ledger::{Cause, Ending, ItemState, Ledger, Stop};
pub use log::LogExecutor;
pub use retry::Retry;
pub use route::Route;
#[cfg(feature = "threads")]
pub use threads::ThreadPoolExecutor;
#[cfg(feature = "tokio")]
pub use tokio::TokioExecutor;

/// A boxed future, as executors return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes the intents that may escape and hands them over: calls them, queues them, sends them.
///
/// An executor sees a flush twice: [`accepts`](Self::accepts) for each intent before anything is handed over, then one
/// [`Batch`]. It takes intents with [`Batch::begin`] and settles each; what it leaves unsettled counts as unconfirmed,
/// what it never begins as unattempted, so an executor that ends early, panics or is dropped loses nothing.
///
/// A closure `|intent: Intent| -> Result<(), E>` is an executor.
///
/// ```
/// use airlock::{Batch, BoxFuture, DispatchError, Executor};
///
/// struct Outbox(std::sync::mpsc::SyncSender<String>);
///
/// impl Executor for Outbox {
///     fn name(&self) -> &str {
///         "outbox"
///     }
///
///     fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
///         Box::pin(async move {
///             while let Some(begun) = batch.begin() {
///                 let sent = serde_json::to_string(begun.intent())
///                     .map_err(DispatchError::rejected)
///                     .and_then(|message| self.0.try_send(message).map_err(DispatchError::unavailable));
///                 begun.settle(sent);
///             }
///         })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an executor",
    note = "implement `airlock::Executor`, or use a closure `|intent: airlock::Intent| -> Result<(), E>`"
)]
pub trait Executor: Send + Sync + 'static {
    /// What reports call it.
    fn name(&self) -> &str;

    /// Whether the intent can be handed over at all. All intents of a flush are asked about before the first is handed
    /// over, and one refusal keeps all of them in.
    ///
    /// # Errors
    /// The intent can't be handed over: an option this executor doesn't honour, arguments without an encoding.
    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let _ = (intent, flush);
        Ok(())
    }

    /// Hands the batch over. The future ends when everything it began is settled.
    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()>;

    /// Stops taking work, finishes what was accepted until the deadline, and gives back the rest.
    ///
    /// A shutdown of several executors goes on without one that isn't ready at the deadline or panics, and says so in
    /// the log. One that blocks its thread keeps the others waiting.
    fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
        let _ = deadline;
        Box::pin(async { Unfinished::default() })
    }

    /// How this executor stands to the calling thread.
    #[doc(hidden)]
    fn traits(&self) -> ExecutorTraits {
        ExecutorTraits::default()
    }
}

/// What the flush may assume of an executor. Third parties leave it at the default.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct ExecutorTraits {
    /// Handles `local` tasks itself, in their order, instead of leaving them to run inline after the rest.
    pub takes_local: bool,
    /// Accepts every plain function unseen and would only call it, so that the flush does that itself.
    pub inline: bool,
    /// Settles whatever it begins, failures with their intents, so that the flush need not keep handles of its own.
    pub gives_back: bool,
    /// Never waits for anything outside this process, so there is no deadline unless one is set.
    pub no_deadline: bool,
    /// Does its work on the thread of the flush, which meanwhile drives no other executor.
    pub runs_here: bool,
    /// Accepts a plain function, or doesn't, whatever the arguments are: without options of calls it need not be asked
    /// again about the same one.
    pub by_task: bool,
    /// Ends its shutdown by the deadline itself, with what it gives back, whatever else it is made of does.
    pub keeps_deadlines: bool,
}

macro_rules! forward {
    ($([$($generics:tt)*] $type:ty;)*) => {
        $(impl<$($generics)*> Executor for $type {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
                (**self).accepts(intent, flush)
            }

            fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
                (**self).dispatch(batch)
            }

            fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
                (**self).shutdown(deadline)
            }

            fn traits(&self) -> ExecutorTraits {
                (**self).traits()
            }
        })*
    };
}

forward! {
    [] Box<dyn Executor>;
    [E: Executor + ?Sized] Arc<E>;
}

/// Whether a flush blocks its thread or is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushMode {
    /// The calling thread waits.
    Sync,
    /// A future waits.
    Async,
}

/// What [`Executor::accepts`] is told about the flush.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FlushContext {
    /// Whether the flush blocks its thread or is awaited.
    pub mode: FlushMode,
    /// The time that delays count from.
    pub now: SystemTime,
    /// When the flush gives up.
    pub deadline: Deadline,
    /// What the tasks of the scope that flushes get for their `#[state]` parameters.
    pub state: State,
    /// Whether an intent may have options of its call over those of its task.
    #[cfg_attr(not(any(feature = "threads", feature = "tokio")), expect(dead_code, reason = "a look is spared there"))]
    pub(crate) call_options: bool,
}

#[cfg(any(feature = "celery", feature = "django-q", feature = "django-tasks", feature = "dramatiq", feature = "huey"))]
impl FlushContext {
    /// For what is asked without a flush.
    fn outside(now: SystemTime) -> Self {
        Self { mode: FlushMode::Sync, now, deadline: Deadline::NONE, state: State::default(), call_options: true }
    }
}

/// A point in time after which waiting ends, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline: wait as long as it takes.
    pub const NONE: Self = Self(None);

    /// This long from now.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now().checked_add(duration))
    }

    /// At this instant.
    #[must_use]
    pub fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// The instant, if there is a deadline.
    #[must_use]
    pub fn instant(self) -> Option<Instant> {
        self.0
    }

    /// How much time is left: zero when it has passed, `None` without a deadline.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|instant| instant.saturating_duration_since(Instant::now()))
    }

    /// A little sooner, so that there is time left to say what happened.
    #[cfg(any(feature = "redis", feature = "amqp", feature = "sqlite", feature = "postgres", feature = "lambda"))]
    #[cfg_attr(
        not(any(
            feature = "celery",
            feature = "django-q",
            feature = "django-tasks",
            feature = "dramatiq",
            feature = "huey",
            feature = "lambda"
        )),
        allow(dead_code, reason = "a transport without a system sends nothing")
    )]
    pub(crate) fn with_time_to_tell(self) -> Self {
        /// What is kept back, at most.
        const SPARE: Duration = Duration::from_millis(100);
        self.remaining().map_or(self, |left| Self::after(left - (left / 20).min(SPARE)))
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.0.is_some_and(|instant| instant <= Instant::now())
    }
}

/// Why an executor can't hand an intent over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    reason: String,
}

impl Rejection {
    /// A reason for people; keep argument values out of it. URLs lose their user and password.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: redact_text(&reason.into()).into_owned() }
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Rejection {}

/// What an executor had accepted and did not finish before its shutdown's deadline.
#[derive(Debug, Default)]
#[must_use = "these intents were accepted, and run only if somebody sees to it"]
#[non_exhaustive]
pub struct Unfinished {
    /// The intents that had not started, in the order they were accepted. Nobody will run them now.
    pub intents: Vec<Intent>,
    /// How many tasks were still running. They go on, unless the process ends.
    pub running: usize,
}

impl Unfinished {
    /// Whether everything that was accepted is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.intents.is_empty() && self.running == 0
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.intents.extend(other.intents);
        self.running += other.running;
    }
}
