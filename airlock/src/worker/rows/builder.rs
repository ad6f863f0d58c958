//! A worker before it runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::abort::AbortOnDrop;
use super::attempt::RunSettings;
use super::engine::{Engine, EngineSettings, GRACE};
use super::leases::Leases;
use super::relay::{self, RelayedBatches};
use super::renewal::Renewal;
use super::runner::RowRunner;
use super::slots::Slots;
use super::starting::{first_store, listen};
use crate::executors::Executor;
use crate::outbox::{Claim, Outbox, OutboxError};
use crate::policy::Policy;
use crate::registry::{known_names, runnable_names};
use crate::runtime::{Deadline, timer};
use crate::scope::{ScopeBuilder, scope};
use crate::worker::Backoff;
use crate::worker::RunFailure;
use crate::worker::{WorkerCounters, WorkerReport};

/// How many tasks run at a time, unless set.
const CONCURRENCY: usize = 16;

/// Runs the registered tasks of this program from an [`Outbox`].
///
/// It claims rows of the tasks that this program has a body for, runs `async` ones on tokio and plain ones on blocking
/// threads, and records how they end. A run is at least once: a worker that dies leaves its rows to others, once their
/// leases have ended. What a task enqueues is written in the transaction that marks its row *done*, and not at all if it
/// failed.
///
/// ```no_run
/// # async fn run() -> airlock::Result<()> {
/// use std::time::Duration;
/// use airlock::{Backoff, Outbox, Worker};
///
/// let outbox = Outbox::new("sqlite:///srv/shop/shop.db")?;
/// # let shutdown_signal = async {};
/// let report = Worker::new(outbox)
///     .queues(["mail", "default"])
///     .concurrency(16)
///     .lease(Duration::from_secs(30))
///     .backoff(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(3600)))
///     .run_until(shutdown_signal)
///     .await?;
/// println!("{report}");
/// # Ok(()) }
/// ```
#[must_use = "it does nothing until `run_until`"]
pub struct Worker {
    pub(super) outbox: Outbox,
    pub(crate) queues: Option<Vec<String>>,
    name: String,
    concurrency: Option<usize>,
    lease: Duration,
    poll: Duration,
    listens: bool,
    max_rescues: u32,
    keep_done: Duration,
    shutdown_timeout: Duration,
    backoff: Backoff,
    max_retries: u32,
    scope: ScopeBuilder,
    on_error: Option<Arc<dyn Fn(RunFailure) + Send + Sync>>,
    counters: WorkerCounters,
    pub(super) relay: Option<Arc<dyn Executor>>,
}

impl Worker {
    /// One that runs what lies in all queues of the outbox.
    #[track_caller]
    pub fn new(outbox: Outbox) -> Self {
        let scope = scope().executor(outbox.clone());
        Self {
            outbox,
            queues: None,
            name: format!("process {}", std::process::id()),
            concurrency: None,
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(500),
            listens: false,
            max_rescues: 5,
            keep_done: Duration::from_secs(24 * 3600),
            shutdown_timeout: Duration::from_secs(30),
            backoff: Backoff::exponential(Duration::from_secs(1), Duration::from_secs(3600)),
            max_retries: 10,
            scope,
            on_error: None,
            counters: WorkerCounters::default(),
            relay: None,
        }
    }

    /// The queues whose tasks it runs; all of them unless set.
    ///
    /// # Panics
    /// With none.
    pub fn queues(self, queues: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let queues: Vec<_> = queues.into_iter().map(Into::into).collect();
        assert!(!queues.is_empty(), "a worker of no queue would run nothing; leave `queues` out for all of them");
        Self { queues: Some(queues), ..self }
    }

    /// What the table's column `worker` says of the rows it has, for people; the process id unless set. Several workers may
    /// have one name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// How many tasks run at a time; 16 unless set. Of a relay: how many batches are under way; 4 unless set.
    ///
    /// # Panics
    /// With 0.
    pub fn concurrency(self, tasks: usize) -> Self {
        assert!(tasks > 0, "a worker that runs no task at a time would run none; use 1 or more");
        Self { concurrency: Some(tasks), ..self }
    }

    /// For how long a claim holds without being renewed; 30 seconds unless set. It is renewed at a third of that while the
    /// process lives: other workers have the rows of one that died after this time.
    ///
    /// # Panics
    /// With less than 100 milliseconds.
    pub fn lease(self, lease: Duration) -> Self {
        assert!(lease >= Duration::from_millis(100), "a lease has to be renewed in time; use 100 ms or more");
        Self { lease, ..self }
    }

    /// How often it looks for rows that nothing told it of; twice a second unless set.
    pub fn poll(self, interval: Duration) -> Self {
        Self { poll: interval.max(Duration::from_millis(1)), ..self }
    }

    /// Hears at once of what other processes commit, on Postgres, where the outbox that they write through
    /// [`notify`](crate::Outbox::notify)s: through a connection of its own, which has to be one to the server or to a pooler
    /// that keeps a session. It polls all the same, less often if you say so.
    pub fn listen(self) -> Self {
        Self { listens: true, ..self }
    }

    /// How long a run that failed waits for the next one; from a second to an hour unless set.
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// How often a task without [`max_retries`](crate::Options::max_retries) is run again after it failed; 10 unless set.
    pub fn max_retries(self, max_retries: u32) -> Self {
        Self { max_retries, ..self }
    }

