//! The current scope, without a runtime: a stack a thread, which futures and carried scopes bring along and put away.
//!
//! A stack entry is a [`Frame`]: a scope or a local policy, linked to the one around it. A future keeps a stack of its
//! own and swaps it in for each poll; no thread-local is held across an await.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::core::ScopeCore;
use crate::policy::Policy;

/// One entry of the context: a scope or a local policy, with what is around it.
pub(crate) struct Frame {
    around: Option<Arc<Frame>>,
    kind: FrameKind,
    /// Whether no policy from here outwards looks at `on_enqueue`.
    quiet: bool,
    /// Whether a local policy is among the frames from here outwards.
    local: bool,
}

enum FrameKind {
    Scope(ScopeCore),
    Local(Arc<dyn Policy>),
}

impl Frame {
    pub(crate) fn scope(core: ScopeCore, around: Option<Arc<Frame>>) -> Self {
        let quiet = !core.policy().judges_enqueue() && around.as_ref().is_none_or(|frame| frame.quiet);
        let local = around.as_ref().is_some_and(|frame| frame.local);
        Self { around, kind: FrameKind::Scope(core), quiet, local }
    }

    pub(crate) fn local(policy: Arc<dyn Policy>, around: Option<Arc<Frame>>) -> Self {
        let quiet = !policy.judges_enqueue() && around.as_ref().is_none_or(|frame| frame.quiet);
        Self { around, kind: FrameKind::Local(policy), quiet, local: true }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn has_local(&self) -> bool {
        self.local
    }

    pub(crate) fn around(&self) -> Option<&Arc<Frame>> {
        self.around.as_ref()
    }

    /// The scope, if this frame is one.
    pub(crate) fn as_scope(&self) -> Option<&ScopeCore> {
        match &self.kind {
            FrameKind::Scope(core) => Some(core),
            FrameKind::Local(_) => None,
        }
    }

    pub(crate) fn local_policy(&self) -> Option<&Arc<dyn Policy>> {
        match &self.kind {
            FrameKind::Scope(_) => None,
            FrameKind::Local(policy) => Some(policy),
        }
    }

    pub(crate) fn policy(&self) -> &dyn Policy {
        match &self.kind {
            FrameKind::Scope(core) => core.policy(),
            FrameKind::Local(policy) => &**policy,
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FrameKind::Scope(core) => write!(f, "Frame(scope {})", core.info()),
            FrameKind::Local(policy) => write!(f, "Frame(policy {})", policy.name()),
        }
    }
}

/// The frames from `inner` outwards.
pub(crate) fn frames(inner: Option<&Arc<Frame>>) -> impl Iterator<Item = &Arc<Frame>> {
    std::iter::successors(inner, |frame| frame.around())
}

/// The nearest scope from `inner` outwards.
pub(crate) fn nearest_scope(inner: Option<&Arc<Frame>>) -> Option<&Arc<Frame>> {
    frames(inner).find(|frame| frame.as_scope().is_some())
}

type Stack = Vec<Arc<Frame>>;

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Vec::new()) };
    /// How many judgements are under way on this thread: policies, lifecycles and `accepts` may not enqueue.
    static JUDGING: Cell<usize> = const { Cell::new(0) };
    /// What policies remember for the length of one flush, by policy.
    static SCRATCH: RefCell<Option<Scratch>> = const { RefCell::new(None) };
}

type Scratch = HashMap<usize, Box<dyn Any>>;

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

pub(crate) fn push(frame: Arc<Frame>) {
    // A thread that is ending has no context any more; enqueues there say so.
    let _ = STACK.try_with(|stack| stack.borrow_mut().push(frame));
}

/// Takes away this very frame, wherever it is: guards may be dropped out of order.
pub(crate) fn remove(frame: &Arc<Frame>) {
    let removed = STACK.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        let index = stack.iter().rposition(|entry| Arc::ptr_eq(entry, frame))?;
        Some(stack.remove(index))
    });
    // Dropped only now: it may hold the last handle of a scope, whose policies are foreign code.
    drop(removed);
}

/// Another stack in place of the thread's, until dropped.
pub(crate) struct Swapped<'a> {
    saved: Slot<'a>,
}

enum Slot<'a> {
    Own(Stack),
    Borrowed(&'a mut Stack),
}

impl<'a> Swapped<'a> {
    pub(crate) fn empty() -> Self {
        Self::start(Slot::Own(Vec::new()))
    }

