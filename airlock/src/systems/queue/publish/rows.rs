//! The intents of a flush as rows of one transaction.

use std::time::SystemTime;

use crate::brokers::connection::{ConnectionManager, FlushDoubt, Protocol};
use crate::brokers::sql::{Dialect, RowSender, Rows, Sql};
use crate::brokers::{SqlMessage, Transport};
use crate::dispatch::{DispatchError, Rejection};
use crate::executors::{Batch, Ticket, times};
use crate::intent::Intent;
use crate::systems::queue::Format;

/// How much is handed over at a time: a flush is never in memory as a whole. The first parts are smaller, so that the
/// database has something to do soon.
const FIRST_PART: usize = 128;
const PART: usize = 1024;
const PART_BYTES: usize = 512 * 1024;

/// Sends the batch in one transaction: all of it, or nothing.
pub(crate) async fn send<C: Dialect>(
    manager: &ConnectionManager<Sql<C>>,
    transport: Transport,
    format: &dyn Format,
    mut batch: Batch,
) where
    Sql<C>: Protocol<Message = Rows>,
{
    if batch.remaining() == 0 {
        return;
    }
    let timeouts = manager.timeouts(batch.deadline());
    // Before anything begins: what can't be reached costs one intent its attempt.
    if let Err(error) = manager.ready(timeouts).await {
        return batch.settle_rest(&error);
    }
    let Some(permit) = timeouts.for_answer(manager.protocol().permit()).await else {
        let busy = format!("{} was busy with another flush until this one's time ended", manager.protocol().place());
        return batch.settle_rest(&DispatchError::unavailable(busy));
    };
    let (sender, rows) = Rows::channel(Some(permit));
    let replies = manager.send(vec![rows], timeouts, &FlushDoubt::default());
    let now = SystemTime::now();
    let streamed = stream_rows(&mut batch, sender, |intent, place| format.row(transport, intent, now, place)).await;
    let outcome = replies.receive().await.pop().unwrap_or(Ok(()));
    streamed.settle(&mut batch, outcome);
}

/// What was begun, and waits for the outcome of the transaction.
pub(crate) struct StreamedRows {
    tickets: Vec<Ticket>,
    /// What has no encoding, for which nothing of the rest is written either.
    misfit: Option<(Ticket, Rejection)>,
}

/// Begins and encodes all intents of the batch, in order, as fast as they are taken.
pub(crate) async fn stream_rows(
    batch: &mut Batch,
    sender: RowSender,
    mut encode: impl FnMut(&Intent, u32) -> Result<SqlMessage, Rejection>,
) -> StreamedRows {
    let mut streamed = StreamedRows { tickets: Vec::with_capacity(batch.remaining()), misfit: None };
    let (mut place, mut most) = (0, FIRST_PART);
    while batch.remaining() > 0 {
        let (mut part, mut bytes) = (Vec::with_capacity(batch.remaining().min(most)), 0);
        while part.len() < most && bytes < PART_BYTES {
            let Some(begun) = batch.begin() else { break };
            let (intent, ticket) = begun.into_parts();
            // Alone: it leaves nothing out of the others' order.
            if intent.options().get_expiry().is_some()
                && let Err(late) = times::check_expiry(&intent, SystemTime::now())
            {
                ticket.settle(Err(DispatchError::rejected(late)));
                continue;
            }
            match encode(&intent, place) {
                Ok(row) => {
                    bytes += row.size();
                    part.push(row);
                    streamed.tickets.push(ticket);
                    place += 1;
                }
                Err(rejection) => {
                    streamed.misfit = Some((ticket, rejection));
                    return streamed;
                }
            }
        }
        if part.is_empty() && batch.remaining() == 0 {
            break;
        }
        // Nothing more may begin although something is left: this is not all, and nothing of it is to be kept.
        if part.is_empty() || !sender.send(part).await {
            return streamed;
        }
        most = (most * 2).min(PART);
    }
    sender.end().await;
    streamed
}

impl StreamedRows {
    pub(crate) fn settle(self, batch: &mut Batch, outcome: Result<(), DispatchError>) {
        for ticket in self.tickets {
            ticket.settle(outcome.clone());
        }
        if let Some((ticket, rejection)) = self.misfit {
            ticket.settle(Err(DispatchError::rejected(rejection)));
        }
        // Of one transaction, so that what keeps it out keeps all of it out.
        if let Err(error) = outcome {
            batch.settle_rest(&error);
        }
    }
}
