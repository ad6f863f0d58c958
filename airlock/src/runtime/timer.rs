//! One timer thread for the whole program, started on demand: deadlines work under any runtime and under none. A forked
//! child, which has no copy of the thread, gets a timer of its own.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use std::{process, thread};

use super::Deadline;
use super::panics::catch_panic;

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
#[derive(Debug, Default)]
pub(crate) struct AlarmClock(Option<AlarmKey>);

impl AlarmClock {
    /// Calls the waker then, and no longer at the time set before.
    pub(crate) fn set(&mut self, at: Instant, waker: &Waker) {
        self.unset();
        let timer = Timer::of_this_process();
        let key = timer.lock().key(at);
        self.0 = Some(key);
        timer.set(key, waker.clone());
    }

    pub(crate) fn unset(&mut self) {
        let replaced = self.0.take().map(|key| Timer::of_this_process().lock().wakers.remove(&key));
        drop(replaced);
    }
}

impl Drop for AlarmClock {
    fn drop(&mut self) {
        self.unset();
    }
}

/// A place in the queue of the timer thread, given up when dropped.
struct Alarm {
    at: Option<Instant>,
    set: Option<(AlarmKey, Waker)>,
}

impl Alarm {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if at <= Instant::now() {
            return Poll::Ready(());
        }
        // Most futures are polled with the same waker again and again.
        if self.set.as_ref().is_some_and(|(_, waker)| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        let timer = Timer::of_this_process();
        let waker = cx.waker().clone();
        let key = self.set.as_ref().map_or_else(|| timer.lock().key(at), |(key, _)| *key);
        self.set = Some((key, waker.clone()));
        timer.set(key, waker);
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some((key, _)) = self.set {
            let waker = Timer::of_this_process().lock().wakers.remove(&key);
            drop(waker);
        }
    }
}

/// When, and a number to tell apart those of the same instant.
type AlarmKey = (Instant, u64);

struct Timer {
    /// The process that has the thread, 0 before there is one.
    process: AtomicU32,
    queue: Mutex<AlarmQueue>,
    changed: Condvar,
    /// That of a forked child. What the parent's timer held for it comes too late: the thread that held the lock when the process
    /// was forked does not exist in the child.
    child: OnceLock<Box<Self>>,
}

struct AlarmQueue {
    wakers: BTreeMap<AlarmKey, Waker>,
    next: u64,
    running: bool,
    /// Until when the thread sleeps; `None` if it sleeps until it is woken, or is awake.
    asleep_until: Option<Instant>,
}

static TIMER: Timer = Timer::new();

thread_local! {
    static IS_TIMER: Cell<bool> = const { Cell::new(false) };
}

/// Does work that may take its time: here, unless this is the timer thread, which every deadline needs.
pub(crate) fn run_off_timer_thread(work: impl FnOnce() + Send + 'static) {
    if !IS_TIMER.get() {
        return work();
    }
    // Shared, since a thread that can't start drops its closure.
    let work = std::sync::Arc::new(Mutex::new(Some(work)));
    let theirs = std::sync::Arc::clone(&work);
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let started =
        thread::Builder::new().name("airlock-late".to_owned()).spawn(move || take(&theirs).map(|work| work()));
    if started.is_err()
        && let Some(work) = take(&work)
    {
        work();
    }
}

impl AlarmQueue {
    fn key(&mut self, at: Instant) -> AlarmKey {
        self.next += 1;
        (at, self.next)
    }
}

impl Timer {
    const fn new() -> Self {
        Self {
            process: AtomicU32::new(0),
            queue: Mutex::new(AlarmQueue { wakers: BTreeMap::new(), next: 0, running: false, asleep_until: None }),
            changed: Condvar::new(),
            child: OnceLock::new(),
        }
    }

    fn of_this_process() -> &'static Self {
        let here = process::id();
        let mut timer = &TIMER;
        while let Err(process) = timer.process.compare_exchange(0, here, Ordering::Relaxed, Ordering::Relaxed) {
            if process == here {
                break;
            }
            timer = timer.child.get_or_init(|| Box::new(Self::new()));
        }
        timer
    }

    fn lock(&self) -> MutexGuard<'_, AlarmQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&'static self, key: AlarmKey, waker: Waker) {
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
        IS_TIMER.set(true);
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
