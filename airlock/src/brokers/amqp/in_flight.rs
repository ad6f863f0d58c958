//! The jobs that were given to the client, and every message of them up to its confirm.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use lapin::{Channel, Connection};

use super::kill_switch::KillSwitch;
use super::publishing::Publishing;
use super::returned::Returned;
use super::{Addressed, refusal};
use crate::brokers::connection::{Job, JobOutcome, JobReply, JobTimeouts, Liveness, Requeue};

/// A connection on which nothing has come for this long although an answer is due is given up.
pub(super) const SILENCE: Duration = Duration::from_secs(1);

pub(super) struct InFlight {
    place: Arc<str>,
    connection: Arc<Connection>,
    liveness: Liveness,
    kill_switch: KillSwitch,
    over_tls: bool,
    jobs: VecDeque<PendingJob>,
    returned: Returned,
    /// Queues that took nothing although they were thought to be there.
    unroutable: Vec<String>,
    /// When something was last confirmed.
    heard: Instant,
}

/// A job whose messages have been given to the client.
struct PendingJob {
    number: u64,
    messages: Vec<Addressed>,
    slots: Vec<Publishing>,
    /// All slots before this one are over.
    next: usize,
    began: Instant,
    /// When it is looked after next: to answer in time, and to see whether the connection is stuck.
    due: Option<Instant>,
    /// `None` once it is answered.
    waits: Option<(JobReply, JobTimeouts, Requeue<Addressed>)>,
}

impl PendingJob {
    fn is_over(&self) -> bool {
        self.next >= self.slots.len()
    }
}

impl InFlight {
    pub(super) fn new(
        place: Arc<str>,
        connection: Arc<Connection>,
        liveness: Liveness,
        kill_switch: KillSwitch,
        over_tls: bool,
    ) -> Self {
        let (jobs, returned, unroutable) = (VecDeque::new(), Returned::default(), Vec::new());
        Self { place, connection, liveness, kill_switch, over_tls, jobs, returned, unroutable, heard: Instant::now() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// When some job has to be looked after.
    pub(super) fn due(&self) -> Option<Instant> {
        self.jobs.iter().filter_map(|job| job.due).min()
    }

    /// Queues to be asked for again.
    pub(super) fn unroutable(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unroutable)
    }

    /// Gives the job to the client, in order.
    pub(super) fn add(&mut self, job: Job<Addressed>, mut slots: Vec<Publishing>, requeue: Requeue<Addressed>) {
        let Job { number, messages, timeouts, reply } = job;
        let mut no_waker = Context::from_waker(Waker::noop());
        for (slot, Addressed { message, .. }) in slots.iter_mut().zip(&messages) {
            let _ = slot.poll(&self.place, message, &mut self.returned, &mut no_waker);
        }
        let (began, due, waits) = (Instant::now(), timeouts.reply(), Some((reply, timeouts, requeue)));
        self.jobs.push_back(PendingJob { number, messages, slots, next: 0, began, due, waits });
    }

    /// Follows all that is under way; ready once a job is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut is_over = false;
        for job in &mut self.jobs {
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

    /// Looks at every message that is not over: what came back may hang at any confirm that has come. A caller that waits for
    /// them has to poll again.
    fn look_at_all(&mut self) {
        let mut no_waker = Context::from_waker(Waker::noop());
        for job in &mut self.jobs {
            for (slot, Addressed { message, .. }) in job.slots.iter_mut().zip(&job.messages).skip(job.next) {
                let _ = slot.poll(&self.place, message, &mut self.returned, &mut no_waker);
            }
        }
    }

    /// Answers the jobs that are over.
    pub(super) fn conclude(&mut self, channel: &Channel) {
        self.look_at_all();
        let (over, rest): (VecDeque<_>, _) = std::mem::take(&mut self.jobs).into_iter().partition(PendingJob::is_over);
        self.jobs = rest;
        let has_channel = channel.status().connected();
        for job in over {
            self.reply(job, has_channel);
        }
        if self.jobs.is_empty() {
            self.returned.clear();
        }
    }

    fn reply(&mut self, job: PendingJob, has_channel: bool) {
        let PendingJob { number, messages, slots, waits, .. } = job;
        if !has_channel || slots.iter().any(|slot| matches!(slot, Publishing::Unsent(_))) {
            self.lost();
        }
        let Some((reply, timeouts, requeue)) = waits else { return };
        if !self.over_tls && slots.iter().all(|slot| matches!(slot, Publishing::Unsent(_))) {
            return requeue.give(Job { number, messages, timeouts, reply });
        }
        let outcomes = slots.iter().zip(&messages).map(|(slot, message)| self.outcome(slot, message, false));
        reply.send_each(outcomes.collect());
    }

    /// How a message fared, as far as is known now.
    fn outcome(&mut self, slot: &Publishing, Addressed { message, .. }: &Addressed, is_blocked: bool) -> JobOutcome {
        match slot {
            Publishing::Done(outcome) if self.returned.take(message) => {
                self.unroutable.push(message.queue().to_owned());
                outcome.clone().and(Err(refusal::unroutable(&self.place, message.queue())))
            }
            Publishing::Done(outcome) => outcome.clone(),
            // Records of TLS may have left before the write failed.
            Publishing::Unsent(error) if self.over_tls => {
                Err(refusal::unconfirmed(&self.place, message.body.len(), error))
            }
            Publishing::Unsent(error) => Err(refusal::unsent(&self.place, error)),
            Publishing::Sending(_) | Publishing::Confirming(_) => Err(refusal::late(&self.place, is_blocked)),
        }
    }

    /// Answers what was not confirmed in time, and ends a connection that is stuck.
    pub(super) fn look_after(&mut self, now: Instant) {
        self.look_at_all();
        let is_blocked = self.connection.status().blocked();
        let silence = now.saturating_duration_since(self.heard);
        let mut is_stuck = false;
        let mut jobs = std::mem::take(&mut self.jobs);
        for job in jobs.iter_mut().filter(|job| job.due.is_some_and(|due| due <= now)) {
            job.due = Some(now + SILENCE);
            // A blocked one is not stuck: it says so, and goes on some time.
            if !is_blocked && silence.min(now.saturating_duration_since(job.began)) >= SILENCE {
                is_stuck = true;
                // What was not written then will say so.
                continue;
            }
            // The `Requeue` is held until it is answered: another connection may be used after that.
            let Some((reply, _, _back)) = job.waits.take() else { continue };
            let outcomes = job.slots.iter().zip(&job.messages);
            reply.send_each(outcomes.map(|(slot, message)| self.outcome(slot, message, is_blocked)).collect());
        }
        self.jobs = jobs;
        if is_stuck {
            self.lost();
        }
    }

    /// The connection is of no use any more.
    pub(super) fn lost(&self) {
        self.liveness.lost();
        self.kill_switch.pull();
    }
}
