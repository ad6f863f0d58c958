//! The end of the program: what was accepted in this process gets its time.

use crate::executors::{Unfinished, drains, join_all, shut_down};
use crate::runtime::{BoxFuture, Deadline, block_on};
use crate::settings;

/// Drains every executor of this library that was used, side by side, and the one of the [`configuration`]: they take
/// nothing more, finish what they accepted until the deadline, and give back the rest. For the end of `main`.
///
/// Executors of your own take part if they are configured, or a part of what is; others have
/// [`Executor::shutdown`](crate::Executor::shutdown). One that isn't ready at the deadline, or panics, costs the others
/// nothing: the log says so.
///
/// ```
/// use std::time::Duration;
/// use airlock::Deadline;
///
/// let unfinished = airlock::shutdown(Deadline::after(Duration::from_secs(10)));
/// assert!(unfinished.intents.is_empty());
/// ```
///
/// In async code, await [`shutdown_async`]: tasks of a runtime can't finish while its thread waits here.
///
/// [`configuration`]: crate::configuration()
pub fn shutdown(deadline: Deadline) -> Unfinished {
    block_on(shutdown_async(deadline))
}

/// [`shutdown`], awaited.
pub async fn shutdown_async(deadline: Deadline) -> Unfinished {
    let configured = settings::configuration().executor.value;
    let mut all: Vec<BoxFuture<'_, Unfinished>> = drains::used().into_iter().map(|used| used.drain(deadline)).collect();
    all.push(shut_down(&*configured, deadline));
    let mut all = join_all(all).await;
    let of_configured = all.pop().unwrap_or_default();
    let mut unfinished = Unfinished::default();
    all.into_iter().for_each(|left| unfinished.add(left));
    // It may be one of the others: what it gives back it gives once, but what runs there both have counted.
    unfinished.intents.extend(of_configured.intents);
    unfinished.running = unfinished.running.max(of_configured.running);
    unfinished
}
