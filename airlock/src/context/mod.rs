//! What is around a call: the scopes and local policies of the thread or future, and what a scope is made of.

pub(crate) mod buffer;
pub(crate) mod frame;
pub(crate) mod futures;
pub(crate) mod judging;
mod order;
#[cfg_attr(not(feature = "tokio"), path = "one_runtime_task.rs")]
mod runtime_task;
pub(crate) mod scope_state;
pub(crate) mod stack;

/// The primitives of [`buffer`] and [`order`]: the model checker's test has a module of the same name beside the same
/// files.
mod sync {
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};
}

pub use buffer::Phase;
pub(crate) use frame::{Frame, frames};
