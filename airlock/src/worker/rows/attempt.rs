//! One run of a task, from its row to how that ends.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tracing::Instrument as _;

use super::leases::{HeldRow, StopReason};
use crate::brokers::SqlMessage;
use crate::dispatch::DispatchError;
use crate::flush::Sealed;
use crate::intent::Intent;
use crate::outbox::{ClaimedRow, Outbox, OutboxState, RowEnd};
use crate::runtime::panics::{catch_panic, catching_panics};
use crate::runtime::{Deadline, timer};
use crate::scope::{OpenScope, ScopeBuilder};
use crate::task::{Started, TaskDefinition, TaskKind};
use crate::worker::Backoff;
use crate::worker::{Advice, RunFailure, advice};
use crate::worker::{Run, RunFacts};

/// How a worker runs tasks.
pub(super) struct RunSettings {
    pub(super) outbox: Outbox,
    /// The scope of each run: it writes to the outbox, whatever is configured.
    pub(super) scope: ScopeBuilder,
    pub(super) backoff: Backoff,
    pub(super) max_retries: u32,
    pub(super) on_error: Option<Arc<dyn Fn(RunFailure) + Send + Sync>>,
}

/// A row that is about to run.
pub(super) struct ReadyRow {
    pub(super) row: ClaimedRow,
    pub(super) task: &'static TaskDefinition,
    pub(super) held: Arc<HeldRow>,
    /// When it was claimed.
    pub(super) since: Instant,
}

/// A row whose run has ended, and what is to be recorded of that.
pub(super) struct FinishedRow {
    pub(super) end: RowEnd,
    /// What the task left, to be settled once that is recorded.
    pub(super) sealed: Option<Sealed>,
    /// Told once it is recorded.
    pub(super) failure: Option<RunFailure>,
    /// Whether the end may be recorded already.
    pub(super) is_unconfirmed: bool,
    /// How often the table has refused it for itself alone, and when it is tried again.
    pub(super) refusals: u32,
    pub(super) not_before: Option<Instant>,
    /// The row itself, if it left something that the table may not take.
    pub(super) ready: Option<ReadyRow>,
}

/// A run that can begin.
struct Prepared {
    scope: OpenScope,
    intent: Intent,
    run: Run,
    span: tracing::Span,
    timeout: Option<Duration>,
}

impl ReadyRow {
    pub(super) fn is_async(&self) -> bool {
        self.task.kind == TaskKind::Async
    }
}

impl RunSettings {
    /// Runs a plain function on this thread.
    pub(super) fn run(&self, ready: &ReadyRow) -> FinishedRow {
        let Prepared { scope, intent, run, span, .. } = match self.prepare(ready) {
            Ok(prepared) => prepared,
            Err(error) => return self.failed(ready, error),
        };
        let _entered = span.enter();
        let result = catch_panic(|| {
            run.enter(|| {
                scope.run(|| match intent.start()? {
                    Started::Done(result) => result.map_err(DispatchError::task_failed),
                    Started::Pending(_) => unreachable!("only an async task gives a future"),
                })
            })
        });
        let result = result.unwrap_or_else(|message| Err(DispatchError::panicked(message)));
        self.ended(ready, scope, result)
    }

    /// Runs an async task, until it is to stop.
    pub(super) async fn run_async(&self, ready: &ReadyRow) -> Option<FinishedRow> {
        let Prepared { scope, intent, run, span, timeout } = match self.prepare(ready) {
            Ok(prepared) => prepared,
            Err(error) => return Some(self.failed(ready, error)),
        };
        let deadline = timeout.map_or(Deadline::NONE, Deadline::after);
        let body = async {
            match intent.start()? {
                Started::Done(result) => result.map_err(DispatchError::task_failed),
                Started::Pending(future) => future.await.map_err(DispatchError::task_failed),
            }
        };
        let running = catching_panics(run.within(scope.wrap(body)).instrument(span));
        let ended = tokio::select! {
            biased;
            reason = ready.held.stopped() => Err(reason),
            ended = timer::until(deadline, running) => Ok(ended),
        };
        let result = match ended {
            // Nothing of a run that has lost its row can be recorded.
            Err(StopReason::Lost) => return None,
            Err(StopReason::Shutdown) => return Some(self.released(ready)),
            Ok(Some(ended)) => ended.unwrap_or_else(|message| Err(DispatchError::panicked(message))),
            Ok(None) => {
                let timeout = timeout.unwrap_or_default();
                Err(DispatchError::task_failed(format!("it took longer than its {timeout:?}")))
            }
        };
        Some(self.ended(ready, scope, result))
    }

    /// Hands a row back that is not to run, or not to its end.
    pub(super) fn released(&self, ready: &ReadyRow) -> FinishedRow {
        FinishedRow::new(RowEnd::released(ready.row.key.clone()))
    }

