//! How work gets in: by the chunk while there is room, one by one where there is none.

use std::future::poll_fn;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::SystemTime;

use super::Backlog;
use super::options::Limits;
use super::waiters::Waiters;
use super::waiting::Entrance;
use crate::dispatch::DispatchError;
use crate::executors::{Batch, Begun, Ticket, times};
use crate::intent::Intent;
use crate::runtime::{Deadline, timer};

/// How many intents are moved under one lock; a whole flush is taken over without moving any.
const AT_ONCE: usize = 128;

enum Refusal {
    Full,
    Closed,
}

/// Why no more was taken at once.
enum Stop<'a> {
    Enough,
    Ended,
    Refused(NotAccepted<'a>, Refusal),
}

impl Backlog {
    /// Accepts what the batch has, waiting for room up to the flush's deadline. `accepted` is called with how many were,
    /// again and again; the alarm is called when delayed work is due.
    pub(in crate::executors) async fn accept(&self, mut batch: Batch, alarm: &Waker, accepted: impl Fn(usize)) {
        loop {
            let (taken, stop) = self.take(&mut batch, alarm);
            if taken > 0 {
                accepted(taken);
            }
            let (mut waits, refusal) = match stop {
                Stop::Enough => continue,
                Stop::Ended => return,
                Stop::Refused(waits, refusal) => (waits, refusal),
            };
            let result = match refusal {
                Refusal::Full => self.wait_for_room(&mut waits.intent, alarm).await,
                Refusal::Closed => Err(self.is_closed()),
            };
            let is_accepted = result.is_ok();
            if let Some(ticket) = waits.ticket.take() {
                ticket.settle_with(result, waits.intent.take());
            }
            // Only now: should it panic, what was accepted has been said to be.
            if is_accepted {
                accepted(1);
            }
        }
    }

    /// Takes what there is room for, up to so many at once.
    fn take(&self, batch: &mut Batch, alarm: &Waker) -> (usize, Stop<'_>) {
        let mut way_in = self.way_in();
        let mut taken = 0;
        while taken < AT_ONCE {
            let room = way_in.room;
            let plain = batch.hand_over_at_once(room, AT_ONCE, |run| self.waiting.accept(&mut way_in.entrance, run));
            way_in.room -= plain;
            taken += plain;
            if taken >= AT_ONCE {
                break;
            }
            // One that is delayed, or too many, or none.
            match batch.hand_over_next(|intent, is_delayed| way_in.offer(intent, is_delayed, alarm)) {
                Some(Ok(())) => taken += 1,
                None => return (taken, Stop::Ended),
                Some(Err((begun, refusal))) => return (taken, Stop::Refused(NotAccepted::of(self, begun), refusal)),
            }
        }
        (taken, Stop::Enough)
    }

    /// What is delayed waits for room among the delayed, and once its time has come for room in the queue.
    async fn wait_for_room(&self, waits: &mut Option<Intent>, alarm: &Waker) -> Result<(), DispatchError> {
        while let Some(start) = waits.as_ref().and_then(starts_later) {
            let its_time = Deadline::after(start.duration_since(SystemTime::now()).unwrap_or_default());
            let accepted = timer::until(its_time, self.wait_at(&self.delayed_room, waits, alarm)).await;
            if let Some(accepted) = accepted {
                return accepted;
            }
        }
        self.wait_at(&self.room, waits, alarm).await
    }

    async fn wait_at(&self, room: &Waiters, waits: &mut Option<Intent>, alarm: &Waker) -> Result<(), DispatchError> {
        let mut place = room.waiter();
        poll_fn(|cx| {
            // Once more after the place in the line is taken: room may have come in between.
            for registered in [false, true] {
                if registered {
                    place.wait(cx.waker());
                }
                let Some(offered) = waits.take() else { unreachable!("polled after it was ready") };
                let answer = self.way_in().offer(offered, true, alarm);
                match answer {
                    Ok(()) => {
                        place.served();
                        return Poll::Ready(Ok(()));
                    }
                    Err((back, refusal)) => {
                        *waits = Some(back);
                        if matches!(refusal, Refusal::Closed) {
                            return Poll::Ready(Err(self.is_closed()));
                        }
                    }
                }
            }
            Poll::Pending
        })
        .await
    }

    fn way_in(&self) -> WayIn<'_> {
        let entrance = self.waiting.entrance();
        // Once it is locked: whoever closes, and locks it afterwards, has seen the last that was accepted.
        let is_closed = self.closed.0.load(Ordering::SeqCst);
        let room = if is_closed { 0 } else { self.waiting.room(&entrance, &self.limits) };
        WayIn { backlog: self, entrance, room, is_closed }
    }

    fn is_closed(&self) -> DispatchError {
        DispatchError::unavailable(format!("{} was shut down; it takes nothing more", self.limits.title()))
    }
}

/// The entrance, locked for a few intents.
struct WayIn<'a> {
    backlog: &'a Backlog,
    entrance: MutexGuard<'a, Entrance>,
    /// How many more the queue takes. More room may come meanwhile, never less.
    room: usize,
    is_closed: bool,
}

impl WayIn<'_> {
    fn offer(&mut self, intent: Intent, is_delayed: bool, alarm: &Waker) -> Result<(), (Intent, Refusal)> {
        if self.is_closed {
            return Err((intent, Refusal::Closed));
        }
        if is_delayed && let Some(start) = starts_later(&intent) {
            let Backlog { waiting, limits, .. } = self.backlog;
            let accepted = waiting.accept_delayed(&mut self.entrance, intent, start, limits, alarm);
            return accepted.map_err(|intent| (intent, Refusal::Full));
        }
        let Some(left) = self.room.checked_sub(1) else { return Err((intent, Refusal::Full)) };
        self.room = left;
        self.backlog.waiting.accept(&mut self.entrance, vec![intent].into_iter());
        Ok(())
    }
}

/// When a delayed intent may start, if that is not yet.
fn starts_later(intent: &Intent) -> Option<SystemTime> {
    intent.options().get_start()?;
    times::starts_later(intent, SystemTime::now())
}

/// An intent that waits for room. Dropped while it does, it is known not to have been accepted.
struct NotAccepted<'a> {
    backlog: &'a Backlog,
    intent: Option<Intent>,
    ticket: Option<Ticket>,
}

impl<'a> NotAccepted<'a> {
    fn of(backlog: &'a Backlog, begun: Begun) -> Self {
        let (intent, ticket) = begun.into_parts();
        Self { backlog, intent: Some(intent), ticket: Some(ticket) }
    }
}

impl Drop for NotAccepted<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let Limits { queue, delayed, .. } = self.backlog.limits;
            let error = DispatchError::unavailable(format!(
                "{} had no room until the flush ended (it holds {queue}, and {delayed} delayed); raise its limits, or \
                 the flush's deadline",
                self.backlog.limits.title(),
            ));
            ticket.settle_with(Err(error), self.intent.take());
        }
    }
}
