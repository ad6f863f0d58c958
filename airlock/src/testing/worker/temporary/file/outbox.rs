//! An outbox of one test, in a SQLite file, with a worker beside that runs until nothing is left to do.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::look::TableLook;
use super::not_emptied::{NotEmptied, Reason};
use crate::dispatch::DispatchError;
use crate::outbox::{Outbox, OutboxError};
use crate::runtime::{Deadline, timer};
use crate::worker::{Backoff, Worker, WorkerReport};

/// How long [`TemporaryOutbox::run_until_empty`] runs at most, unless told otherwise.
const DEADLINE: Duration = Duration::from_secs(10);

/// An outbox of one test in a SQLite file of its own, from [`temporary_outbox`]. Dropped, it removes the file.
#[must_use = "the file is removed when this is dropped"]
pub struct TemporaryOutbox {
    outbox: Outbox,
    pool: SqlitePool,
    folder: TemporaryFolder,
    deadline: Duration,
}

/// A folder that is removed with its files.
struct TemporaryFolder(PathBuf);

/// Makes an outbox in a temporary SQLite file, for one test: real rows, real transactions, a real
/// [`Worker`](crate::Worker), and nothing to install.
///
/// ```standalone_crate
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use airlock::testing::temporary_outbox;
///
/// #[airlock::task]
/// async fn pack(order_id: u64) -> airlock::Result<()> {
///     ship::enqueue(order_id)?; // there if and only if this run ends well
///     Ok(())
/// }
///
/// #[airlock::task]
/// fn ship(order_id: u64) { let _ = order_id; }
///
/// let temporary = temporary_outbox().await?;
/// let scope = airlock::scope().executor(temporary.outbox());
/// scope.run(|| pack::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// let report = temporary.run_until_empty().await?;
/// assert_eq!(report.done, 2);
/// # Ok(()) }
/// ```
///
/// The folder for temporary files is the system's (`TMPDIR`). A process that is killed leaves its files there.
///
/// # Errors
/// This is not on a tokio runtime, or the file can't be made.
pub async fn temporary_outbox() -> Result<TemporaryOutbox, OutboxError> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(OutboxError::rejected(
            "an outbox with a worker needs a tokio runtime; use `#[tokio::test]`, or a runtime built with `enable_all`",
        ));
    }
    let folder = TemporaryFolder::make()?;
    // Nothing has to survive the machine.
    let options = SqliteConnectOptions::new()
        .filename(folder.0.join("outbox.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off);
    let pool = SqlitePoolOptions::new().connect_with(options).await;
    let pool = pool.map_err(|error| DispatchError::rejected(format!("the file can't be made: {error}")))?;
    let outbox = Outbox::on(&pool).map_err(DispatchError::rejected)?;
    outbox.migrate().await?;
    Ok(TemporaryOutbox { outbox, pool, folder, deadline: DEADLINE })
}

impl TemporaryOutbox {
    /// The outbox: an executor for scopes and settings. Clones and what this gives again are of one table.
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// Connections to the file, for transactions and tables of the test's own.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// How long a run until it is empty may take; 10 seconds unless set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// A worker of this outbox that loses no time in a test: with pauses of a few milliseconds.
    pub fn worker(&self) -> Worker {
        Worker::new(self.outbox())
            .named("the worker of a test")
            .poll(Duration::from_millis(20))
            .backoff(Backoff::exponential(Duration::from_millis(1), Duration::from_millis(5)))
    }

    /// Runs what lies in the table, and what that leaves, on this runtime, until each row has ended.
    ///
    /// Nothing is waited for but tasks. Where only rows are left that are due later, by a delay or a pause before the next
    /// run, time is skipped until the first of them is due: all due times and expiries come nearer by as much. The clock of
    /// the program does not.
    ///
    /// Rows that end *dead* are in the report, and are no error of this; [`Outbox::find`](crate::Outbox::find) says why.
    ///
    /// # Errors
    /// Rows are left that this program has no body for; or the deadline has passed, and tasks still run or wait: the error
    /// names them. An async task has been cancelled then, and its row is *running*. A plain function can't be cut, and the
    /// runtime of the test waits for it.
    pub async fn run_until_empty(&self) -> Result<WorkerReport, NotEmptied> {
        self.run_until_empty_with(self.worker()).await
    }

    /// [`run_until_empty`](Self::run_until_empty), with a worker of your own: one that retries less often, say, or knows
    /// two of three queues. Rows in other queues than the worker's are not run; their due times move as well. A relay of tasks
    /// without a body is not for this: use `run_until`.
    ///
    /// ```standalone_crate
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use airlock::testing::temporary_outbox;
    ///
    /// #[airlock::task]
    /// fn charge(order_id: u64) -> Result<(), String> { Err(format!("no card for {order_id}")) }
    ///
    /// let temporary = temporary_outbox().await?;
    /// let scope = airlock::scope().executor(temporary.outbox());
    /// scope.run(|| charge::enqueue(42).map(drop).map_err(airlock::Error::from))?;
    /// let worker = temporary.worker().max_retries(2);
    /// let report = temporary.run_until_empty_with(worker).await?;
    /// assert_eq!(report.to_string(), "2 retried, 1 dead");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`run_until_empty`](Self::run_until_empty).
    pub async fn run_until_empty_with(&self, worker: Worker) -> Result<WorkerReport, NotEmptied> {
        let (counters, look) = (worker.counters(), TableLook::of(&self.pool, worker.queues.as_ref()));
        let mut fault = None;
        let emptied = async {
            if let Err(error) = until_empty(&look).await {
                fault = Some(error);
            }
        };
        let ended = timer::until(Deadline::after(self.deadline), worker.run_until(emptied)).await;
        let report = counters.now();
        let not_emptied = |reason| NotEmptied { report, reason };
        if let Some(Err(error)) = ended {
            return Err(not_emptied(Reason::Outbox(error)));
        }
        if let Some(error) = fault {
            return Err(not_emptied(Reason::File(error)));
        }
        let left = match ended.is_some() {
            true => look.unknown().await,
            false => look.unfinished().await,
        };
        match (left, ended) {
            (Err(error), _) => Err(not_emptied(Reason::File(error))),
            (Ok(tasks), Some(Ok(report))) if tasks.is_empty() => Ok(report),
            (Ok(tasks), Some(_)) => Err(not_emptied(Reason::NoBody(tasks))),
            (Ok(tasks), None) => Err(not_emptied(Reason::Deadline(self.deadline, tasks))),
        }
    }
}

/// Looks until nothing runs and nothing will.
async fn until_empty(look: &TableLook<'_>) -> Result<(), sqlx::Error> {
    let mut pause = Duration::from_millis(1);
    loop {
        let rows = look.rows().await?;
        match rows.next_due {
            _ if rows.running > 0 => {}
            None => return Ok(()),
            Some(later) if later > 0 => {
                look.skip(later).await?;
                crate::outbox::wake_workers();
                pause = Duration::from_millis(1);
            }
            Some(_) => {}
        }
        timer::sleep_until(Instant::now() + pause).await;
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

impl TemporaryFolder {
    fn make() -> Result<Self, OutboxError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("airlock-outbox-{}-{number}", process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // A process of the same number was killed.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let path = path.display();
                    return Err(OutboxError::rejected(format!("{path} can't be made ({error}); set `TMPDIR`")));
                }
            }
        }
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What is left is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl fmt::Debug for TemporaryOutbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryOutbox").field("folder", &self.folder.0).finish_non_exhaustive()
    }
}
