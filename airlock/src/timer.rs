//! One timer thread for the whole program, started on demand: deadlines work under any runtime and under none.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use crate::executors::Deadline;
use crate::panics::catch_panic;

/// Awaits the future, or gives `None` once the deadline has passed.
pub(crate) async fn until<F: Future>(deadline: Deadline, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut alarm = Alarm { at: deadline.instant(), set: None };
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => alarm.poll(cx).map(|()| None),
    })
    .await
}

/// Waits until then.
pub(crate) async fn sleep_until(at: Instant) {
    until(Deadline::at(at), std::future::pending::<()>()).await;
}

/// Whose waker is called at a time of its own, again and again. Given up when dropped.
#[cfg(any(feature = "threads", feature = "tokio"))]
#[derive(Debug, Default)]
pub(crate) struct AlarmClock(Option<Key>);

#[cfg(any(feature = "threads", feature = "tokio"))]
impl AlarmClock {
    /// Calls the waker then, and no longer at the time set before.
    pub(crate) fn set(&mut self, at: Instant, waker: &Waker) {
        self.unset();
        let key = TIMER.lock().key(at);
        self.0 = Some(key);
        TIMER.set(key, waker.clone());
    }

    pub(crate) fn unset(&mut self) {
        let replaced = self.0.take().map(|key| TIMER.lock().wakers.remove(&key));
        drop(replaced);
    }
}

#[cfg(any(feature = "threads", feature = "tokio"))]
impl Drop for AlarmClock {
    fn drop(&mut self) {
        self.unset();
    }
}

/// A place in the queue of the timer thread, given up when dropped.
struct Alarm {
    at: Option<Instant>,
    set: Option<Key>,
}

impl Alarm {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if at <= Instant::now() {
            return Poll::Ready(());
        }
        let key = *self.set.get_or_insert_with(|| TIMER.lock().key(at));
        TIMER.set(key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(key) = self.set {
            let waker = TIMER.lock().wakers.remove(&key);
            drop(waker);
        }
    }
}

/// When, and a number to tell apart those of the same instant.
type Key = (Instant, u64);

struct Timer {
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    wakers: BTreeMap<Key, Waker>,
    next: u64,
    running: bool,
    /// Until when the thread sleeps; `None` if it sleeps until it is woken, or is awake.
    asleep_until: Option<Instant>,
}

static TIMER: Timer = Timer {
    queue: Mutex::new(Queue { wakers: BTreeMap::new(), next: 0, running: false, asleep_until: None }),
    changed: Condvar::new(),
};

impl Queue {
    fn key(&mut self, at: Instant) -> Key {
        self.next += 1;
        (at, self.next)
    }
}

impl Timer {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&'static self, key: Key, waker: Waker) {
        let mut queue = self.lock();
        let replaced = queue.wakers.insert(key, waker);
        if !queue.running {
            let started = thread::Builder::new().name("airlock-timer".to_owned()).spawn(|| self.run());
            queue.running = started.is_ok();
            if let Err(error) = started {
                tracing::error!(target: "airlock", %error, "the timer thread can't start; deadlines are not kept");
            }
        }
        // Most alarms are given up long before their time. A thread that sleeps until one of those is left asleep, and
        // finds this one when it wakes, which is in time.
        let first = queue.asleep_until.is_none_or(|until| key.0 < until);
        drop(queue);
        drop(replaced);
        if first {
            self.changed.notify_one();
        }
    }

    fn run(&self) {
        let mut queue = self.lock();
        loop {
            let now = Instant::now();
            queue = match queue.wakers.first_key_value().map(|(&(at, _), _)| at) {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at > now => {
                    queue.asleep_until = Some(at);
                    let mut queue =
                        self.changed.wait_timeout(queue, at - now).unwrap_or_else(PoisonError::into_inner).0;
                    queue.asleep_until = None;
                    queue
                }
                Some(_) => {
                    let due = queue.wakers.pop_first();
                    drop(queue);
                    // Foreign code: a waker that panics must not end the thread that every deadline needs.
                    let _ = catch_panic(|| due.map(|(_, waker)| waker.wake()));
                    self.lock()
                }
            };
        }
    }
}
