//! The program's defaults for scopes.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use crate::executors::{Executor, InlineExecutor};
use crate::intent::Intent;
use crate::policy::{AllowAll, Policy};
use crate::scope::{FlushOnSuccess, Lifecycle, OnFailure, ScopeInfo};

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
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) lifecycle: Arc<dyn Lifecycle>,
    pub(crate) on_failure: OnFailure,
    pub(crate) deadline: Option<Duration>,
    pub(crate) timings: bool,
    pub(crate) on_lost: Option<Arc<dyn Fn(Lost) + Send + Sync>>,
}

/// Intents that were neither dispatched nor handed to anyone: their `FlushError` was dropped with them in it.
#[derive(Debug)]
pub struct Lost {
    scope: ScopeInfo,
    intents: Vec<Intent>,
}

impl Lost {
    pub(crate) fn new(scope: ScopeInfo, intents: Vec<Intent>) -> Self {
        Self { scope, intents }
    }

    /// The scope whose flush failed.
    #[must_use]
    pub fn scope(&self) -> &ScopeInfo {
        &self.scope
    }

    /// The intents, undispatched ones first, then those that may have gone out.
    #[must_use]
    pub fn intents(&self) -> &[Intent] {
        &self.intents
    }

    /// The intents by value.
    #[must_use]
    pub fn into_intents(self) -> Vec<Intent> {
        self.intents
    }
}

impl Settings {
    /// Allow all, run inline, flush on success, go on after a failure; five seconds for what waits on a network.
    #[must_use]
    pub fn new() -> Self {
        Self {
            policy: Arc::new(AllowAll),
            executor: Arc::new(InlineExecutor::new()),
            lifecycle: Arc::new(FlushOnSuccess),
            on_failure: OnFailure::default(),
            deadline: None,
            timings: false,
            on_lost: None,
        }
    }

    /// The policy of scopes that name none.
    #[must_use]
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// The executor of scopes that name none.
    #[must_use]
    pub fn executor(mut self, executor: impl Executor) -> Self {
        self.executor = Arc::new(executor);
        self
    }

    /// The lifecycle of scopes that name none.
    #[must_use]
    pub fn lifecycle(mut self, lifecycle: impl Lifecycle + 'static) -> Self {
        self.lifecycle = Arc::new(lifecycle);
        self
    }

    /// What a failed dispatch means for the later ones.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// How long a flush may take.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Whether flushes take the time of each dispatch.
    #[must_use]
    pub fn timings(mut self, timings: bool) -> Self {
        self.timings = timings;
        self
    }

    /// Is given the intents of every `FlushError` that is dropped with intents in it, after they were logged.
    #[must_use]
    pub fn on_lost(mut self, on_lost: impl Fn(Lost) + Send + Sync + 'static) -> Self {
        self.on_lost = Some(Arc::new(on_lost));
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
            .field("policy", &self.policy.name())
            .field("executor", &self.executor.name())
            .field("on_failure", &self.on_failure)
            .field("deadline", &self.deadline)
            .field("timings", &self.timings)
            .field("on_lost", &self.on_lost.is_some())
            .finish_non_exhaustive()
    }
}

static CONFIGURED: RwLock<Option<Arc<Settings>>> = RwLock::new(None);
/// Whether there may be anything in there: programs that never configure don't lock for each scope.
static EVER: AtomicBool = AtomicBool::new(false);
static DEFAULT: LazyLock<Settings> = LazyLock::new(Settings::new);

/// The settings a scope opened with.
#[derive(Clone)]
pub(crate) enum Snapshot {
    Default,
    Configured(Arc<Settings>),
}

impl Deref for Snapshot {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        match self {
            Self::Default => &DEFAULT,
            Self::Configured(settings) => settings,
        }
    }
}

/// Replaces the program's settings, all at once. Scopes that are open keep those they opened with.
pub fn configure(settings: Settings) {
    replace(Some(Arc::new(settings)));
}

/// Back to the defaults. For tests.
pub fn reset_configuration() {
    replace(None);
}

fn replace(settings: Option<Arc<Settings>>) {
    EVER.store(true, Ordering::Release);
    let replaced = std::mem::replace(&mut *CONFIGURED.write().unwrap_or_else(PoisonError::into_inner), settings);
    // Dropped only now: executors are foreign code, and may look at the settings as they go.
    drop(replaced);
}

/// The settings that a scope opened now would have.
#[must_use]
pub fn configuration() -> Settings {
    Settings::clone(&snapshot())
}

pub(crate) fn snapshot() -> Snapshot {
    if !EVER.load(Ordering::Acquire) {
        return Snapshot::Default;
    }
    let configured = CONFIGURED.read().unwrap_or_else(PoisonError::into_inner);
    configured.as_ref().map_or(Snapshot::Default, |settings| Snapshot::Configured(Arc::clone(settings)))
}