    fn prepare(&self, ready: &ReadyRow) -> Result<Prepared, DispatchError> {
        let ReadyRow { row, task, .. } = ready;
        let (id, options) = (row.id().map_err(DispatchError::rejected)?, row.options());
        let options = options.map_err(DispatchError::rejected)?;
        let (headers, attempt) = (options.get_headers().to_vec(), row.attempts + 1);
        let intent = row.intent(task, options).map_err(DispatchError::rejected)?;
        let timeout = intent.options().get_timeout();
        let run = Run::new(RunFacts { id, attempt, queue: row.queue.clone(), headers });
        let span = tracing::info_span!(target: "airlock", "run", task = task.name, %id, queue = row.queue, attempt);
        let scope = self.scope.clone().name(task.name).open();
        Ok(Prepared { scope, intent, run, span, timeout })
    }

    /// What is to be recorded of a run that has ended, well or not.
    fn ended(&self, ready: &ReadyRow, scope: OpenScope, result: Result<(), DispatchError>) -> FinishedRow {
        let sealed = result.and_then(|()| {
            scope.seal().map_err(|error| {
                let refused = DispatchError::task_failed(format!("what it left can't be stored: {error}"));
                // They are made again by the next run.
                drop(error.into_intents());
                refused
            })
        });
        match sealed.and_then(|sealed| self.follow_ups(sealed)) {
            Ok((sealed, follow_ups)) => {
                let end = RowEnd { follow_ups, ..RowEnd::new(ready.row.key.clone(), OutboxState::Done) };
                FinishedRow { sealed, ..FinishedRow::new(end) }
            }
            Err(error) => self.failed(ready, error),
        }
    }

    /// What it left as rows; `local` tasks are none of them.
    fn follow_ups(&self, sealed: Sealed) -> Result<(Option<Sealed>, Vec<SqlMessage>), DispatchError> {
        if sealed.intents().is_empty() {
            return Ok((None, Vec::new()));
        }
        let now = SystemTime::now();
        let stored = sealed.intents().iter().filter(|intent| !intent.task().local);
        let rows: Result<Vec<_>, _> = stored.map(|intent| self.outbox.row(intent, now)).collect();
        match rows {
            Ok(rows) => Ok((Some(sealed), rows)),
            Err(rejection) => {
                drop(sealed.discard());
                Err(DispatchError::task_failed(rejection))
            }
        }
    }

    /// What is to be recorded of a run that failed.
    pub(super) fn failed(&self, ready: &ReadyRow, error: DispatchError) -> FinishedRow {
        let row = &ready.row;
        let retries_left = row.attempts < row.max_retries.unwrap_or(self.max_retries);
        let again_in = match advice(&error) {
            Advice::Never => None,
            _ if !retries_left => None,
            Advice::After(pause) => Some(pause),
            Advice::None => Some(self.backoff.pause(row.attempts)),
        };
        self.failed_until(row, error, again_in)
    }

    /// What is to be recorded of a row that no further attempt can help.
    pub(super) fn refused(&self, ready: &ReadyRow, error: DispatchError) -> FinishedRow {
        self.failed_until(&ready.row, error, None)
    }

    fn failed_until(&self, row: &ClaimedRow, error: DispatchError, again_in: Option<Duration>) -> FinishedRow {
        let state = if again_in.is_some() { OutboxState::Waiting } else { OutboxState::Dead };
        let said = shortened(error.reason());
        let end = RowEnd { pause: again_in, error: Some(said), ..RowEnd::new(row.key.clone(), state) };
        let failure = RunFailure {
            id: row.id().ok(),
            task: row.task.clone(),
            queue: row.queue.clone(),
            attempt: row.attempts + 1,
            error,
            again_in,
        };
        FinishedRow { failure: Some(failure), ..FinishedRow::new(end) }
    }

    /// Tells the log and the handler of a run that failed.
    pub(super) fn tell(&self, failure: RunFailure) {
        let _ = catch_panic(|| {
            let RunFailure { id, task, queue, attempt, error, again_in } = &failure;
            let (id, error) = (id.map(tracing::field::display), format!("{error}: {}", error.reason()));
            match again_in {
                Some(pause) => {
                    tracing::warn!(target: "airlock", task, id, queue, attempt, ?pause, error, "a run failed, and is tried again");
                }
                None => tracing::error!(target: "airlock", task, id, queue, attempt, error, "a run failed for good"),
            }
        });
        let Some(on_error) = &self.on_error else { return };
        if let Err(panicked) = catch_panic(|| on_error(failure)) {
            let _ = catch_panic(|| tracing::error!(target: "airlock", panicked, "the error handler panicked"));
        }
    }
}

impl FinishedRow {
    pub(super) fn new(end: RowEnd) -> Self {
        Self { end, sealed: None, failure: None, is_unconfirmed: false, refusals: 0, not_before: None, ready: None }
    }

    /// Whether it is not to be recorded yet.
    pub(super) fn is_put_off(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|at| now < at)
    }
}

/// As much of an error as the table keeps.
pub(super) fn shortened(mut error: String) -> String {
    const LONGEST: usize = 4000;
    if error.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| error.is_char_boundary(*end)).unwrap_or(0);
        error.truncate(end);
        error.push('…');
    }
    error
}
