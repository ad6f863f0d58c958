//! WHEN: the boundary that holds intents until it is known how things end.

mod blocking;
mod buffer;
mod builder;
pub(crate) mod context;
mod core;
mod dispatch;
mod flush;
mod frame;
pub(crate) mod futures;
mod guard;
mod handle;
pub(crate) mod judging;
mod lifecycle;
mod local;
mod order;
mod report;
mod run;
pub(crate) mod scoped;
mod sealed;
mod submit;
mod tally;
mod tree;

/// The primitives of [`buffer`] and [`order`]: the model checker's test has a module of the same name beside the same
/// files.
mod sync {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
    pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
}

pub use buffer::Phase;
pub use builder::{ScopeBuilder, scope};
pub use core::{OnFailure, ScopeInfo};
pub use guard::ScopeGuard;
pub use handle::Scope;
pub use lifecycle::{AlwaysFlush, FlushOnSuccess, Lifecycle, ReleaseNested, ScopeEnd};
pub use local::{LocalPolicy, LocalPolicyGuard, policy};
pub use report::{Counts, Discarded, FlushReport, Outcome, ReportEntry, Unattempted};
pub use run::{Ended, ScopeBody, ScopeOutput};
pub use scoped::EndsScope;
pub use sealed::Sealed;
pub use submit::{enqueue, enqueue_with, in_scope, make_intent};

pub(crate) use blocking::{block_on, block_on_flush};
pub(crate) use dispatch::Flight;
pub(crate) use flush::judge;
pub(crate) use frame::{Frame, frames};
pub(crate) use tally::Tally;
