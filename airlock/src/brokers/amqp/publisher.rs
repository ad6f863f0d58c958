//! The task that publishes through a connection, job by job, and follows every message to its confirm.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use lapin::types::ShortString;
use lapin::{Channel, Connection};
use tokio::sync::mpsc::UnboundedReceiver;

use super::plug::Plug;
use super::queues::{Queues, Refusals};
use super::returned::Returned;
use super::slot::Slot;
use super::{Addressed, refusal, table};
use crate::brokers::fault::BrokerFault;
use crate::brokers::job::{Answer, Job, Outcome};
use crate::brokers::link::{Alive, Back};
use crate::error::DispatchError;
use crate::timer;

/// A connection on which nothing has come for this long although an answer is due is given up.
const SILENCE: Duration = Duration::from_secs(1);

const REPLY_SUCCESS: u16 = 200;

pub(super) struct Publisher {
    place: Arc<str>,
    connection: Arc<Connection>,
    channel: Channel,
    queues: Queues,
    alive: Alive,
    plug: Plug,
    under_way: VecDeque<UnderWay>,
    returned: Returned,
    /// When something was last confirmed.
    heard: Instant,
}

/// A job whose messages have been given to the client.
struct UnderWay {
    messages: Vec<Addressed>,
    slots: Vec<Slot>,
    /// All slots before this one are over.
    next: usize,
    began: Instant,
    /// When somebody looks after it: to answer in time, and to see whether the connection is stuck.
    due: Option<Instant>,
    /// `None` once it is answered.
    answer: Option<(Answer, crate::brokers::job::Patience)>,
    back: Back<Addressed>,
}

impl Publisher {
    pub(super) fn new(
        place: Arc<str>,
        connection: Arc<Connection>,
        channel: Channel,
        alive: Alive,
        plug: Plug,
    ) -> Self {
        let queues = Queues::new(Arc::clone(&place), Arc::clone(&connection));
        let (under_way, returned) = (VecDeque::new(), Returned::default());
        Self { place, connection, channel, queues, alive, plug, under_way, returned, heard: Instant::now() }
    }

    pub(super) async fn run(mut self, mut jobs: UnboundedReceiver<(Job<Addressed>, Back<Addressed>)>) {
        let mut is_open = true;
        while is_open || !self.under_way.is_empty() {
            let due = self.under_way.iter().filter_map(|job| job.due).min();
            tokio::select! {
                biased;
                () = poll_fn(|cx| self.poll(cx)) => self.conclude(),
                () = sleep_until(due) => self.look_after(Instant::now()),
                job = jobs.recv(), if is_open => match job {
                    Some((job, back)) => self.start(job, back).await,
                    None => is_open = false,
                }
            }
        }
        // Nobody uses the connection any more.
        if self.connection.status().connected() {
            let _ = tokio::time::timeout(SILENCE, self.connection.close(REPLY_SUCCESS, "done".into())).await;
        }
        // Its thread ends with its socket.
        self.plug.pull();
    }

    async fn start(&mut self, job: Job<Addressed>, back: Back<Addressed>) {
        let refusals = match job.patience.for_answer(self.queues.check(&job.messages)).await {
            Some(Ok(refusals)) => refusals,
            // Nothing of it has left.
            Some(Err(_)) => {
                self.lost();
                return back.give(job);
            }
            None => {
                self.lost();
                let late = format!("{} gave no answer about the queue in time", self.place);
                return job.answer.all(&Err(DispatchError::unavailable(BrokerFault::new(late))));
            }
        };
        let mut slots: Vec<_> =
            job.messages.iter().map(|message| slot(&self.channel, &self.place, message, &refusals)).collect();
        // The first look gives it to the client, in this order.
        let mut nobody = Context::from_waker(Waker::noop());
        for (slot, Addressed { message, .. }) in slots.iter_mut().zip(&job.messages) {
            let _ = slot.poll(&self.place, message, &mut self.returned, &mut nobody);
        }
        let Job { messages, patience, answer } = job;
        let (began, due) = (Instant::now(), patience.answer());
        self.under_way.push_back(UnderWay {
            messages,
            slots,
            next: 0,
            began,
            due,
            answer: Some((answer, patience)),
            back,
        });
    }

