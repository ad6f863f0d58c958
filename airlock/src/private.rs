//! What expansions of `#[task]` and `#[scoped]` touch. No part of the public interface: anything here may change in
//! any release, together with `airlock-macros`, which is pinned for that reason.

pub use ::core::module_path;
pub use ::core::option::Option::{self, None, Some};
pub use ::core::result::Result;
pub use ::core::time::Duration;
pub use ::core::{file, line};
pub use ::std::boxed::Box;
pub use inventory;

pub use crate::args::assert_argument;
pub use crate::intent::Intent;
pub use crate::options::Options;
pub use crate::registry::Registration;
pub use crate::scope::scoped::{scoped, scoped_async, scoped_or, scoped_or_async};
pub use crate::scope::{enqueue, make_intent};
pub use crate::task::{Parameter, Run, TaskEntry, task_output};
