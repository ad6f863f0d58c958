//! An executor at work, for the flush and for executors made of others.

use super::{Batch, DispatchEnd, Executor};
use crate::runtime::panics::catching_panics;
use crate::runtime::{Deadline, timer};

/// Has the executor hand over the batch, until it has ended or its time has. It may be foreign code: a panic is how it
/// ended, and takes nothing else with it.
pub(crate) async fn drive(executor: &dyn Executor, batch: Batch, until: Deadline) -> DispatchEnd {
    let ended = timer::until(until, catching_panics(async move { executor.dispatch(batch).await })).await;
    match ended {
        Some(Ok(())) => DispatchEnd::Returned,
        Some(Err(message)) => DispatchEnd::Panicked(message),
        None => DispatchEnd::DeadlinePassed,
    }
}
