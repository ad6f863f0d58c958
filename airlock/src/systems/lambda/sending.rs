//! A batch as invocations side by side, on the thread for I/O.
//!
//! The client's connections and timers live with the runtime that they were made on. There they outlive the caller's,
//! and go on while the caller is parked.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_lambda::Client;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;

use super::attempt::invoke;
use super::event::LambdaEvent;
use super::functions::Functions;
use crate::dispatch::DispatchError;
use crate::executors::{Batch, Ticket};
use crate::runtime::{Deadline, io, timer};

/// How invocations are made.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) client: Client,
    pub(super) connect_timeout: Duration,
    /// One for each invocation under way, of all flushes.
    pub(super) permits: Arc<Semaphore>,
}

/// An event that may leave now.
struct Handed {
    event: LambdaEvent,
    ticket: Ticket,
    permit: OwnedSemaphorePermit,
}

impl Sender {
    /// Starts intent by intent, in order, as many side by side as there are permits, and settles each with its outcome.
    pub(super) async fn send(&self, functions: &Functions, mut batch: Batch) {
        if batch.remaining() == 0 {
            return;
        }
        // A little before the deadline, so that what is under way is settled by then. Nothing begins in between.
        let until = batch.deadline().with_margin();
        let (handed, events) = unbounded_channel();
        let (ended, end) = oneshot::channel();
        let work = drive(self.client.clone(), self.connect_timeout, until, events, ended);
        if let Err(fault) = io::spawn(work) {
            if let Some(begun) = batch.begin() {
                begun.settle(Err(DispatchError::unavailable(fault)));
            }
            return;
        }
        while batch.remaining() > 0 {
            // Before the intent begins, so that what is known by then counts: a failure, or the deadline.
            let permit = timer::until(until, Arc::clone(&self.permits).acquire_owned()).await;
            let Some(Ok(permit)) = permit.filter(|_| !until.has_passed()) else { break };
            let Some(begun) = batch.begin() else { break };
            let (intent, ticket) = begun.into_parts();
            match LambdaEvent::of(&intent, functions) {
                Ok(event) => {
                    if let Err(unsent) = handed.send(Handed { event, ticket, permit }) {
                        let lost = "the thread for the brokers' I/O ended before the event was sent";
                        unsent.0.ticket.settle(Err(DispatchError::unavailable(lost)));
                    }
                }
                Err(rejection) => ticket.settle(Err(DispatchError::rejected(rejection))),
            }
        }
        drop(handed);
        // Every event is settled, or the thread has ended.
        let _ = end.await;
        if until.has_passed() && batch.remaining() > 0 {
            // It is the batch that says so.
            timer::until(batch.deadline(), std::future::pending::<()>()).await;
            let _none = batch.begin();
        }
    }
}

/// Makes the invocations, until all are settled or the flush has stopped waiting.
async fn drive(
    client: Client,
    connect_timeout: Duration,
    deadline: Deadline,
    mut events: UnboundedReceiver<Handed>,
    mut ended: oneshot::Sender<()>,
) {
    let (mut under_way, mut open) = (JoinSet::new(), true);
    while open || !under_way.is_empty() {
        tokio::select! {
            biased;
            () = ended.closed() => return,
            event = events.recv(), if open => match event {
                Some(Handed { event, ticket, permit }) => {
                    let client = client.clone();
                    under_way.spawn(async move {
                        ticket.settle(invoke(&client, connect_timeout, deadline, event).await);
                        // Only now: what begins next has to see how this ended.
                        drop(permit);
                    });
                }
                None => open = false,
            },
            Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
        }
    }
}
