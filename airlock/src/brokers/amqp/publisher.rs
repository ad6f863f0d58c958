//! The task that publishes through a connection, job by job.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use lapin::types::ShortString;
use lapin::{Channel, Connection};
use tokio::sync::mpsc::UnboundedReceiver;

use super::in_flight::{InFlight, SILENCE};
use super::kill_switch::KillSwitch;
use super::probe::ProbeChannel;
use super::publishing::Publishing;
use super::queues::{Destination, KnownQueues, Refusals};
use super::sizes::Sizes;
use super::{Addressed, refusal, table};
use crate::brokers::connection::{BrokerFault, Job, Liveness, Requeue};
use crate::dispatch::DispatchError;
use crate::runtime::timer;

const REPLY_SUCCESS: u16 = 200;

pub(super) struct Publisher {
    place: Arc<str>,
    connection: Arc<Connection>,
    channel: Channel,
    probe: ProbeChannel,
    queues: KnownQueues,
    sizes: Sizes,
    /// How many bytes a frame may take, as was negotiated.
    frame: usize,
    in_flight: InFlight,
    /// Since when the server owes an answer about a queue or a size.
    asked: Option<Instant>,
    kill_switch: KillSwitch,
}

impl Publisher {
    /// `over_tls` says whether what failed to be written may have been written in part.
    pub(super) fn new(
        place: Arc<str>,
        connection: Arc<Connection>,
        channel: Channel,
        liveness: Liveness,
        kill_switch: KillSwitch,
        over_tls: bool,
    ) -> Self {
        let probe = ProbeChannel::new(Arc::clone(&connection));
        let (queues, sizes) = (KnownQueues::new(Arc::clone(&place)), Sizes::new(Arc::clone(&place)));
        let frame = connection.configuration().frame_max() as usize;
        let in_flight =
            InFlight::new(Arc::clone(&place), Arc::clone(&connection), liveness, kill_switch.clone(), over_tls);
        Self { place, connection, channel, probe, queues, sizes, frame, in_flight, asked: None, kill_switch }
    }

    pub(super) async fn run(mut self, mut jobs: UnboundedReceiver<(Job<Addressed>, Requeue<Addressed>)>) {
        let mut is_open = true;
        while is_open || !self.in_flight.is_empty() {
            let due = self.in_flight.due();
            tokio::select! {
                biased;
                () = poll_fn(|cx| self.in_flight.poll(cx)) => self.in_flight.conclude(&self.channel),
                () = sleep_until(due) => self.in_flight.look_after(Instant::now()),
                job = jobs.recv(), if is_open => match job {
                    // Its flush has ended, and it has not left.
                    Some((job, _)) if job.reply.is_closed() => {}
                    Some((job, requeue)) => self.start(job, requeue).await,
                    None => is_open = false,
                }
            }
        }
        // No executor uses the connection any more.
        if self.connection.status().connected() {
            let _ = tokio::time::timeout(SILENCE, self.connection.close(REPLY_SUCCESS, "done".into())).await;
        }
        // Its thread ends with its socket.
        self.kill_switch.pull();
    }

    async fn start(&mut self, job: Job<Addressed>, requeue: Requeue<Addressed>) {
        for queue in self.in_flight.unroutable() {
            self.queues.forget(&queue);
        }
        let refusals = match self.check(&job).await {
            Some(Ok(refusals)) => refusals,
            // Nothing of it has left.
            Some(Err(error)) => {
                self.in_flight.lost();
                return match refusal::of_limit(&self.place, &error) {
                    Some(refusal) => job.reply.send_all(&Err(refusal)),
                    None => requeue.give(job),
                };
            }
            None => {
                let late = format!("{} gave no answer about the queue in time", self.place);
                return job.reply.send_all(&Err(DispatchError::unavailable(BrokerFault::new(late))));
            }
        };
        let slots = job.messages.iter().map(|message| self.slot(message, &refusals)).collect();
        self.in_flight.add(job, slots, requeue);
    }

    /// Asks for the queues and sizes, and follows what is under way meanwhile.
    async fn check(&mut self, job: &Job<Addressed>) -> Option<Result<Refusals, lapin::Error>> {
        let since = *self.asked.get_or_insert_with(Instant::now);
        let (in_flight, channel) = (&mut self.in_flight, &self.channel);
        let (probe, queues, sizes) = (&mut self.probe, &mut self.queues, &mut self.sizes);
        let checked = {
            let mut check = pin!(job.timeouts.for_answer(check(probe, queues, sizes, &job.messages)));
            loop {
                let due = in_flight.due();
                tokio::select! {
                    biased;
                    checked = &mut check => break checked,
                    () = poll_fn(|cx| in_flight.poll(cx)) => in_flight.conclude(channel),
                    () = sleep_until(due) => in_flight.look_after(Instant::now()),
                }
            }
        };
        if checked.is_some() {
            self.asked = None;
        } else {
            self.probe.leave();
            // A flush in a hurry doesn't end the connection of all others.
            if since.elapsed() >= SILENCE && !self.connection.status().blocked() {
                self.in_flight.lost();
            }
        }
        checked
    }

    /// The message as it leaves, or why it can't. What the server refuses ends the channel or the connection that all
    /// messages share, so that it is refused here.
    fn slot(&self, message: &Addressed, refusals: &Refusals) -> Publishing {
        let (message, place) = (&message.message, &self.place);
        let header = table::header_size(&message.properties);
        // Most jobs have none, and a look costs a copy of the queue's name.
        let refused = if refusals.is_empty() { None } else { refusals.get(&Destination::of(message)).cloned() };
        let refusal = refused
            .or_else(|| self.sizes.refusal(message.body.len()))
            .or_else(|| (header > self.frame).then(|| refusal::too_large_a_header(place, header, self.frame)));
        if let Some(refusal) = refusal {
            return Publishing::Done(Err(refusal));
        }
        match (ShortString::try_new(message.routing_key.as_str()), table::properties(message)) {
            (Ok(key), Ok(properties)) => Publishing::publish(&self.channel, message, key, properties),
            _ => Publishing::Done(Err(refusal::too_long(place))),
        }
    }
}

/// Why some of these messages can't be published, by queue.
async fn check(
    probe: &mut ProbeChannel,
    queues: &mut KnownQueues,
    sizes: &mut Sizes,
    messages: &[Addressed],
) -> Result<Refusals, lapin::Error> {
    let mut refusals = queues.check(probe, messages).await?;
    let is_fit =
        |message: &&Addressed| refusals.is_empty() || !refusals.contains_key(&Destination::of(&message.message));
    let rest = messages.iter().filter(is_fit);
    if let Some(refusal) = sizes.check(probe, rest).await? {
        for Addressed { message, .. } in messages {
            refusals.entry(Destination::of(message)).or_insert_with(|| refusal.clone());
        }
    }
    Ok(refusals)
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => timer::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
