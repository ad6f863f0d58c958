//! What expansions of `#[task]` and `#[scoped]` touch. No part of the public interface: anything here may change in
//! any release, together with `airlock-macros`, which is pinned for that reason. What compiler messages may name is in
//! `checks`, which has all of this, too.

pub use ::core::default::Default;
pub use ::core::marker::Sized;
pub use ::core::option::Option::{None, Some};
pub use ::core::primitive::str;
pub use ::core::time::Duration;
pub use ::core::{file, line, module_path};
pub use ::std::boxed::Box;
pub use inventory;

pub use crate::intent::Intent;
pub use crate::options::Options;
pub use crate::runtime::BoxFuture;
pub use crate::scope::direct::never_called;
pub use crate::scope::scoped::{future, made, scoped, scoped_async};
pub use crate::scope::{enqueue, enqueue_with, in_scope, make_intent};
pub use crate::state::State;
pub use crate::task::args::Args;
pub use crate::task::{CallResult, Parameter, Task, TaskDefinition, TaskEntry, done, elsewhere, pending};

/// What an enqueue gives.
pub type Enqueued = Result<crate::intent::IntentId, crate::scope::EnqueueError>;

/// What `register_executor!` and its twins touch.
#[cfg(feature = "settings")]
pub mod named {
    pub use crate::settings::load::names::{Make, Named, executor, lifecycle, policy};
}
