//! The current scope, without a runtime: a stack a thread, which futures and carried scopes bring along and put away.
//!
//! A future keeps a stack of its own and swaps it in for each poll (`futures`); no thread-local is held across an
//! await.

use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;

use super::frame::Frame;

type Stack = Vec<Arc<Frame>>;

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Vec::new()) };
}

/// Looks at the innermost frame. `None` too while the thread-local is being destroyed. `look` must not run foreign code.
pub(crate) fn with_current<R>(look: impl FnOnce(Option<&Arc<Frame>>) -> R) -> R {
    let mut look = Some(look);
    let seen = STACK.try_with(|stack| {
        let stack = stack.borrow();
        look.take().map(|look| look(stack.last()))
    });
    match (seen, look) {
        (Ok(Some(result)), _) => result,
        (_, Some(look)) => look(None),
        (_, None) => unreachable!("`look` is only taken to give a result"),
    }
}

/// The innermost frame.
pub(crate) fn current() -> Option<Arc<Frame>> {
    with_current(|frame| frame.cloned())
}

pub(crate) fn is_empty() -> bool {
    with_current(|frame| frame.is_none())
}

pub(crate) fn push(frame: Arc<Frame>) {
    // A thread that is ending has no context any more; enqueues there say so.
    let _ = STACK.try_with(|stack| stack.borrow_mut().push(frame));
}

/// Takes away this very frame, wherever it is: guards may be dropped out of order.
fn remove(frame: *const Frame) {
    let removed = STACK.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        let index = stack.iter().rposition(|entry| ptr::eq(Arc::as_ptr(entry), frame))?;
        Some(stack.remove(index))
    });
    // Dropped only now: it may hold the last handle of a scope, whose policies are foreign code.
    drop(removed);
}

/// Another stack in place of the thread's, until dropped.
pub(crate) struct ContextSwap<'a> {
    saved: Slot<'a>,
}

enum Slot<'a> {
    Own(Stack),
    Borrowed(&'a mut Stack),
}

impl<'a> ContextSwap<'a> {
    pub(crate) fn empty() -> Self {
        Self::start(Slot::Own(Vec::new()))
    }

    pub(crate) fn only(frame: Arc<Frame>) -> Self {
        Self::start(Slot::Own(vec![frame]))
    }

    pub(crate) fn keeping(stack: &'a mut Stack) -> Self {
        Self::start(Slot::Borrowed(stack))
    }

    fn start(saved: Slot<'a>) -> Self {
        let mut swapped = Self { saved };
        swapped.swap();
        swapped
    }

    fn swap(&mut self) {
        let other = match &mut self.saved {
            Slot::Own(stack) => stack,
            Slot::Borrowed(stack) => stack,
        };
        let _ = STACK.try_with(|stack| std::mem::swap(&mut *stack.borrow_mut(), other));
    }
}

impl Drop for ContextSwap<'_> {
    fn drop(&mut self) {
        self.swap();
    }
}

/// A frame on the stack, until dropped. Knows it by its address, and lives beside a handle of it, so that the address
/// stays its own.
#[derive(Debug)]
pub(crate) struct Entered(*const Frame);

impl Entered {
    pub(crate) fn new(frame: Arc<Frame>) -> Self {
        let known = Self(Arc::as_ptr(&frame));
        push(frame);
        known
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        remove(self.0);
    }
}
