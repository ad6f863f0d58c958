//! A handle to an open scope, to look at it, add to it, and carry it elsewhere.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::{EnqueueError, submit};
use crate::context::buffer::Phase;
use crate::context::frame::{Frame, frames, nearest_scope};
use crate::context::futures::InContext;
use crate::context::scope_state::ScopeState;
use crate::context::stack::{self, ContextSwap};
use crate::intent::{Intent, IntentId};
use crate::scope_info::ScopeInfo;
use crate::settings::overriding::{Overriding, WithSettings};

/// A handle to a scope, with the local policies that were in force when it was taken.
///
/// Scopes don't leak into threads or spawned tasks; a handle carries one there. Only the policies of the handle apply
/// to what is enqueued through it, not those around the call that uses it.
///
/// ```
/// # #[airlock::task] fn audit(order_id: u64) { let _ = order_id; }
/// use airlock::Scope;
///
/// airlock::scope().run(|| {
///     let scope = Scope::current().expect("inside a scope");
///     std::thread::scope(|threads| {
///         threads.spawn(|| scope.run(|| audit::enqueue(42)));
///     });
///     assert_eq!(scope.intents().len(), 1);
/// })?;
/// # Ok::<(), airlock::FlushError>(())
/// ```
#[derive(Clone)]
pub struct Scope {
    frame: Arc<Frame>,
}

/// A future in a scope, with the settings of that scope's test if it is one's.
pub(crate) type Carried<F> = InContext<WithSettings<F>>;

impl Scope {
    /// The current scope, if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        let frame = stack::current()?;
        nearest_scope(Some(&frame))?;
        Some(Self { frame })
    }

    /// A handle that is known to have a scope.
    pub(super) fn of(frame: &Arc<Frame>) -> Self {
        Self { frame: Arc::clone(frame) }
    }

    /// What the scope holds, in the order of the enqueue calls, captured intents included. Empty once it has ended.
    #[must_use]
    pub fn intents(&self) -> Vec<Intent> {
        self.state().buffer().items()
    }

    /// What was enqueued in this scope itself.
    #[must_use]
    pub fn own_intents(&self) -> Vec<Intent> {
        self.intents().into_iter().filter(|intent| self.is_home_of(intent)).collect()
    }

    /// What was captured from nested scopes.
    #[must_use]
    pub fn captured_intents(&self) -> Vec<Intent> {
        self.intents().into_iter().filter(|intent| !self.is_home_of(intent)).collect()
    }

    /// How far the scope is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.state().buffer().phase()
    }

    /// Its name and where it was opened.
    #[must_use]
    pub fn info(&self) -> &ScopeInfo {
        self.state().info()
    }

    /// Adds an intent made with the companion's `intent`, judged by the policies of this handle.
    ///
    /// # Errors
    /// A policy refuses it, the scope has ended, a scope has it already, or a policy is being asked on this thread.
    /// The error hands it back.
    pub fn push(&self, intent: Intent) -> Result<IntentId, EnqueueError> {
        submit::push(&self.frame, intent)
    }

    /// Runs the closure with this scope as the current one: in another thread, say.
    pub fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        let _context = ContextSwap::only(Arc::clone(&self.frame));
        let _settings = self.state().overriding().map(Overriding::new);
        body()
    }

    /// A future that has this scope as the current one in each poll: for a spawned task, say.
    pub fn wrap<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        self.carry(future)
    }

    /// [`wrap`](Self::wrap) with a type that has a name.
    pub(crate) fn carry<F>(&self, future: F) -> Carried<F> {
        let future = WithSettings::new(self.state().overriding(), future);
        InContext::only(Arc::clone(&self.frame), future)
    }

    fn is_home_of(&self, intent: &Intent) -> bool {
        let own = nearest_scope(Some(&self.frame));
        match (nearest_scope(intent.context.as_ref()), own) {
            (Some(home), Some(own)) => Arc::ptr_eq(home, own),
            _ => true,
        }
    }

    fn state(&self) -> &ScopeState {
        frames(Some(&self.frame))
            .find_map(|frame| frame.as_scope())
            .unwrap_or_else(|| unreachable!("a handle is only made where there is a scope"))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("info", &format_args!("{}", self.info()))
            .field("phase", &self.phase())
            .field("intents", &self.state().buffer().len())
            .finish()
    }
}
