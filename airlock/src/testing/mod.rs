//! For tests of programs that use airlock (feature `testing`).

mod lock;
mod surface;

pub use lock::{Break, LockMode, TaskLock, TaskLockError, assert_task_lock};
