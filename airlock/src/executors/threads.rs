//! Threads of this process, off the caller's path.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::task::{Wake, Waker};
use std::{fmt, process, thread};

use super::OptionReader;
use super::pool::options::pool_options;
use super::pool::{Backlog, Limits, PoolJob};
use super::{Batch, Capabilities, Executor, FlushContext, Unfinished, builder_options, printed_name};
use crate::dispatch::{DispatchError, Rejection};
use crate::executors::drains::{self, Drains};
use crate::intent::{Failure, Intent};
use crate::runtime::panics::catch_panic;
use crate::runtime::{BoxFuture, Deadline, block_on};

/// Runs tasks on threads of its own. A flush hands over and does not wait for them.
///
/// Tasks start in the order they were handed over. The queue is bounded: a flush that finds it full waits for room up
/// to its deadline (5 s unless set), and what finds none is `Unavailable`. Tasks that fail, panic or expire are given
/// to [`on_error`](Self::on_error) and logged. `delay`, `eta` and the two `expires` are honoured; `queue` is a name for
/// routing and means nothing here; `priority`, `max_retries` and the `timeout` of a plain function are refused unless
/// [`ignore_unsupported`](Self::ignore_unsupported) says otherwise.
///
/// `async` tasks run too, each driven by one of the threads until it ends, without a runtime: futures that need tokio
/// around them belong to `TokioExecutor`.
///
/// A handle is cheap to clone, and clones share threads and queue; the threads start at the first hand-over. When the
/// last handle is dropped, the threads finish what was accepted, delayed work included, and end; the drop does not
/// wait for that. The end of the process does end them: [`shutdown`](crate::shutdown()) before it waits, and hands
/// back what was not done in time.
///
/// A forked child has none of the threads: there, a pool that was used before the fork is `Unavailable`, and what it
/// had accepted is the parent's.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use std::sync::LazyLock;
/// use std::time::Duration;
/// use airlock::{Deadline, ThreadPoolExecutor};
///
/// static POOL: LazyLock<ThreadPoolExecutor> = LazyLock::new(|| {
///     ThreadPoolExecutor::new().threads(2).on_error(|failure| eprintln!("{failure}"))
/// });
///
/// airlock::scope().executor(POOL.clone()).run(|| send_email::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// let unfinished = airlock::shutdown(Deadline::after(Duration::from_secs(10)));
/// assert!(unfinished.is_empty());
/// # Ok::<(), airlock::Error>(())
/// ```
#[derive(Clone)]
pub struct ThreadPoolExecutor {
    shared: Arc<PoolShared>,
}

struct PoolShared {
    limits: Limits,
    pool: OnceLock<Pool>,
}

/// The threads of a pool, which keep the backlog until the last of its jobs is done.
struct Pool {
    backlog: Arc<Backlog>,
    alarm: Waker,
    /// How many threads could be started.
    threads: usize,
}

impl ThreadPoolExecutor {
    /// As many threads as the machine has cores, with room for 10,000 waiting intents and 10,000 delayed ones.
    #[must_use]
    pub fn new() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self::of(Limits::new("thread pool", threads.get()))
    }

    fn of(limits: Limits) -> Self {
        Self { shared: Arc::new(PoolShared { limits, pool: OnceLock::new() }) }
    }

    fn with(&self, change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = self.shared.limits.clone();
        change(&mut limits);
        Self::of(limits)
    }

    fn pool(&self) -> &Pool {
        self.shared.pool.get_or_init(|| Pool::start(&self.shared.limits))
    }
}

pool_options! {
    impl ThreadPoolExecutor;

    /// How many threads. As the methods below, this makes a pool of its own: describe a pool first, then clone it.
    ///
    /// # Panics
    /// With 0 threads.
    #[must_use]
    pub fn threads(executor, threads: usize) from positive_count {
        assert!(threads > 0, "a thread pool needs a thread; use 1 or more");
        executor.with(|limits| limits.at_once = threads)
    }
}

impl fmt::Debug for ThreadPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolExecutor")
            .field("threads", &self.shared.limits.at_once)
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

// Named in messages about other types only where it is compiled in, which would make two of each.
#[diagnostic::do_not_recommend]
impl Executor for ThreadPoolExecutor {
    fn name(&self) -> &str {
        self.shared.limits.short("threads")
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.shared.limits.check(intent, flush)
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let pool = self.pool();
            if let Err(error) = pool.check() {
                if let Some(begun) = batch.begin() {
                    begun.settle(Err(error));
                }
                return;
            }
            // A push wakes the threads.
            pool.backlog.push_batch(batch, &pool.alarm, |_| {}).await;
        })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::of_pool()
    }

    fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
        Box::pin(async move { self.pool().backlog.shutdown(deadline, || false).await })
    }
}

impl Drop for PoolShared {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.get() {
            pool.backlog.close();
        }
    }
}

/// Called when delayed jobs are due. Keeps the backlog: the last executor may be dropped before that.
struct DueWaker(Arc<Backlog>);

impl Wake for DueWaker {
    fn wake(self: Arc<Self>) {
        let alarm = Waker::from(Arc::clone(&self));
        self.0.release_due(&alarm);
    }
}

impl Pool {
    fn start(limits: &Limits) -> Self {
        let backlog = Arc::new(Backlog::new(limits.clone(), process::id()));
        let alarm = Waker::from(Arc::new(DueWaker(Arc::clone(&backlog))));
        let name = limits.name.as_deref().unwrap_or("airlock-pool").to_owned();
        let start = |number| {
            let backlog = Arc::clone(&backlog);
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || backlog.run_on_thread(|job| run(&backlog, job)))
        };
        let (started, failed): (Vec<_>, Vec<_>) = (0..limits.at_once).map(start).partition(Result::is_ok);
        if let Some(Err(error)) = failed.first() {
            let missing = failed.len();
            tracing::error!(target: "airlock", executor = limits.title(), missing, %error, "threads of the pool can't start");
        }
        let used: Arc<dyn Drains> = Arc::clone(&backlog) as _;
        drains::note_used(Arc::downgrade(&used));
        Self { backlog, alarm, threads: started.len() }
    }

    fn check(&self) -> Result<(), DispatchError> {
        self.backlog.check_process()?;
        if self.threads > 0 {
            return Ok(());
        }
        Err(DispatchError::unavailable(format!("{} could not start a thread", self.backlog.limits().title())))
    }
}

impl Drains for Backlog {
    fn drain(self: Arc<Self>, deadline: Deadline) -> BoxFuture<'static, Unfinished> {
        Box::pin(async move { self.shutdown(deadline, || false).await })
    }
}

/// Tasks are caught one by one; a panic in here is one of their destructors.
fn run(backlog: &Backlog, job: PoolJob) {
    let _ = catch_panic(|| if job.is_async() { block_on(backlog.run_async(job)) } else { backlog.run(job) });
}
