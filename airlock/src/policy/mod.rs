//! WHAT may escape: a judgement per intent.

mod combine;
mod dedupe;
mod effects;
mod rate;
mod tasks;

use std::fmt;

use crate::intent::Intent;
use crate::text::redact::redact_text;

pub use combine::{And, PolicyFn, policy_fn};
pub use dedupe::Dedupe;
pub use effects::{AllowAll, AssertNoEffects, DropAll, LogOnFlush};
pub use rate::RateLimit;
pub use tasks::{AllowTasks, BlockTasks, TaskList};

/// Judges intents. It may count; it cannot enqueue or reorder.
///
/// An intent is asked about twice: at the call that enqueues it ([`on_enqueue`](Self::on_enqueue)), and once more in
/// the flush that would let it out ([`allows`](Self::allows)). Both times its local policies and the policies of all
/// scopes around it are asked, innermost first, up to the first refusal: a policy can only narrow what those around it
/// allow.
///
/// Closures `|intent: &Intent| -> bool` are policies, tuples and lists of policies (`Vec`) hold if all of theirs do, and so
/// do [`and`](Self::and), `Box<dyn Policy>` and `Arc<P>`.
///
/// ```
/// use airlock::{Intent, Policy};
///
/// struct OnlyMail;
///
/// impl Policy for OnlyMail {
///     fn name(&self) -> &str {
///         "OnlyMail"
///     }
///
///     fn allows(&self, intent: &Intent) -> bool {
///         intent.name().starts_with("mail.")
///     }
/// }
///
/// let policy = OnlyMail.and(|intent: &Intent| intent.options().get_queue() != Some("slow"));
/// # let _ = policy.name();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy",
    note = "implement `airlock::Policy`, or use a closure `|intent: &airlock::Intent| -> bool`"
)]
pub trait Policy: Send + Sync {
    /// What reports call it; the type's name unless set.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }

    /// Asked at the call that enqueues. A violation makes that call fail, and nothing is recorded.
    ///
    /// # Errors
    /// The intent may not even be recorded.
    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        let _ = intent;
        Ok(())
    }

    /// Asked in the flush, at most once for each intent: whether it may escape.
    fn allows(&self, intent: &Intent) -> bool {
        let _ = intent;
        true
    }

    /// Both policies have to agree; `self` is asked first.
    fn and<P: Policy>(self, other: P) -> And<Self, P>
    where
        Self: Sized,
    {
        And::new(self, other)
    }

    /// Whether `on_enqueue` does anything. An enqueue that no policy watches is spared the walk.
    #[doc(hidden)]
    fn judges_enqueue(&self) -> bool {
        true
    }

    /// Whether `allows` does anything. A flush that no policy watches is spared the walk.
    #[doc(hidden)]
    fn judges_flush(&self) -> bool {
        true
    }
}

/// Why a policy refuses an intent at the call that enqueues it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    reason: String,
}

impl Violation {
    /// A violation with a reason for people; keep argument values out of it. URLs lose their user and password.
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

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Violation {}
