//! What expansions of `#[task]` and `#[scoped]` touch. No part of the public interface: anything here may change in
//! any release, together with `airlock-macros`, which is pinned for that reason. What compiler messages may name is in
//! `checks`.

pub use ::core::default::Default;
pub use ::core::module_path;
pub use ::core::option::Option::{self, None, Some};
pub use ::core::primitive::str;
pub use ::core::result::Result;
pub use ::core::time::Duration;
pub use ::std::boxed::Box;
pub use inventory;

pub use crate::direct::never_called;
pub use crate::options::Options;
pub use crate::registry::Registration;
pub use crate::scope::scoped::{scoped, scoped_async};
pub use crate::scope::{enqueue, in_scope, make_intent};
pub use crate::task::{Parameter, Run, TaskEntry};
