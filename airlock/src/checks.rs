//! Where the compiler looks at what a user wrote, and all else that an expansion imports. No part of the public
//! interface; but its paths stand in the compiler's notes, so it has a name for people.

pub use airlock_macros::beside;

pub use crate::__private::*;
pub use crate::scope::Wrapped;
pub use crate::scope::direct::{DirectCall, Shim, shim};
pub use crate::scope::scoped::{
    AsError, AsOutput, Ending, FlushAnswer, Unanswered, ends, handled, succeeds, succeeds_if,
};
pub use crate::task::args::NoLifetimeLeftOut;
pub use crate::task::args::tuples::*;
pub use crate::task::{StateParameter, task_output, task_result};
