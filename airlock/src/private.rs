//! What expansions of `#[task]` and `#[scoped]` touch. No part of the public interface: anything here may change in
//! any release, together with `airlock-macros`, which is pinned for that reason.

pub use ::core::module_path;
pub use ::core::option::Option::{self, None, Some};
pub use ::core::primitive::str;
pub use ::core::result::Result;
pub use ::core::time::Duration;
pub use ::core::{file, line};
pub use ::std::boxed::Box;
pub use inventory;

pub use crate::args::{
    arguments_0, arguments_1, arguments_2, arguments_3, arguments_4, arguments_5, arguments_6, arguments_7,
    arguments_8, arguments_9, arguments_10, arguments_11, arguments_12, arguments_13, arguments_14, arguments_15,
    arguments_16,
};
pub use crate::intent::Intent;
pub use crate::options::Options;
pub use crate::registry::Registration;
pub use crate::scope::scoped::{ends, ends_or, scoped, scoped_async};
pub use crate::scope::{enqueue, make_intent};
pub use crate::task::{Parameter, Run, TaskEntry, task_output};

/// What `register_executor!` and its twins touch.
#[cfg(feature = "settings")]
pub mod named {
    pub use crate::settings::names::{Make, Named, executor, lifecycle, policy};
}
