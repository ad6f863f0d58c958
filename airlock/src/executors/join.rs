//! Several futures side by side, on one task.

use std::future::poll_fn;
use std::task::Poll;

use super::{Executor, Unfinished};
use crate::runtime::panics::{catch_panic, catching_panics};
use crate::runtime::{BoxFuture, Deadline, timer};
use crate::text::redact::redact_text;

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

/// Shuts down an executor, which may be foreign code: it costs at most the deadline, and a panic takes no other one with it.
pub(crate) fn shut_down(executor: &dyn Executor, deadline: Deadline) -> BoxFuture<'_, Unfinished> {
    Box::pin(async move {
        let ended = match catch_panic(|| executor.shutdown(deadline)) {
            Ok(future) => {
                // What gives back its intents at the deadline must not be cut while it does.
                let until = if executor.capabilities().keeps_deadlines { Deadline::NONE } else { deadline };
                let ended = timer::until(until, catching_panics(future)).await;
                ended.unwrap_or_else(|| Err("cut off at the deadline".to_owned()))
            }
            Err(panicked) => Err(panicked),
        };
        ended.unwrap_or_else(|error| {
            let _ = catch_panic(|| {
                let executor = &*redact_text(executor.name());
                tracing::error!(target: "airlock", executor, error, "a shutdown failed; what was left there is not known");
            });
            Unfinished::default()
        })
    })
}

/// Shuts down executors side by side.
pub(super) fn shutdown_all<'a>(executors: Vec<&'a dyn Executor>, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
    Box::pin(async move {
        let all = executors.into_iter().map(|executor| shut_down(executor, deadline)).collect();
        let mut unfinished = Unfinished::default();
        join_all(all).await.into_iter().for_each(|left| unfinished.add(left));
        unfinished
    })
}
