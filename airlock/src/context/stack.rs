//! The current scope, without a runtime: a stack a thread, which futures and carried scopes bring along and put away.
//!
//! A future keeps a stack of its own and swaps it in for each poll (`futures`); no thread-local is held across an
//! await. What was entered in one task of a runtime is not there for another one that the same thread polls.

use std::cell::RefCell;
use std::sync::Arc;

use super::frame::Frame;
use super::runtime_task::{self, RuntimeTaskId};

/// What is around, outermost first.
pub(crate) struct Stack(Vec<StackEntry>);

struct StackEntry {
    frame: Arc<Frame>,
    /// Where it was entered, or last carried to.
    task: Option<RuntimeTaskId>,
}

impl StackEntry {
    fn new(frame: Arc<Frame>) -> Self {
        Self { frame, task: runtime_task::current() }
    }
}

impl Stack {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Of a future, for which the task that polls it is noted at each poll.
    pub(crate) fn only(frame: Arc<Frame>) -> Self {
        Self(vec![StackEntry { frame, task: None }])
    }

    /// Has been carried to the task that runs here.
    fn carried_here(&mut self) {
        if !self.0.is_empty() {
            let task = runtime_task::current();
            self.0.iter_mut().for_each(|entry| entry.task = task);
        }
    }

    /// The innermost frame that was entered in the task that runs here.
    #[inline]
    fn current(&self) -> Option<&Arc<Frame>> {
        let last = self.0.last()?;
        let task = runtime_task::current();
        if last.task == task {
            return Some(&last.frame);
        }
        self.0.iter().rfind(|entry| entry.task == task).map(|entry| &entry.frame)
    }
}

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Stack::new()) };
}

/// Looks at the innermost frame. `None` too while the thread-local is being destroyed. `look` must not run foreign code.
pub(crate) fn with_current<R>(look: impl FnOnce(Option<&Arc<Frame>>) -> R) -> R {
    let mut look = Some(look);
    let seen = STACK.try_with(|stack| {
        let stack = stack.borrow();
        look.take().map(|look| look(stack.current()))
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
    STACK.try_with(|stack| stack.borrow().0.is_empty()).unwrap_or(true)
}

/// Whether this thread is ending, and has no context any more, whatever is entered.
pub(crate) fn is_gone() -> bool {
    STACK.try_with(|_| ()).is_err()
}

fn push(frame: Arc<Frame>) {
    // A thread that is ending has no context any more; enqueues there say so.
    let _ = STACK.try_with(|stack| stack.borrow_mut().0.push(StackEntry::new(frame)));
}

/// Takes away this very frame, wherever it is: guards may be dropped out of order.
fn remove(frame: usize) {
    let is_it = |entry: &StackEntry| Arc::as_ptr(&entry.frame).addr() == frame;
    let removed = STACK.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        // As good as always. Nothing has to be moved then.
        if stack.0.last().is_some_and(is_it) {
            return stack.0.pop();
        }
        let index = stack.0.iter().rposition(is_it)?;
        Some(stack.0.remove(index))
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
        Self::start(Slot::Own(Stack::new()))
    }

    pub(crate) fn only(frame: Arc<Frame>) -> Self {
        let mut stack = Stack::only(frame);
        stack.carried_here();
        Self::start(Slot::Own(stack))
    }

    /// That of a future, which may have been in another task at its last poll.
    pub(crate) fn keeping(stack: &'a mut Stack) -> Self {
        stack.carried_here();
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
pub(crate) struct Entered(usize);

impl Entered {
    pub(crate) fn new(frame: Arc<Frame>) -> Self {
        // Not as a pointer: a guard that is kept across an await would be two errors, one for each of them.
        let known = Self(Arc::as_ptr(&frame).addr());
        push(frame);
        known
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        remove(self.0);
    }
}

/// What a guard points to, as far as the compiler knows, which names it where a guard is to go to another thread, or is
/// kept across an await in a future that is.
#[derive(Debug)]
pub(crate) struct GuardsStayOnTheirThreadUseOpen;
