//! Local policies: a narrower rule for part of a scope.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::context::frame::Frame;
use crate::context::futures::WithPolicy;
use crate::context::stack::{self, Entered, GuardsStayOnTheirThreadUseOpen};
use crate::policy::Policy;
use crate::text::redact::redact_text;

/// A policy for part of a scope: see [`policy()`].
#[derive(Clone)]
#[must_use = "a local policy does nothing until `run`, `enter` or `wrap`"]
pub struct LocalPolicy {
    policy: Arc<dyn Policy>,
}

/// A policy for what is enqueued in a part of a scope. It is no scope: intents go where they would go without it, and
/// are judged by this policy too.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// let ended = airlock::scope().run_reported(|| -> airlock::Result<()> {
///     send_email::enqueue(1)?;
///     airlock::policy(airlock::DropAll).run(|| send_email::enqueue(2))?;
///     Ok(())
/// });
/// assert_eq!(ended.flush?.counts().dropped, 1);
/// # Ok::<(), airlock::FlushError>(())
/// ```
pub fn policy(policy: impl Policy + 'static) -> LocalPolicy {
    LocalPolicy { policy: Arc::new(policy) }
}

impl LocalPolicy {
    /// Runs the closure under the policy and returns what it returns.
    pub fn run<R>(self, body: impl FnOnce() -> R) -> R {
        let _guard = self.enter();
        body()
    }

    /// Puts the policy in force on this thread until the guard goes.
    pub fn enter(self) -> LocalPolicyGuard {
        let frame = Arc::new(Frame::local(self.policy, stack::current()));
        LocalPolicyGuard { _entered: Entered::new(Arc::clone(&frame)), _frame: frame, not_send: PhantomData }
    }

    /// A future under the policy: it adds to the context of each poll, and carries no scope of its own.
    pub fn wrap<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        WithPolicy::new(self.policy, future)
    }
}

impl fmt::Debug for LocalPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalPolicy").field(&redact_text(self.policy.name())).finish()
    }
}

/// A local policy in force on this thread.
#[derive(Debug)]
#[must_use = "the policy is in force until the guard is dropped"]
pub struct LocalPolicyGuard {
    _entered: Entered,
    _frame: Arc<Frame>,
    // The entry is on this thread's stack.
    not_send: PhantomData<*const GuardsStayOnTheirThreadUseOpen>,
}
