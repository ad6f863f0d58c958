//! Sending a batch over a connection, job by job.

use std::collections::VecDeque;
use std::time::SystemTime;

use crate::brokers::connection::{ConnectionManager, FlushDoubt, JobReplies, Protocol};
use crate::dispatch::{DispatchError, Rejection};
use crate::executors::{Batch, Ticket, times};
use crate::intent::Intent;

/// How much goes in one job, and how much is under way at a time: enough to keep both sides busy, and no more than
/// fits in memory, whatever the size of the flush.
const JOB: usize = 256;
const JOB_BYTES: usize = 512 * 1024;
const UNDER_WAY: usize = 16;
const UNDER_WAY_BYTES: usize = 8 * 1024 * 1024;

/// A job whose outcomes are awaited.
struct Awaited {
    tickets: Vec<Ticket>,
    bytes: usize,
    replies: JobReplies,
}

/// Sends intent by intent, in order, without waiting for one before the next, and settles each with its outcome.
pub(crate) async fn send<P: Protocol>(
    manager: &ConnectionManager<P>,
    mut encode: impl FnMut(&Intent, SystemTime) -> Result<P::Message, Rejection>,
    mut batch: Batch,
) {
    let timeouts = manager.timeouts(batch.deadline());
    if batch.remaining() == 0 {
        return;
    }
    // Before anything begins: what can't be reached costs one intent its attempt, and not a whole job.
    if let Err(error) = manager.ready(timeouts).await {
        let now = SystemTime::now();
        while let Some(begun) = batch.begin() {
            let late = times::check_expiry(begun.intent(), now).map_err(DispatchError::rejected);
            begun.settle(late.and_then(|()| Err(error.clone())));
        }
        return;
    }
    let (mut under_way, doubt) = (VecDeque::new(), FlushDoubt::default());
    let mut bytes = 0;
    loop {
        while under_way.len() < UNDER_WAY && bytes < UNDER_WAY_BYTES {
            let Some((messages, tickets, size)) = next_job::<P>(&mut batch, &mut encode) else { break };
            bytes += size;
            under_way.push_back(Awaited { tickets, bytes: size, replies: manager.send(messages, timeouts, &doubt) });
        }
        let Some(oldest) = under_way.pop_front() else { return };
        bytes -= oldest.bytes;
        let outcomes = oldest.replies.receive().await;
        for (ticket, outcome) in oldest.tickets.into_iter().zip(outcomes) {
            ticket.settle(outcome);
        }
    }
}

/// The next intents that may leave, encoded. What has no encoding, or is late by now, is settled here.
fn next_job<P: Protocol>(
    batch: &mut Batch,
    encode: &mut impl FnMut(&Intent, SystemTime) -> Result<P::Message, Rejection>,
) -> Option<(Vec<P::Message>, Vec<Ticket>, usize)> {
    // Anew for each job: connections are waited for, and the broker.
    let now = SystemTime::now();
    let expected = batch.remaining().min(JOB);
    let (mut messages, mut tickets, mut bytes) = (Vec::with_capacity(expected), Vec::with_capacity(expected), 0);
    while messages.len() < JOB && bytes < JOB_BYTES {
        let Some(begun) = batch.begin() else { break };
        let (intent, ticket) = begun.into_parts();
        match times::check_expiry(&intent, now).and_then(|()| encode(&intent, now)) {
            Ok(message) => {
                bytes += P::size(&message);
                messages.push(message);
                tickets.push(ticket);
            }
            Err(rejection) => ticket.settle(Err(DispatchError::rejected(rejection))),
        }
    }
    (!messages.is_empty()).then_some((messages, tickets, bytes))
}
