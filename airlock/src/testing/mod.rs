//! For tests of programs that use airlock (feature `testing`).

mod fault;
mod lock;
mod surface;

pub use fault::{Fault, FaultExecutor};
pub use lock::{Break, LockMode, TaskLock, TaskLockError, assert_task_lock};
