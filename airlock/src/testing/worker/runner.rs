//! Tasks run as a worker runs them, without a database.

use std::future::Future;
use std::panic::Location;
use std::time::{Duration, SystemTime};

use super::ended::{Left, PerformError, Performed};
use super::run::{QUEUE, queue_of, run_of, within_run};
use crate::context::futures::InContext;
use crate::context::stack;
use crate::dispatch::DispatchError;
use crate::executors::OnFailure;
use crate::intent::Intent;
use crate::lifecycle::FlushOnSuccess;
use crate::policy::Policy;
use crate::runtime::panics::catching_panics;
use crate::runtime::{Deadline, block_on, timer};
use crate::scope::ScopeBuilder;
use crate::state::StateValue;
use crate::task::{Started, Task, TaskKind};
use crate::testing::capture::{AN_HOUR, dropped};
use crate::testing::drain::{DrainError, Drained, PendingDrain};
use crate::testing::perform::arrived;
use crate::testing::recording::{Recorded, RecordingExecutor, survive};
use crate::testing::running::{run, run_async};
use crate::worker::{Advice, RunFailure, advice};

/// Runs tasks in a test as a [`Worker`](crate::Worker) of an outbox would, without a database and without waiting.
///
/// Each run is in a scope, so a task enqueues without one of its own; what it enqueued is there only if the run ended well.
/// A run that fails is tried again up to `max_retries` of the call, the attribute or the worker, and
/// [`Run::current`](crate::Run::current) counts the attempts; [`Permanent`](crate::Permanent) ends the task at once. No
/// pause is waited for: the failed runs say how long a [`RetryAfter`](crate::RetryAfter) would have it wait
/// ([`RunFailure::again_in`](crate::RunFailure::again_in)), and zero stands for the pause of the worker's backoff, which is
/// drawn by lot. A `timeout` ends an async task; delays and priorities are ignored.
///
/// [`perform`](crate::testing::perform()) and [`drain`](crate::testing::drain()) run each task once, and without a scope
/// around it, as workers in Python or inline calls do. What only a database can show, such as what is refused when it is
/// written, shows with a [`temporary_outbox`](crate::testing::temporary_outbox).
///
/// ```
/// use airlock::testing::{TestWorker, capture};
/// use airlock::{Permanent, Run};
///
/// type TaskResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;
///
/// #[airlock::task]
/// fn notify(order_id: u64) { let _ = order_id; }
///
/// #[airlock::task(max_retries = 5)]
/// fn ship(order_id: u64) -> TaskResult {
///     notify::enqueue(order_id)?;
///     match Run::current().map(|run| run.attempt()) {
///         Some(1 | 2) => Err("the haulier is busy".into()),
///         _ if order_id == 0 => Err(Permanent::new("there is no order 0").into()),
///         _ => Ok(()),
///     }
/// }
///
/// let worker = TestWorker::new();
/// let shipped = worker.perform::<ship>((42,))?;
/// assert_eq!(shipped.attempts(), 3);
/// airlock::assert_enqueued!(shipped, notify { order_id: 42 }, times 1);
///
/// let captured = capture(|| ship::enqueue(42).is_ok());
/// let drained = worker.drain(&captured)?;
/// airlock::assert_enqueued_in_order!(drained, [ship, notify]);
/// assert_eq!(drained.failures().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until `perform` or `drain`"]
pub struct TestWorker {
    scope: ScopeBuilder,
    max_retries: u32,
}

/// How one run ended.
type Ran = Result<Left, Box<RunFailure>>;

impl TestWorker {
    /// One that tries as often as a [`Worker`](crate::Worker) does that is told nothing.
    #[track_caller]
    pub fn new() -> Self {
        Self { scope: crate::scope().name("the run of a task in a test"), max_retries: 10 }
    }

    /// How often a task without `max_retries` of its own is run again after it failed; 10 unless set.
    pub fn max_retries(self, max_retries: u32) -> Self {
        Self { max_retries, ..self }
    }

    /// Judges what tasks leave in the scopes of their runs, as [`Worker::policy`](crate::Worker::policy) does.
    pub fn policy(self, policy: impl Policy + 'static) -> Self {
        Self { scope: self.scope.policy(policy), ..self }
    }

    /// What `#[state]` parameters are given, in place of what the process provides.
    pub fn state<T: StateValue>(self, value: T) -> Self {
        Self { scope: self.scope.state(value), ..self }
    }

    /// Runs a task until it ends well, or for good.
    ///
    /// # Errors
    /// It failed for good, its arguments don't survive their encoding, it has no body here, or it is an `async fn` (use
    /// [`perform_async`](Self::perform_async)).
    #[track_caller]
    pub fn perform<T: Task>(&self, args: T::Args) -> Result<Performed, PerformError> {
        block_on(self.perform_task::<T>(args, false, Location::caller()))
    }

    /// [`perform`](Self::perform), for tasks that are `async` as well as for others.
    ///
    /// # Errors
    /// As [`perform`](Self::perform).
    #[track_caller]
    pub fn perform_async<T: Task>(&self, args: T::Args) -> impl Future<Output = Result<Performed, PerformError>> {
        self.perform_task::<T>(args, true, Location::caller())
    }

    /// Runs what was enqueued, and what that leaves, each until it ends well or for good. One that failed is tried again
    /// after those that wait already.
    ///
    /// # Errors
    /// Tasks failed for good, an `async` one was among them (use [`drain_async`](Self::drain_async)), or after
    /// [`MAX_DRAINED`](crate::testing::MAX_DRAINED) runs there still was more to do.
    pub fn drain(&self, recorded: &(impl Recorded + ?Sized)) -> Result<Drained, DrainError> {
        block_on(self.drain_all(PendingDrain::of(recorded), false))
    }

