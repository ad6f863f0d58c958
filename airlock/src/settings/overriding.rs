//! Settings of a part of a test, so that tests side by side don't fight over those of the program.
//!
//! They lie in the thread rather than among the frames of the context: tasks that run inline have an empty context,
//! and the scopes they open belong to the same test. A scope keeps the settings it opened with, and puts them in place
//! wherever it is carried.

use std::cell::RefCell;
use std::sync::Arc;

use super::{Settings, global};
use crate::runtime::{Enter, Within};
use crate::scope_info::ScopeInfo;

/// Called with the scope that was dropped, and how many intents were in it.
pub(crate) type OnAbandoned = Arc<dyn Fn(&ScopeInfo, usize) + Send + Sync>;

thread_local! {
    static HERE: RefCell<Option<Arc<Settings>>> = const { RefCell::new(None) };
}

/// The settings that stand in for the program's on this thread.
pub(crate) fn current() -> Option<Arc<Settings>> {
    HERE.try_with(|here| here.borrow().clone()).ok().flatten()
}

/// Settings in place of the program's on this thread, until dropped.
pub(crate) struct Overriding {
    before: Option<Arc<Settings>>,
}

impl Overriding {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        global::find_lost_hook();
        Self { before: swap(Some(settings)) }
    }
}

impl Drop for Overriding {
    fn drop(&mut self) {
        // Dropped outside of the borrow: executors are foreign code.
        drop(swap(self.before.take()));
    }
}

fn swap(settings: Option<Arc<Settings>>) -> Option<Arc<Settings>> {
    HERE.try_with(|here| here.replace(settings)).unwrap_or_default()
}

/// A future that is polled, and dropped, with settings of its own, if it has any.
pub(crate) type WithSettings<F> = Within<F, Option<Arc<Settings>>>;

impl Enter for Option<Arc<Settings>> {
    type Guard<'a> = Option<Overriding>;

    fn enter(&mut self) -> Option<Overriding> {
        self.clone().map(Overriding::new)
    }
}

impl<F> WithSettings<F> {
    pub(crate) fn new(settings: Option<Arc<Settings>>, future: F) -> Self {
        Self::place(settings, future)
    }
}
