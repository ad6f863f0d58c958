//! The executors of this process that have accepted work, for the end of the program.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Unfinished;
use crate::runtime::{BoxFuture, Deadline};

/// What has accepted work in this process.
pub(crate) trait Drains: Send + Sync {
    fn drain(self: Arc<Self>, deadline: Deadline) -> BoxFuture<'static, Unfinished>;
}

/// Everything that was started and may still have work.
static USED: Mutex<Vec<Weak<dyn Drains>>> = Mutex::new(Vec::new());

/// Notes an executor as used. Called once in its life, when it starts.
pub(crate) fn note_used(used: Weak<dyn Drains>) {
    let mut all = USED.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|known| known.strong_count() > 0);
    all.push(used);
}

/// Those that may still have work.
pub(crate) fn used() -> Vec<Arc<dyn Drains>> {
    let all = USED.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().filter_map(Weak::upgrade).collect()
}
