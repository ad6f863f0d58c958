//! While policies are asked: no enqueue, and a memory as long as the flush.

use std::any::Any;
use std::cell::{Cell, RefCell};

/// What policies remember, by policy. Most flushes have none that does, and begin one without any cost.
type Scratch = Vec<(usize, Box<dyn Any>)>;

thread_local! {
    /// How many judgements are under way on this thread: policies, lifecycles and `accepts` may not enqueue.
    static JUDGING: Cell<usize> = const { Cell::new(0) };
    /// What policies remember for the length of one flush.
    static SCRATCH: RefCell<Option<Scratch>> = const { RefCell::new(None) };
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
        let outer = SCRATCH.try_with(|scratch| scratch.borrow_mut().replace(Vec::new())).ok().flatten();
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
        let kept = scratch.as_mut()?;
        let place = kept.iter().position(|(policy, _)| *policy == key).unwrap_or_else(|| {
            kept.push((key, Box::new(T::default())));
            kept.len() - 1
        });
        kept[place].1.downcast_mut::<T>().map(look)
    });
    found.ok().flatten()
}
