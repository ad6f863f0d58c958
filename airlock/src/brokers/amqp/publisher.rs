//! The task that publishes through a connection, job by job.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use lapin::types::ShortString;
use lapin::{Channel, Connection};
use tokio::sync::mpsc::UnboundedReceiver;

use super::flight::{Flight, SILENCE};
use super::plug::Plug;
use super::queues::{Queues, Refusals};
use super::slot::Slot;
use super::{Addressed, table};
use crate::brokers::fault::BrokerFault;
use crate::brokers::job::Job;
use crate::brokers::link::{Alive, Back};
use crate::dispatch::DispatchError;
use crate::runtime::timer;

const REPLY_SUCCESS: u16 = 200;

pub(super) struct Publisher {
    place: Arc<str>,
    connection: Arc<Connection>,
    channel: Channel,
    queues: Queues,
    flight: Flight,
    /// Since when the server owes an answer about a queue.
    asked: Option<Instant>,
    plug: Plug,
}

impl Publisher {
    /// `over_tls` says whether what failed to be written may have been written in part.
    pub(super) fn new(
        place: Arc<str>,
        connection: Arc<Connection>,
        channel: Channel,
        alive: Alive,
        plug: Plug,
        over_tls: bool,
    ) -> Self {
        let queues = Queues::new(Arc::clone(&place), Arc::clone(&connection));
        let flight = Flight::new(Arc::clone(&place), Arc::clone(&connection), alive, plug.clone(), over_tls);
        Self { place, connection, channel, queues, flight, asked: None, plug }
    }

    pub(super) async fn run(mut self, mut jobs: UnboundedReceiver<(Job<Addressed>, Back<Addressed>)>) {
        let mut is_open = true;
        while is_open || !self.flight.is_empty() {
            let due = self.flight.due();
            tokio::select! {
                biased;
                () = poll_fn(|cx| self.flight.poll(cx)) => self.flight.conclude(&self.channel),
                () = sleep_until(due) => self.flight.look_after(Instant::now()),
                job = jobs.recv(), if is_open => match job {
                    // Nobody waits for it any more, and it has not left.
                    Some((job, _)) if job.answer.is_unheard() => {}
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
        for queue in self.flight.unroutable() {
            self.queues.forget(&queue);
        }
        let refusals = match self.check(&job).await {
            Some(Ok(refusals)) => refusals,
            // Nothing of it has left.
            Some(Err(_)) => {
                self.flight.lost();
                return back.give(job);
            }
            None => {
                let late = format!("{} gave no answer about the queue in time", self.place);
                return job.answer.all(&Err(DispatchError::unavailable(BrokerFault::new(late))));
            }
        };
        let slots = job.messages.iter().map(|message| slot(&self.channel, &self.place, message, &refusals)).collect();
        self.flight.add(job, slots, back);
    }

    /// Asks for the queues, and follows what is under way meanwhile.
    async fn check(&mut self, job: &Job<Addressed>) -> Option<Result<Refusals, lapin::Error>> {
        let since = *self.asked.get_or_insert_with(Instant::now);
        let (flight, channel) = (&mut self.flight, &self.channel);
        let checked = {
            let mut check = pin!(job.patience.for_answer(self.queues.check(&job.messages)));
            loop {
                let due = flight.due();
                tokio::select! {
                    biased;
                    checked = &mut check => break checked,
                    () = poll_fn(|cx| flight.poll(cx)) => flight.conclude(channel),
                    () = sleep_until(due) => flight.look_after(Instant::now()),
                }
            }
        };
        if checked.is_some() {
            self.asked = None;
        } else {
            self.queues.leave();
            // A flush in a hurry doesn't end the connection of all others.
            if since.elapsed() >= SILENCE && !self.connection.status().blocked() {
                self.flight.lost();
            }
        }
        checked
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
