//! What futures and threads need, whatever they carry: time, waiting, panics, the thread for I/O.

mod backoff;
mod block_on;
mod deadline;
mod future;
#[cfg(feature = "_io")]
pub(crate) mod io;
pub(crate) mod panics;
pub(crate) mod timer;

pub(crate) use backoff::{Pauses, full_jitter};
pub(crate) use block_on::{block_on, wait};
pub use deadline::Deadline;
pub use future::BoxFuture;
pub(crate) use future::{Enter, Within};