    /// Follows all that is under way; ready once a job is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut is_over = false;
        for job in &mut self.under_way {
            while let (Some(slot), Some(Addressed { message, .. })) =
                (job.slots.get_mut(job.next), job.messages.get(job.next))
            {
                if slot.poll(&self.place, message, &mut self.returned, cx).is_pending() {
                    break;
                }
                job.next += 1;
                self.heard = Instant::now();
            }
            is_over |= job.is_over();
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Answers the jobs that are over.
    fn conclude(&mut self) {
        // What came back may hang at any confirm that has come.
        let mut nobody = Context::from_waker(Waker::noop());
        for job in &mut self.under_way {
            for (slot, Addressed { message, .. }) in job.slots.iter_mut().zip(&job.messages).skip(job.next + 1) {
                let _ = slot.poll(&self.place, message, &mut self.returned, &mut nobody);
            }
        }
        let (over, rest): (VecDeque<_>, _) =
            std::mem::take(&mut self.under_way).into_iter().partition(UnderWay::is_over);
        self.under_way = rest;
        for job in over {
            self.answer(job);
        }
        if self.under_way.is_empty() {
            self.returned.clear();
        }
    }

    fn answer(&mut self, job: UnderWay) {
        let UnderWay { messages, slots, answer, back, .. } = job;
        if slots.iter().any(|slot| matches!(slot, Slot::Unsent(_))) || !self.channel.status().connected() {
            self.lost();
        }
        let Some((answer, patience)) = answer else { return };
        if slots.iter().all(|slot| matches!(slot, Slot::Unsent(_))) {
            return back.give(Job { messages, patience, answer });
        }
        let outcome = |(slot, Addressed { message, .. }): (Slot, &Addressed)| -> Outcome {
            match slot {
                Slot::Done(outcome) if self.returned.take(message) => {
                    self.queues.forget(&message.routing_key);
                    outcome.and(Err(refusal::unroutable(&self.place, &message.routing_key)))
                }
                Slot::Done(outcome) => outcome,
                Slot::Unsent(error) => Err(refusal::unsent(&self.place, &error)),
                Slot::Sending(_) | Slot::Confirming(_) => Err(refusal::late(&self.place, false)),
            }
        };
        answer.each(slots.into_iter().zip(&messages).map(outcome).collect());
    }

    /// Answers what was not confirmed in time, and ends a connection that is stuck.
    fn look_after(&mut self, now: Instant) {
        let is_blocked = self.connection.status().blocked();
        let silence = now.saturating_duration_since(self.heard);
        let mut is_stuck = false;
        for job in self.under_way.iter_mut().filter(|job| job.due.is_some_and(|due| due <= now)) {
            job.due = Some(now + SILENCE);
            // A blocked one is not stuck: it says so, and goes on some time.
            if !is_blocked && silence.min(now.saturating_duration_since(job.began)) >= SILENCE {
                is_stuck = true;
                // What was not written then will say so.
                continue;
            }
            let Some((answer, _)) = job.answer.take() else { continue };
            let outcome = |slot: &Slot| match slot {
                Slot::Done(outcome) => outcome.clone(),
                _ => Err(refusal::late(&self.place, is_blocked)),
            };
            answer.each(job.slots.iter().map(outcome).collect());
        }
        if is_stuck {
            self.lost();
        }
    }

    fn lost(&self) {
        self.alive.lost();
        self.plug.pull();
    }
}

impl UnderWay {
    fn is_over(&self) -> bool {
        self.next >= self.slots.len()
    }
}

/// The message as it leaves, or why it can't.
fn slot(channel: &Channel, place: &str, message: &Addressed, refusals: &Refusals) -> Slot {
    let message = &message.message;
    if let Some(refusal) = refusals.get(&message.routing_key) {
        return Slot::Done(Err(refusal.clone()));
    }
    match (ShortString::try_new(message.routing_key.as_str()), table::properties(message)) {
        (Ok(key), Ok(properties)) => Slot::publish(channel, message, key, properties),
        _ => {
            let what = format!("a name or a property takes more than the 255 bytes that {place} allows; shorten it");
            Slot::Done(Err(DispatchError::rejected(BrokerFault::new(what))))
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => timer::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
