//! How jobs get in: by the chunk while there is room, one by one where there is none.

use std::task::Waker;
use std::thread;
use std::time::SystemTime;

use event_listener::IntoNotification;

use super::backlog::Backlog;
use super::jobs::{Lane, PushError};
use super::limits::Limits;
use super::listen::{WaiterCount, notified};
use crate::dispatch::DispatchError;
use crate::executors::{Batch, Begun, Ticket, times};
use crate::intent::Intent;
use crate::runtime::{Deadline, timer};

/// How many intents are pushed under one lock, unless there is room for a whole flush: that is not moved.
const CHUNK: usize = 128;

/// Why no more was pushed under one lock.
enum PushStop<'a> {
    EndOfChunk,
    EndOfBatch,
    Refused(PendingPush<'a>, PushError),
}

impl Backlog {
    /// Accepts what the batch has, waiting for room up to the flush's deadline. `pushed` is called with how many were
    /// accepted, again and again; the alarm is called when delayed jobs are due.
    pub(in crate::executors) async fn push_batch(&self, mut batch: Batch, alarm: &Waker, pushed: impl Fn(usize)) {
        loop {
            let (count, stop) = self.push_chunk(&mut batch, alarm);
            if count > 0 {
                pushed(count);
            }
            let (mut pending, refusal) = match stop {
                PushStop::EndOfChunk => continue,
                PushStop::EndOfBatch => return,
                PushStop::Refused(pending, refusal) => (pending, refusal),
            };
            let result = match refusal {
                PushError::Full => {
                    // Threads that run jobs make room meanwhile, if they share this one's core; to be woken costs more.
                    thread::yield_now();
                    self.push_with_room(&mut pending.intent, alarm).await
                }
                PushError::Closed => Err(self.is_closed()),
            };
            let is_accepted = result.is_ok();
            pending.settle(result);
            // Only after the intent is settled: `pushed` may panic, and it has been accepted.
            if is_accepted {
                pushed(1);
            }
        }
    }

    /// Pushes what there is room for, a chunk at most.
    fn push_chunk(&self, batch: &mut Batch, alarm: &Waker) -> (usize, PushStop<'_>) {
        let mut jobs = self.jobs();
        let mut count = 0;
        let stop = loop {
            let room = jobs.room(Lane::Ready);
            count += batch.hand_over_at_once(room, CHUNK, |intents| jobs.push_all(intents));
            if batch.remaining() == 0 {
                break PushStop::EndOfBatch;
            }
            if count >= CHUNK {
                break PushStop::EndOfChunk;
            }
            // One that is delayed, or that there is no room for, or none.
            let next = batch.hand_over_next(|intent, is_delayed| {
                let start = if is_delayed { times::starts_later(&intent, SystemTime::now()) } else { None };
                jobs.push(intent, start, alarm)
            });
            match next {
                Some(Ok(())) => count += 1,
                None => break PushStop::EndOfBatch,
                Some(Err((begun, refusal))) => break PushStop::Refused(PendingPush::new(self, begun), refusal),
            }
        };
        self.unlock(jobs);
        (count, stop)
    }

    /// Pushes an intent once there is room for it. What is delayed waits for room among the delayed, and from its time on
    /// for room among what is ready.
    async fn push_with_room(&self, pending: &mut Option<Intent>, alarm: &Waker) -> Result<(), DispatchError> {
        let _counted = WaiterCount::new(self, |jobs| &mut jobs.waiting);
        while let Some(intent) = pending.take() {
            let start = times::starts_later(&intent, SystemTime::now());
            let room = self.room(Lane::of(start));
            // Before the look: room that comes after it is heard of.
            let listener = room.listen();
            let Err((intent, refusal)) = self.try_push(intent, start, alarm) else { return Ok(()) };
            let intent = pending.insert(intent);
            if refusal == PushError::Closed {
                return Err(self.is_closed());
            }
            let Some(start) = start else {
                notified(listener).await;
                // The thread that made room goes on first, if they share a core: there will be room for more.
                thread::yield_now();
                continue;
            };
            let wait = start.duration_since(SystemTime::now()).unwrap_or_default();
            let is_room = timer::until(Deadline::after(wait), notified(listener)).await.is_some();
            if is_room && times::starts_later(intent, SystemTime::now()).is_none() {
                // It waits elsewhere from now on.
                room.notify(1.additional());
            }
        }
        Ok(())
    }

    fn try_push(&self, intent: Intent, start: Option<SystemTime>, alarm: &Waker) -> Result<(), (Intent, PushError)> {
        let mut jobs = self.jobs();
        let result = jobs.push(intent, start, alarm);
        self.unlock(jobs);
        result
    }

    fn is_closed(&self) -> DispatchError {
        DispatchError::unavailable(format!("{} was shut down; it takes nothing more", self.limits.title()))
    }
}

/// An intent that waits for room. Dropped while it does, it is known not to have been accepted.
struct PendingPush<'a> {
    backlog: &'a Backlog,
    intent: Option<Intent>,
    ticket: Option<Ticket>,
}

impl<'a> PendingPush<'a> {
    fn new(backlog: &'a Backlog, begun: Begun) -> Self {
        let (intent, ticket) = begun.into_parts();
        Self { backlog, intent: Some(intent), ticket: Some(ticket) }
    }

    fn settle(&mut self, result: Result<(), DispatchError>) {
        if let Some(ticket) = self.ticket.take() {
            ticket.settle_with(result, self.intent.take());
        }
    }
}

impl Drop for PendingPush<'_> {
    fn drop(&mut self) {
        if self.ticket.is_none() {
            return;
        }
        let Limits { queue, delayed, .. } = self.backlog.limits;
        self.settle(Err(DispatchError::unavailable(format!(
            "{} had no room until the flush ended (it holds {queue}, and {delayed} delayed); raise its limits, or the \
             flush's deadline",
            self.backlog.limits.title(),
        ))));
    }
}
