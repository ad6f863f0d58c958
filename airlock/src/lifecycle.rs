//! Whether the end of a scope is a good one, and what nested scopes may do on their own.

use std::fmt;
use std::sync::Arc;

use crate::context::scope_state::ScopeState;
use crate::intent::Intent;
use crate::scope_info::ScopeInfo;

/// How a scope's body ended. Panics and cancellations are never asked about: they discard.
pub struct ScopeEnd<'a> {
    pub(crate) succeeded: bool,
    pub(crate) scope: &'a ScopeState,
}

impl ScopeEnd<'_> {
    /// Whether the body returned `()` or `Ok`.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.succeeded
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &ScopeInfo {
        self.scope.info()
    }

    /// How many intents it holds.
    #[must_use]
    pub fn intents(&self) -> usize {
        self.scope.buffer().len()
    }
}

impl fmt::Debug for ScopeEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeEnd")
            .field("succeeded", &self.succeeded)
            .field("scope", self.scope())
            .field("intents", &self.intents())
            .finish()
    }
}

/// Decides what the end of a scope means. It may not enqueue.
///
/// ```
/// use airlock::{Intent, Lifecycle, ScopeEnd, ScopeInfo};
///
/// /// Audit records leave nested scopes at once; everything else waits for this scope.
/// struct AuditAtOnce;
///
/// impl Lifecycle for AuditAtOnce {
///     fn should_flush(&self, end: &ScopeEnd) -> bool {
///         end.succeeded()
///     }
///
///     fn releases(&self, _descendant: &ScopeInfo, intent: &Intent) -> bool {
///         intent.name() == "audit"
///     }
/// }
/// # airlock::scope().lifecycle(AuditAtOnce).run(|| {}).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lifecycle",
    note = "use `FlushOnSuccess`, `AlwaysFlush` or `ReleaseNested`, or implement `airlock::Lifecycle`"
)]
pub trait Lifecycle: Send + Sync {
    /// Whether the scope flushes or discards. May say yes after an `Err`; is not asked after a panic or a cancellation.
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool;

    /// Asked of an outer scope: whether a nested scope's intent goes on its own instead of being captured here. The
    /// policies of this scope are asked about it all the same.
    fn releases(&self, descendant: &ScopeInfo, intent: &Intent) -> bool {
        let _ = (descendant, intent);
        false
    }

    /// Whether `releases` may say yes. A capture that no lifecycle decides about is spared the walk.
    #[doc(hidden)]
    fn may_release(&self) -> bool {
        true
    }

    /// Whether `should_flush` may say no after a success. A scope that succeeded with nothing in it is spared the call.
    #[doc(hidden)]
    fn may_refuse_success(&self) -> bool {
        true
    }
}

macro_rules! forward {
    ($([$($generics:tt)*] $type:ty;)*) => {
        $(impl<$($generics)*> Lifecycle for $type {
            fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
                (**self).should_flush(end)
            }

            fn releases(&self, descendant: &ScopeInfo, intent: &Intent) -> bool {
                (**self).releases(descendant, intent)
            }

            fn may_release(&self) -> bool {
                (**self).may_release()
            }

            fn may_refuse_success(&self) -> bool {
                (**self).may_refuse_success()
            }
        })*
    };
}

forward! {
    [] Box<dyn Lifecycle>;
    [L: Lifecycle + ?Sized] Arc<L>;
}

/// Flush on success, discard otherwise, capture what nested scopes hold: the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlushOnSuccess;

impl Lifecycle for FlushOnSuccess {
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
        end.succeeded()
    }

    fn may_release(&self) -> bool {
        false
    }

    fn may_refuse_success(&self) -> bool {
        false
    }
}

/// Flush even if the body returned an error. A panic or a cancellation still discards.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlwaysFlush;

impl Lifecycle for AlwaysFlush {
    fn should_flush(&self, _end: &ScopeEnd<'_>) -> bool {
        true
    }

    fn may_release(&self) -> bool {
        false
    }

    fn may_refuse_success(&self) -> bool {
        false
    }
}

/// Flush on success, and let nested scopes flush on their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReleaseNested;

impl Lifecycle for ReleaseNested {
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
        end.succeeded()
    }

    fn releases(&self, _descendant: &ScopeInfo, _intent: &Intent) -> bool {
        true
    }

    fn may_refuse_success(&self) -> bool {
        false
    }
}
