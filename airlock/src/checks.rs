//! Where the compiler looks at what a user wrote. No part of the public interface; but its paths stand in the
//! compiler's notes, so it has a name for people.

pub use crate::args::{
    arguments_0, arguments_1, arguments_2, arguments_3, arguments_4, arguments_5, arguments_6, arguments_7,
    arguments_8, arguments_9, arguments_10, arguments_11, arguments_12, arguments_13, arguments_14, arguments_15,
    arguments_16,
};
pub use crate::direct::{DirectCall, shim_output};
pub use crate::scope::scoped::{ends, ends_or};
pub use crate::state::StateParameter;
pub use crate::task::task_output;
