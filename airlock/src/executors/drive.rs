//! An executor at work, for the flush and for executors made of others.

use super::{Batch, DispatchEnd, Executor};
use crate::dispatch::OpenTransaction;
use crate::runtime::panics::catching_panics;
use crate::runtime::{Deadline, timer};

/// Has the executor hand over the batch, until it has ended or its time has. It may be foreign code: a panic is how it
/// ended, and takes nothing else with it.
pub(crate) async fn drive(executor: &dyn Executor, batch: Batch, until: Deadline) -> DispatchEnd {
    ended(async move { executor.dispatch(batch).await }, until).await
}

/// The same, into a transaction.
pub(crate) async fn drive_write(
    executor: &dyn Executor,
    batch: Batch,
    transaction: &mut OpenTransaction<'_>,
    until: Deadline,
) -> DispatchEnd {
    ended(async move { executor.write(batch, transaction).await }, until).await
}

async fn ended(work: impl Future<Output = ()>, until: Deadline) -> DispatchEnd {
    match timer::until(until, catching_panics(work)).await {
        Some(Ok(())) => DispatchEnd::Returned,
        Some(Err(message)) => DispatchEnd::Panicked(message),
        None => DispatchEnd::DeadlinePassed,
    }
}
