//! Futures that wait for something to change, first come, first served.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::runtime::panics::catch_panic;

#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// How many wait: whoever changes something mostly finds nobody, and takes no lock then.
    count: AtomicUsize,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    wakers: VecDeque<(u64, Waker)>,
    next: u64,
}

impl Waiters {
    pub(super) fn waiter(&self) -> Waiter<'_> {
        Waiter { waiters: self, number: None }
    }

    /// Wakes the first in the line. Called after the change.
    pub(super) fn wake_one(&self) {
        // With the one in `wait`: either the waiter sees the change, or this sees the waiter.
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let first = self.change(|line| line.wakers.pop_front());
        if let Some((_, waker)) = first {
            wake(waker);
        }
    }

    pub(super) fn wake_all(&self) {
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let all = self.change(|line| std::mem::take(&mut line.wakers));
        all.into_iter().for_each(|(_, waker)| wake(waker));
    }

    fn change<R>(&self, change: impl FnOnce(&mut Line) -> R) -> R {
        let mut line: MutexGuard<'_, Line> = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut line);
        self.count.store(line.wakers.len(), Ordering::Relaxed);
        result
    }
}

/// Foreign code: one that panics must not take along the job that its caller holds, or the wakes after it.
fn wake(waker: Waker) {
    let _ = catch_panic(|| waker.wake());
}

/// A place in the line, once it has waited.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    waiters: &'a Waiters,
    number: Option<u64>,
}

impl Waiter<'_> {
    /// Takes a place, or keeps the one it has. What is waited for has to be looked at once more after this.
    pub(super) fn wait(&mut self, waker: &Waker) {
        let waker = waker.clone();
        let replaced = self.waiters.change(|line| {
            if let Some(place) = line.wakers.iter_mut().find(|(number, _)| Some(*number) == self.number) {
                return Some(std::mem::replace(&mut place.1, waker));
            }
            line.next += 1;
            self.number = Some(line.next);
            line.wakers.push_back((line.next, waker));
            None
        });
        drop(replaced);
        fence(Ordering::SeqCst);
    }

    /// It has what it waited for; nobody else need be told.
    pub(super) fn served(&mut self) {
        let Some(number) = self.number.take() else { return };
        let left = self.waiters.change(|line| {
            let at = line.wakers.iter().position(|(other, _)| *other == number);
            at.and_then(|at| line.wakers.remove(at))
        });
        drop(left);
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let was_woken = self.waiters.change(|line| {
            let at = line.wakers.iter().position(|(other, _)| *other == number);
            at.map(|at| line.wakers.remove(at)).is_none()
        });
        // Woken for room it doesn't want any more: the next one may.
        if was_woken {
            self.waiters.wake_one();
        }
    }
}
