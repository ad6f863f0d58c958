//! Where a scope's intents wait: open, then closed once, for good.
//!
//! Generic and on its own so that a model checker can run this very file with its own mutex.

use super::sync::{Mutex, MutexGuard, PoisonError};

/// How far a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// It takes intents.
    Open,
    /// It is judged and closed; what may escape has not, or not all, been handed over.
    Sealed,
    /// It ended well.
    Flushed,
    /// It ended badly, and nothing escaped.
    Discarded,
}

#[derive(Debug)]
pub(crate) struct Buffer<T> {
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    phase: Phase,
    contents: Contents<T>,
    /// The order of the last item that was added here.
    last: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Contents<T> {
    pub(crate) items: Vec<T>,
    /// Whether an item needs more care than a plain call.
    pub(crate) may_have_options: bool,
}

impl<T> Contents<T> {
    fn empty() -> Self {
        Self { items: Vec::new(), may_have_options: false }
    }
}

/// How many items there is room for from the first one on: most scopes never need more.
const FIRST: usize = 16;

impl<T> Buffer<T> {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::new(Inner { phase: Phase::Open, contents: Contents::empty(), last: 0 }) }
    }

    /// Adds an item, which is made only if the buffer is open. `place` sets its order, given that of the last one, under
    /// the lock, so that items lie in their order; and does so where it lies, as a detour would cost more than the rest.
    #[inline]
    pub(crate) fn push(
        &self,
        may_have_options: bool,
        make: impl FnOnce() -> T,
        place: impl FnOnce(&mut T, u64) -> u64,
    ) -> Result<(), Phase> {
        let inner = &mut *self.lock();
        let phase = inner.phase;
        if phase != Phase::Open {
            return Err(phase);
        }
        let contents = &mut inner.contents;
        contents.may_have_options |= may_have_options;
        if contents.items.capacity() == 0 {
            contents.items.reserve(FIRST);
        }
        contents.items.push(make());
        if let Some(item) = contents.items.last_mut() {
            inner.last = place(item, inner.last);
        }
        Ok(())
    }

    /// Adds items that were ordered elsewhere, each at its place.
    pub(crate) fn merge(&self, added: Contents<T>, order: impl Fn(&T) -> u64) -> Result<(), (Contents<T>, Phase)> {
        let mut inner = self.lock();
        if inner.phase != Phase::Open {
            return Err((added, inner.phase));
        }
        let contents = &mut inner.contents;
        contents.may_have_options |= added.may_have_options;
        let sorted = match (contents.items.last(), added.items.first()) {
            (Some(last), Some(first)) => order(last) < order(first),
            _ => true,
        };
        if contents.items.is_empty() {
            contents.items = added.items;
        } else {
            contents.items.extend(added.items);
        }
        if !sorted {
            contents.items.sort_by_key(order);
        }
        Ok(())
    }

    /// Closes the buffer and gives out what is in it. Once only: a second call gives the phase it found.
    pub(crate) fn close(&self, phase: Phase) -> Result<Contents<T>, Phase> {
        let mut inner = self.lock();
        if inner.phase != Phase::Open {
            return Err(inner.phase);
        }
        inner.phase = phase;
        Ok(std::mem::replace(&mut inner.contents, Contents::empty()))
    }

    /// Closes the buffer if there is nothing in it to give out.
    pub(crate) fn close_if_empty(&self, phase: Phase) -> bool {
        let mut inner = self.lock();
        let empty = inner.phase == Phase::Open && inner.contents.items.is_empty();
        if empty {
            inner.phase = phase;
        }
        empty
    }

    /// Says how a closed buffer's scope ended.
    pub(crate) fn conclude(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().contents.items.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing that can panic half-way runs under the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Buffer<T> {
    pub(crate) fn items(&self) -> Vec<T> {
        self.lock().contents.items.clone()
    }
}
