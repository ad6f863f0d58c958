//! Whether the end of a scope is a good one, and what nested scopes may do on their own.

use super::core::ScopeInfo;
use crate::intent::Intent;

/// How a scope's body ended. Panics and cancellations are never asked about: they discard.
#[derive(Debug)]
pub struct ScopeEnd<'a> {
    pub(crate) succeeded: bool,
    pub(crate) scope: &'a ScopeInfo,
    pub(crate) intents: usize,
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
        self.scope
    }

    /// How many intents it holds.
    #[must_use]
    pub fn intents(&self) -> usize {
        self.intents
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
pub trait Lifecycle: Send + Sync {
    /// Whether the scope flushes or discards. May say yes after an `Err`; is not asked after a panic or a cancellation.
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool;

    /// Asked of an outer scope: whether a nested scope's intent goes on its own instead of being captured here. The
    /// policies of this scope are asked about it all the same.
    fn releases(&self, descendant: &ScopeInfo, intent: &Intent) -> bool {
        let _ = (descendant, intent);
        false
    }
}

/// Flush on success, discard otherwise, capture what nested scopes hold: the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlushOnSuccess;

impl Lifecycle for FlushOnSuccess {
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
        end.succeeded()
    }
}

/// Flush even if the body returned an error. A panic or a cancellation still discards.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlwaysFlush;

impl Lifecycle for AlwaysFlush {
    fn should_flush(&self, _end: &ScopeEnd<'_>) -> bool {
        true
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
}