    pub(crate) fn only(frame: Arc<Frame>) -> Self {
        Self::start(Slot::Own(vec![frame]))
    }

    fn keeping(stack: &'a mut Stack) -> Self {
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

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        self.swap();
    }
}

pin_project! {
    /// A future that is polled, and dropped, in a context of its own.
    pub(crate) struct InContext<F> {
        #[pin]
        future: Option<F>,
        stack: Vec<Arc<Frame>>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                // Destructors of what the future holds see its own context, not that of whoever drops it.
                let _context = Swapped::keeping(this.stack);
                this.future.set(None);
            }
        }
    }
}

impl<F> InContext<F> {
    pub(crate) fn empty(future: F) -> Self {
        Self { future: Some(future), stack: Vec::new() }
    }

    pub(crate) fn only(frame: Arc<Frame>, future: F) -> Self {
        Self { future: Some(future), stack: vec![frame] }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _context = Swapped::keeping(this.stack);
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

pin_project! {
    /// A future with one more local policy in the context of each poll.
    pub(crate) struct WithPolicy<F> {
        #[pin]
        future: Option<F>,
        policy: Arc<dyn Policy>,
        // The frame of the last poll, used again as long as the context around it is the same.
        frame: Option<Arc<Frame>>,
    }

    impl<F> PinnedDrop for WithPolicy<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = Entered::policy(this.policy, this.frame);
                this.future.set(None);
            }
        }
    }
}

impl<F> WithPolicy<F> {
    pub(crate) fn new(policy: Arc<dyn Policy>, future: F) -> Self {
        Self { future: Some(future), policy, frame: None }
    }
}

impl<F: Future> Future for WithPolicy<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _entered = Entered::policy(this.policy, this.frame);
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

/// A frame on the stack, until dropped.
#[derive(Debug)]
pub(crate) struct Entered(Arc<Frame>);

impl Entered {
    pub(crate) fn new(frame: Arc<Frame>) -> Self {
        push(Arc::clone(&frame));
        Self(frame)
    }

    fn policy(policy: &Arc<dyn Policy>, last: &mut Option<Arc<Frame>>) -> Self {
        let around = current();
        let same = |frame: &&mut Arc<Frame>| match (frame.around(), &around) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        let frame = match last.as_mut().filter(same) {
            Some(frame) => Arc::clone(frame),
            None => Arc::clone(last.insert(Arc::new(Frame::local(Arc::clone(policy), around)))),
        };
        Self::new(frame)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// While one of these lives, this thread judges and may not enqueue.
#[derive(Debug)]
pub(crate) struct Judging(());

impl Judging {
    pub(crate) fn enter() -> Self {
        JUDGING.with(|judging| judging.set(judging.get() + 1));
        Self(())
    }

    pub(crate) fn is_under_way() -> bool {
        JUDGING.with(Cell::get) > 0
    }
}

impl Drop for Judging {
    fn drop(&mut self) {
        JUDGING.with(|judging| judging.set(judging.get() - 1));
    }
}

/// The judging of one flush: what policies remember in it is forgotten with it.
pub(crate) struct FlushScratch {
    outer: Option<Scratch>,
}

impl FlushScratch {
    pub(crate) fn enter() -> Self {
        let outer = SCRATCH.try_with(|scratch| scratch.borrow_mut().replace(HashMap::new())).ok().flatten();
        Self { outer }
    }
}

impl Drop for FlushScratch {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let ended = SCRATCH.try_with(|scratch| std::mem::replace(&mut *scratch.borrow_mut(), outer));
        drop(ended);
    }
}

/// What the policy `key` remembers in the flush that is being judged; `None` outside of one. `look` must not judge.
pub(crate) fn in_flush<T: Default + 'static, R>(key: usize, look: impl FnOnce(&mut T) -> R) -> Option<R> {
    let found = SCRATCH.try_with(|scratch| {
        let mut scratch = scratch.borrow_mut();
        let entry = scratch.as_mut()?.entry(key).or_insert_with(|| Box::new(T::default()));
        entry.downcast_mut::<T>().map(look)
    });
    found.ok().flatten()
}

/// A panic of foreign code as a text.
pub(crate) fn catch_panic<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| panic_message(&*payload))
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

/// Awaits foreign code; a panic in a poll ends it.
pub(crate) async fn catching_panics<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| match catch_panic(|| future.as_mut().poll(cx)) {
        Ok(polled) => polled.map(Ok),
        Err(message) => Poll::Ready(Err(message)),
    })
    .await
}