    /// How often a row whose worker was lost is given to another one; 5 unless set. A relay's rows are
    /// given to another relay without limit.
    pub fn max_rescues(self, max_rescues: u32) -> Self {
        Self { max_rescues, ..self }
    }

    /// For how long rows that ended *done*, *expired* or *cancelled* are kept; a day unless set. Each worker deletes those of
    /// all queues: the shortest time on the table counts. Dead ones stay until
    /// [`Outbox::prune`].
    pub fn keep_done(self, age: Duration) -> Self {
        Self { keep_done: age, ..self }
    }

    /// How long what runs has to end after the signal; 30 seconds unless set. Then async tasks are cancelled and handed back.
    pub fn shutdown_timeout(self, timeout: Duration) -> Self {
        Self { shutdown_timeout: timeout, ..self }
    }

    /// Judges what tasks leave in the scopes of their runs; that of the settings unless set.
    pub fn policy(self, policy: impl Policy + 'static) -> Self {
        Self { scope: self.scope.policy(policy), ..self }
    }

    /// Is called for each run that failed, once that is recorded. It should return soon: it is called by the loop that
    /// claims rows.
    pub fn on_error(self, on_error: impl Fn(RunFailure) + Send + Sync + 'static) -> Self {
        Self { on_error: Some(Arc::new(on_error)), ..self }
    }

    /// What it counts while it runs.
    #[must_use]
    pub fn counters(&self) -> WorkerCounters {
        self.counters.clone()
    }

    /// Runs tasks until the signal is ready, then ends what runs, and says what it has done.
    ///
    /// Errors of the database, restarts and connections that drop are waited out. On the signal nothing more is claimed; what
    /// was claimed and has not started is handed back, and what runs gets its [`shutdown_timeout`](Self::shutdown_timeout):
    /// then async tasks are cancelled and handed back without having made an attempt. A plain function can't be cut: it runs
    /// on after this has returned, nothing it does is recorded, and its row is rescued when its lease ends.
    ///
    /// Dropped before its end, it cancels its async runs, and its rows are rescued when their leases end.
    ///
    /// # Errors
    /// As it starts: it is not on a tokio runtime, it can be no relay to its executor, the database refuses this program, or has no such table, or one that was
    /// migrated by a later version of the program. Nothing but the signal ends a worker that has started.
    pub async fn run_until(self, signal: impl Future<Output = ()>) -> Result<WorkerReport, OutboxError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| {
            OutboxError::rejected(
                "a worker runs tasks on a tokio runtime; await `run_until` on one, built with `enable_all`",
            )
        })?;
        self.check_relay()?;
        let mut signal = std::pin::pin!(signal);
        let mut is_over = false;
        let mut connecting = Box::pin(first_store(&self.outbox));
        let store = tokio::select! {
            biased;
            store = &mut connecting => store?,
            () = &mut signal => {
                is_over = true;
                // A database that gives no answer must not keep a program from ending.
                match timer::until(Deadline::after(GRACE), &mut connecting).await {
                    Some(store) => store?,
                    None => return Ok(self.counters.now()),
                }
            }
        };
        drop(connecting);
        let _listener = self.listens.then(|| AbortOnDrop(runtime.spawn(listen(self.outbox.clone()))));
        let leases = Arc::new(Leases::default());
        let _renewal = Renewal::start(self.outbox.clone(), Arc::clone(&leases), self.lease).await?;
        let runs = Arc::new(RunSettings {
            outbox: self.outbox,
            scope: self.scope,
            backoff: self.backoff,
            max_retries: self.max_retries,
            on_error: self.on_error,
        });
        let counters = self.counters;
        let is_relay = self.relay.is_some();
        let rows: Arc<dyn RowRunner> = match self.relay {
            Some(executor) => {
                let most = self.concurrency.unwrap_or(relay::BATCHES);
                RelayedBatches::new(executor, most, Arc::clone(&runs), &runtime)
            }
            None => {
                let concurrency = self.concurrency.unwrap_or(CONCURRENCY);
                Slots::new(concurrency, runtime.clone(), Arc::clone(&runs), Arc::clone(&leases), counters.clone())
            }
        };
        let queues = self.queues.map(|queues| serde_json::to_string(&queues).unwrap_or_default().into());
        let settings = EngineSettings {
            claim: Claim {
                tasks: if is_relay { known_names() } else { runnable_names() }.into(),
                queues,
                lease: self.lease,
                worker: self.name.into(),
                lost_alone: !is_relay,
            },
            poll: self.poll,
            max_rescues: (!is_relay).then_some(self.max_rescues),
            keep_done: self.keep_done,
        };
        let mut engine = Engine::new(settings, runs, rows, leases, counters.clone());
        engine.store = store;
        let (stop, stopped) = oneshot::channel::<()>();
        // Apart from the signal, which may be anything: one that waits for a task of this worker, or for the database.
        let time_to_end = self.shutdown_timeout;
        let mut engine = AbortOnDrop(runtime.spawn(async move {
            engine.run(async { drop(stopped.await) }, time_to_end).await;
        }));
        tokio::select! {
            biased;
            _ = &mut engine.0 => {}
            () = async { if !is_over { signal.await } } => {
                drop(stop);
                let _ = (&mut engine.0).await;
            }
        }
        Ok(counters.now())
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("outbox", &self.outbox)
            .field("queues", &self.queues)
            .field("concurrency", &self.concurrency)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
