//! Settings of a part of a test, so that tests side by side don't fight over those of the program.
//!
//! They lie in the thread rather than among the frames of the context: tasks that run inline have an empty context,
//! and the scopes they open belong to the same test. A scope keeps the settings it opened with, and puts them in place
//! wherever it is carried.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Settings;
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

pin_project! {
    /// A future that is polled, and dropped, with settings of its own, if it has any.
    pub(crate) struct WithSettings<F> {
        #[pin]
        future: Option<F>,
        settings: Option<Arc<Settings>>,
    }

    impl<F> PinnedDrop for WithSettings<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _overriding = this.settings.clone().map(Overriding::new);
            this.future.set(None);
        }
    }
}

impl<F> WithSettings<F> {
    pub(crate) fn new(settings: Option<Arc<Settings>>, future: F) -> Self {
        Self { future: Some(future), settings }
    }
}

impl<F: Future> Future for WithSettings<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _overriding = this.settings.clone().map(Overriding::new);
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            unreachable!("polled after it was ready");
        };
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}
