//! How a scope is described before it opens.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::guard::{OwnedScope, ScopeGuard};
use super::open::OpenScope;
use crate::context::frame::Frame;
use crate::context::scope_state::{Overrides, ScopeState};
use crate::context::stack;
use crate::executors::{Executor, OnFailure};
use crate::lifecycle::Lifecycle;
use crate::policy::Policy;
use crate::scope_info::ScopeInfo;
use crate::settings;
use crate::state::StateValue;
use crate::text::redact::redact_text;

/// A scope to be opened, from the program's settings: what isn't said here comes from [`configure`](crate::configure).
///
/// A reusable scope of your own is a function that returns a builder.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::{BlockTasks, ScopeBuilder};
///
/// fn admin() -> ScopeBuilder {
///     airlock::scope().name("admin").policy(BlockTasks::of::<(send_email,)>())
/// }
///
/// admin().run(|| send_email::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// # Ok::<(), airlock::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `run`, `run_async`, `run_reported` or `enter`"]
pub struct ScopeBuilder {
    name: Option<Cow<'static, str>>,
    location: &'static Location<'static>,
    overrides: Overrides,
}

/// Describes a scope: the boundary that holds intents until it ends.
#[track_caller]
pub fn scope() -> ScopeBuilder {
    ScopeBuilder { name: None, location: Location::caller(), overrides: Overrides::default() }
}

impl ScopeBuilder {
    /// What may escape.
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.overrides.policy = Some(Arc::new(policy));
        self
    }

    /// How it is handed over.
    pub fn executor(mut self, executor: impl Executor) -> Self {
        self.overrides.executor = Some(Arc::new(executor));
        self
    }

    /// What its end means, and what nested scopes may do.
    pub fn lifecycle(mut self, lifecycle: impl Lifecycle + 'static) -> Self {
        self.overrides.lifecycle = Some(Arc::new(lifecycle));
        self
    }

    /// What reports call it.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What a failed dispatch means for the later ones.
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.overrides.on_failure = Some(on_failure);
        self
    }

    /// How long its flush may take, from the first hand-over.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.overrides.deadline = Some(deadline);
        self
    }

    /// Whether its flush takes the time of each dispatch.
    pub fn timings(mut self, timings: bool) -> Self {
        self.overrides.timings = Some(timings);
        self
    }

    /// Everything it holds has to be written into the transaction that it ends with (`OpenScope::commit`, or `seal` and
    /// `insert`): what an executor would hand over afterwards, where a crash between loses it, is refused, and the
    /// transaction rolled back. A dry run, or [`testing`](crate::guide::testing), around the scope only notes what would be
    /// handed over, which is not refused.
    pub fn transactional(mut self) -> Self {
        self.overrides.transactional = true;
        self
    }

    /// Gives a value to the `#[state]` parameters of its type, for the tasks enqueued in this scope and in those nested
    /// in it. It goes before what the process [`provide`](crate::provide)s: for a test, or a tenant.
    ///
    /// ```
    /// #[airlock::task]
    /// fn greet(name: String, #[state] greeting: &String) {
    ///     println!("{greeting}, {name}");
    /// }
    ///
    /// let scope = airlock::scope().state("Good morning".to_owned());
    /// scope.run(|| greet::enqueue("Ada".to_owned()).map(drop).map_err(airlock::Error::from))?;
    /// # Ok::<(), airlock::Error>(())
    /// ```
    pub fn state<T: StateValue>(self, value: T) -> Self {
        self.state_arc(Arc::new(value))
    }

    /// Like [`state`](Self::state), for a value that is shared already, or for a trait object.
    pub fn state_arc<T: ?Sized + StateValue>(mut self, value: Arc<T>) -> Self {
        // A builder that was cloned keeps what it had.
        let _replaced = Arc::make_mut(self.overrides.state.get_or_insert_default()).insert(value);
        self
    }

    /// Opens the scope until its guard is ended. The guard stays on this thread; dropped, it discards.
    ///
    /// In async code use [`run_async`](Self::run_async) or [`open`](Self::open): a guard held across an await leaks the scope into whatever the
    /// thread polls next. Clippy finds those with this in `clippy.toml`:
    ///
    /// ```toml
    /// await-holding-invalid-types = ["airlock::ScopeGuard", "airlock::LocalPolicyGuard"]
    /// ```
    ///
    /// The scope is that of all the code that this thread runs until then. A tokio runtime that is driven in it
    /// (`block_on`, `LocalSet`) runs other tasks on this thread, which are outside the scope with the feature `tokio`, and
    /// in it without. Other executors are always in it: `futures`' `LocalPool`, or rayon, which runs a stranger's job while
    /// it waits for one's own. Where jobs of others may run, give each what belongs to it with [`Scope::run`]:
    ///
    /// ```
    /// # #[airlock::task] fn resize(image: u64) { let _ = image; }
    /// use airlock::Scope;
    ///
    /// airlock::scope().run(|| {
    ///     let scope = Scope::current().expect("inside a scope");
    ///     // As `rayon::join` does: jobs on threads of its own.
    ///     std::thread::scope(|pool| {
    ///         let job = pool.spawn(|| scope.run(|| resize::enqueue(1)));
    ///         job.join().expect("no panic")
    ///     })
    ///     .map(drop)
    ///     .map_err(airlock::Error::from)
    /// })?;
    /// # Ok::<(), airlock::Error>(())
    /// ```
    ///
    /// [`Scope::run`]: crate::Scope::run
    pub fn enter(self) -> ScopeGuard {
        ScopeGuard::new(self.begin())
    }

    /// Opens the scope without making it the current one anywhere: see [`OpenScope`]. Its parent is the scope that is
    /// current here.
    #[must_use = "a scope that is dropped discards what it holds"]
    pub fn open(self) -> OpenScope {
        OpenScope::new(self.begin())
    }

    /// Opens the scope in the current context without making it the current one.
    pub(super) fn begin(self) -> OwnedScope {
        let around = stack::current();
        let info = ScopeInfo::new(self.name, self.location);
        let scope = ScopeState::new(info, self.overrides, settings::snapshot(), around.as_ref());
        OwnedScope::new(Arc::new(Frame::scope(scope, around)))
    }
}

impl fmt::Debug for ScopeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeBuilder")
            .field("name", &self.name)
            .field("policy", &self.overrides.policy.as_ref().map(|policy| redact_text(policy.name())))
            .field("executor", &self.overrides.executor.as_ref().map(|executor| redact_text(executor.name())))
            .finish_non_exhaustive()
    }
}
