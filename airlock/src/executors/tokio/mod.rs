//! Tasks of a tokio runtime.

mod watched;
mod workers;

use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::{fmt, process};

use tokio::runtime::Handle as Runtime;

use super::OptionReader;
use super::pool::options::pool_options;
use super::pool::{Backlog, Limits};
use super::{Batch, Capabilities, Executor, FlushContext, Unfinished, builder_options, printed_name};
use crate::dispatch::{DispatchError, Rejection};
use crate::executors::drains::{self, Drains};
use crate::intent::{Failure, Intent};
use crate::runtime::{BoxFuture, Deadline};
use workers::Workers;

/// Runs tasks on a tokio runtime: `async` ones are spawned, plain functions run on its blocking pool. A flush hands
/// over and does not wait for them.
///
/// [`new`](Self::new) takes the runtime that is current at the flush, and refuses where there is none;
/// [`on`](Self::on) is given one, and works from sync flushes on any thread.
///
/// At most [`concurrency`](Self::concurrency) tasks run at once; the others wait in a bounded queue and start in the
/// order they were handed over. A flush that finds it full waits for room up to its deadline (5 s unless set), and what
/// finds none is `Unavailable`. Tasks that fail, panic or expire are given to [`on_error`](Self::on_error) and logged.
/// `delay`, `eta` and the two `expires` are honoured, by the real clock also where the runtime's is paused, and so is
/// the `timeout` of async tasks; `queue` is a name for routing and means nothing here; `priority`, `max_retries` and
/// the `timeout` of a plain function are refused unless [`ignore_unsupported`](Self::ignore_unsupported) says otherwise.
///
/// Async tasks that never yield hold up others of their runtime for some 50 µs, or for as long as one of them takes.
///
/// Clones share the queue. When the last handle is dropped, what was accepted is finished all the same, as long as the
/// runtime lives. A runtime that ends first drops what runs (reported as `Unconfirmed`) and leaves what waits to
/// another runtime, or to be handed back: await [`shutdown`](Executor::shutdown) or [`airlock::shutdown_async`](crate::shutdown_async) before it ends.
///
/// To notice that, it keeps a task that does nothing on each runtime it was flushed on, until its last handle is dropped
/// and its work is done. In a forked child, an executor that was given a runtime, or used, before the fork is
/// `Unavailable`, and what it had accepted is the parent's.
///
/// ```
/// use airlock::{Executor, TokioExecutor};
///
/// #[airlock::task]
/// async fn refresh(account: u64) {
///     let _ = account;
/// }
///
/// # #[tokio::main] async fn main() -> airlock::Result<()> {
/// let executor = TokioExecutor::new().concurrency(16).on_error(|failure| eprintln!("{failure}"));
/// let body = async { refresh::enqueue(42).map(drop).map_err(airlock::Error::from) };
/// airlock::scope().executor(executor.clone()).run_async(body).await?;
/// let unfinished = executor.shutdown(airlock::Deadline::NONE).await;
/// assert!(unfinished.is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TokioExecutor {
    handle: Arc<TokioShared>,
}

struct TokioShared {
    limits: Limits,
    runtime: Option<ProcessRuntime>,
    /// With their alarm.
    workers: OnceLock<(Arc<Workers>, Waker)>,
}

/// A runtime, and the process whose threads drive it.
#[derive(Clone)]
struct ProcessRuntime {
    runtime: Runtime,
    process: u32,
}

impl TokioExecutor {
    /// On the runtime that is current at the flush, 256 tasks at once, with room for 10,000 waiting intents and 10,000
    /// delayed ones.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Limits::new("tokio executor", 256), None)
    }

    /// On this runtime, from whatever thread the flush is on.
    #[must_use]
    pub fn on(runtime: Runtime) -> Self {
        let process = process::id();
        Self::of(Limits::new("tokio executor", 256), Some(ProcessRuntime { runtime, process }))
    }

    fn of(limits: Limits, runtime: Option<ProcessRuntime>) -> Self {
        Self { handle: Arc::new(TokioShared { limits, runtime, workers: OnceLock::new() }) }
    }

    fn with(&self, change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = self.handle.limits.clone();
        change(&mut limits);
        Self::of(limits, self.handle.runtime.clone())
    }

    fn workers(&self) -> &(Arc<Workers>, Waker) {
        self.handle.workers.get_or_init(|| {
            let process = self.handle.runtime.as_ref().map_or_else(process::id, |given| given.process);
            let workers = Arc::new(Workers::new(Backlog::new(self.handle.limits.clone(), process)));
            let used: Arc<dyn Drains> = Arc::clone(&workers) as _;
            drains::note_used(Arc::downgrade(&used));
            let alarm = Waker::from(Arc::clone(&workers));
            (workers, alarm)
        })
    }

    fn runtime(&self) -> Option<Runtime> {
        let given = self.handle.runtime.as_ref().map(|given| given.runtime.clone());
        given.or_else(|| Runtime::try_current().ok())
    }
}

const NO_RUNTIME: &str =
    "there is no tokio runtime here; flush inside one, or give it one with `TokioExecutor::on(handle)`";

pool_options! {
    impl TokioExecutor;

    /// How many tasks run at once. As the methods below, this makes an executor of its own: describe one first, then
    /// clone it.
    ///
    /// # Panics
    /// With 0 tasks.
    #[must_use]
    pub fn concurrency(executor, tasks: usize) from positive_count {
        assert!(tasks > 0, "without a task at a time nothing ever runs; use 1 or more");
        executor.with(|limits| limits.at_once = tasks)
    }
}

impl fmt::Debug for TokioExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioExecutor")
            .field("concurrency", &self.handle.limits.at_once)
            .field("limits", &self.handle.limits)
            .finish_non_exhaustive()
    }
}

// Named in messages about other types only where it is compiled in, which would make two of each.
#[diagnostic::do_not_recommend]
impl Executor for TokioExecutor {
    fn name(&self) -> &str {
        self.handle.limits.short("tokio")
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        if self.handle.runtime.is_none() && Runtime::try_current().is_err() {
            return Err(Rejection::new(NO_RUNTIME));
        }
        self.handle.limits.check(intent, flush)
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(runtime) = self.runtime() else {
                if let Some(begun) = batch.begin() {
                    begun.settle(Err(DispatchError::unavailable(NO_RUNTIME)));
                }
                return;
            };
            let (workers, alarm) = self.workers();
            match workers.watch(&runtime) {
                Ok(watched) => {
                    workers.backlog.push_batch(batch, alarm, |count| workers.spawn_workers(&watched, count)).await;
                }
                Err(error) => {
                    if let Some(begun) = batch.begin() {
                        begun.settle(Err(error));
                    }
                }
            }
        })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::of_pool()
    }

    fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
        Box::pin(async move { self.workers().0.shutdown(deadline).await })
    }
}

impl Drop for TokioShared {
    fn drop(&mut self) {
        if let Some((workers, _)) = self.workers.get() {
            workers.backlog.close();
        }
    }
}