    /// [`drain`](Self::drain), and awaits the tasks that are `async`.
    ///
    /// # Errors
    /// As [`drain`](Self::drain).
    pub fn drain_async<R: Recorded + ?Sized>(&self, recorded: &R) -> impl Future<Output = Result<Drained, DrainError>> {
        self.drain_all(PendingDrain::of(recorded), true)
    }

    async fn perform_task<T: Task>(
        &self,
        args: T::Args,
        awaits: bool,
        location: &'static Location<'static>,
    ) -> Result<Performed, PerformError> {
        let intent = match arrived::<T>(args, location) {
            Ok(intent) => intent,
            Err(error) => {
                let (task, queue) = (T::NAME.to_owned(), QUEUE.to_owned());
                let failure = RunFailure { id: None, task, queue, attempt: 1, error, again_in: None };
                return Err(PerformError::new(Vec::new(), Box::new(failure)));
            }
        };
        let mut failures = Vec::new();
        loop {
            let attempt = u32::try_from(failures.len()).unwrap_or(u32::MAX).saturating_add(1);
            match self.run(&intent, attempt, awaits).await {
                Ok(left) => return Ok(Performed { failures, left }),
                Err(failure) if failure.again_in.is_some() => failures.push(*failure),
                Err(failure) => return Err(PerformError::new(failures, failure)),
            }
        }
    }

    async fn drain_all(&self, mut queue: PendingDrain, awaits: bool) -> Result<Drained, DrainError> {
        while let Some((intent, attempt)) = queue.next() {
            match self.run(&intent, attempt, awaits).await {
                Ok(left) => queue.done(intent, left.intents, left.dropped),
                Err(failure) => {
                    let (error, again) = (failure.error.clone(), failure.again_in.is_some());
                    queue.drained.failures.push(*failure);
                    if again {
                        queue.again(intent, attempt + 1);
                    } else {
                        queue.failed(intent, error);
                    }
                }
            }
        }
        queue.finish()
    }

    /// One run, each from its encoded arguments: a task has moved them out.
    async fn run(&self, intent: &Intent, attempt: u32, awaits: bool) -> Ran {
        let for_good = |error| self.failure(intent, attempt, error, Some(0));
        let arrived = survive(intent).map_err(|fault| for_good(DispatchError::rejected(fault)))?;
        if intent.task().kind == TaskKind::Async && !awaits {
            let error = DispatchError::rejected("it is an async task; use `drain_async` or `perform_async`");
            return Err(for_good(error));
        }
        if intent.task().local {
            // Run once, after the row that left it is done, and in no scope.
            let scope = self.scope.clone();
            let ran = if awaits { run_async(scope, arrived).await } else { run(scope, arrived) };
            let left = Left { intents: ran.intents().to_vec(), dropped: ran.refused() };
            return ran.into_value().map(|()| left).map_err(for_good);
        }
        if intent.expires_at(SystemTime::now()).is_some_and(|at| at <= SystemTime::now()) {
            return Err(for_good(DispatchError::rejected("it was past its expiry when its turn came")));
        }
        let left = InContext::empty(self.run_in_scope(arrived, attempt)).await;
        left.map_err(|error| self.failure(intent, attempt, error, intent.options().get_max_retries()))
    }

    async fn run_in_scope(&self, mut intent: Intent, attempt: u32) -> Result<Left, DispatchError> {
        let recorder = RecordingExecutor::new();
        let scope = self.scope.clone().executor(recorder.clone()).lifecycle(FlushOnSuccess);
        let scope = scope.on_failure(OnFailure::Continue).deadline(AN_HOUR).open();
        let timeout = intent.options().get_timeout();
        let deadline = timeout.map_or(Deadline::NONE, Deadline::after);
        let run = run_of(&intent, attempt);
        let body = async move {
            // Its state is that of this worker or of the process, wherever it was enqueued.
            intent.context = stack::current();
            match intent.start()? {
                Started::Done(result) => result.map_err(DispatchError::task_failed),
                Started::Pending(future) => future.await.map_err(DispatchError::task_failed),
            }
        };
        let running = catching_panics(within_run(run, scope.wrap(body)));
        match timer::until(deadline, running).await {
            Some(ended) => ended.unwrap_or_else(|message| Err(DispatchError::panicked(message)))?,
            None => {
                let timeout = timeout.unwrap_or_default();
                return Err(DispatchError::task_failed(format!("it took longer than its {timeout:?}")));
            }
        }
        let flushed = match scope.seal() {
            Ok(sealed) => sealed.dispatch_async().await,
            Err(error) => Err(error),
        };
        match flushed {
            Ok(report) => Ok(Left { intents: recorder.take(), dropped: dropped(&report) }),
            Err(error) => {
                let refused = DispatchError::task_failed(format!("what it left can't be stored: {error}"));
                // They are made again by the next run.
                drop(error.into_intents());
                Err(refused)
            }
        }
    }

    /// A run that failed, and whether the task is tried again.
    fn failure(
        &self,
        intent: &Intent,
        attempt: u32,
        error: DispatchError,
        max_retries: Option<u32>,
    ) -> Box<RunFailure> {
        let retries_left = attempt <= max_retries.unwrap_or(self.max_retries);
        let again_in = match advice(&error) {
            Advice::Never => None,
            _ if !retries_left => None,
            Advice::After(pause) => Some(pause),
            Advice::None => Some(Duration::ZERO),
        };
        let (task, queue) = (intent.name().to_owned(), queue_of(intent));
        Box::new(RunFailure { id: Some(intent.id()), task, queue, attempt, error, again_in })
    }
}

impl Default for TestWorker {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for TestWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestWorker").field("max_retries", &self.max_retries).finish_non_exhaustive()
    }
}
