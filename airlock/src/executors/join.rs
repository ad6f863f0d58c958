//! Several futures side by side, on one task.

use std::future::poll_fn;
use std::task::Poll;

use super::{BoxFuture, Deadline, Executor, Unfinished};

/// Awaits them all, each going on while others wait. The outputs come in the order of the futures.
pub(crate) async fn join_all<T>(futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut slots: Vec<_> = futures.into_iter().map(|future| (Some(future), None)).collect();
    poll_fn(|cx| {
        for (future, output) in &mut slots {
            if let Some(Poll::Ready(ready)) = future.as_mut().map(|future| future.as_mut().poll(cx)) {
                // Dropped at once: others may go on for long.
                *future = None;
                *output = Some(ready);
            }
        }
        if slots.iter().any(|(future, _)| future.is_some()) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    slots.into_iter().filter_map(|(_, output)| output).collect()
}

/// Shuts down executors side by side.
pub(super) fn shutdown_all<'a>(executors: Vec<&'a dyn Executor>, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
    Box::pin(async move {
        let all = executors.into_iter().map(|executor| executor.shutdown(deadline)).collect();
        let mut unfinished = Unfinished::default();
        join_all(all).await.into_iter().for_each(|left| unfinished.add(left));
        unfinished
    })
}
