//! The program's defaults for scopes.

mod global;
#[cfg(feature = "settings")]
pub(crate) mod load;
pub(crate) mod overriding;
mod show;
mod source;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::executors::{Executor, InlineExecutor, OnFailure};
use crate::lifecycle::{FlushOnSuccess, Lifecycle};
use crate::lost::{Lost, OnLost};
use crate::policy::{AllowAll, Policy};
use crate::text::redact::redact_text;

pub(crate) use global::{Snapshot, snapshot};
pub use global::{configuration, configure, reset_configuration};
use source::Sourced;

/// What scopes use unless their builder says otherwise. Programs [`configure`] once; libraries never do.
///
/// ```
/// use std::time::Duration;
/// use airlock::{OnFailure, Settings};
///
/// airlock::configure(
///     Settings::new()
///         .on_failure(OnFailure::FailFast)
///         .deadline(Duration::from_secs(2))
///         .on_lost(|lost| eprintln!("{} intents of {} were lost", lost.intents().len(), lost.scope())),
/// );
/// # airlock::reset_configuration();
/// ```
#[derive(Clone)]
pub struct Settings {
    pub(crate) policy: Sourced<Arc<dyn Policy>>,
    pub(crate) executor: Sourced<Arc<dyn Executor>>,
    pub(crate) lifecycle: Sourced<Arc<dyn Lifecycle>>,
    pub(crate) on_failure: Sourced<OnFailure>,
    pub(crate) deadline: Sourced<Option<Duration>>,
    pub(crate) timings: Sourced<bool>,
    pub(crate) on_lost: Sourced<Option<OnLost>>,
    /// Called with scopes that were dropped with intents in them.
    pub(crate) on_abandoned: Option<overriding::OnAbandoned>,
}

impl Settings {
    /// Allow all, run inline, flush on success, go on after a failure; five seconds for what waits on a network.
    #[must_use]
    pub fn new() -> Self {
        Self {
            policy: Sourced::default(Arc::new(AllowAll)),
            executor: Sourced::default(Arc::new(InlineExecutor::new())),
            lifecycle: Sourced::default(Arc::new(FlushOnSuccess) as Arc<dyn Lifecycle>).named("FlushOnSuccess"),
            on_failure: Sourced::default(OnFailure::default()),
            deadline: Sourced::default(None),
            timings: Sourced::default(false),
            on_lost: Sourced::default(None),
            on_abandoned: None,
        }
    }

    /// The policy of scopes that name none.
    #[must_use]
    #[track_caller]
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.policy = Sourced::code(Arc::new(policy));
        self
    }

    /// The executor of scopes that name none.
    #[must_use]
    #[track_caller]
    pub fn executor(mut self, executor: impl Executor) -> Self {
        self.executor = Sourced::code(Arc::new(executor));
        self
    }

    /// The lifecycle of scopes that name none.
    #[must_use]
    #[track_caller]
    pub fn lifecycle<L: Lifecycle + 'static>(mut self, lifecycle: L) -> Self {
        let name = std::any::type_name::<L>();
        // Without the path, unless there are paths in the name's own parameters.
        let name = if name.contains('<') { name } else { name.rsplit("::").next().unwrap_or(name) };
        self.lifecycle = Sourced::code(Arc::new(lifecycle) as Arc<dyn Lifecycle>).named(name);
        self
    }

    /// What a failed dispatch means for the later ones.
    #[must_use]
    #[track_caller]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = Sourced::code(on_failure);
        self
    }

    /// How long a flush may take.
    #[must_use]
    #[track_caller]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Sourced::code(Some(deadline));
        self
    }

    /// Whether flushes take the time of each dispatch.
    #[must_use]
    #[track_caller]
    pub fn timings(mut self, timings: bool) -> Self {
        self.timings = Sourced::code(timings);
        self
    }

    /// Is given the intents of every `FlushError` that is dropped with intents in it, after they were logged.
    #[must_use]
    #[track_caller]
    pub fn on_lost(mut self, on_lost: impl Fn(Lost) + Send + Sync + 'static) -> Self {
        self.on_lost = Sourced::code(Some(Arc::new(on_lost)));
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("policy", &redact_text(self.policy.value.name()))
            .field("executor", &redact_text(self.executor.value.name()))
            .field("on_failure", &self.on_failure.value)
            .field("deadline", &self.deadline.value)
            .field("timings", &self.timings.value)
            .field("on_lost", &self.on_lost.value.is_some())
            .finish_non_exhaustive()
    }
}
