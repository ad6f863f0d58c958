//! A dry run that says what would have happened.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Batch, Capabilities, Executor};
use crate::dispatch::DispatchError;
use crate::intent::Intent;
use crate::runtime::BoxFuture;

/// Logs what would be dispatched and dispatches nothing: a dry run. `local` tasks are only logged, too.
///
/// By itself it writes a `tracing` event at level info for each intent; [`to_writer`](Self::to_writer) has it write
/// lines instead. Both carry task, id and the place of the call; the arguments only on request, redaction kept.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::LogExecutor;
///
/// let dry_run = LogExecutor::new().to_writer(std::io::stderr()).with_arguments();
/// // would dispatch send_email(order_id=42) 0d2c4f80-… (src/main.rs:7:5)
/// airlock::scope().executor(dry_run).run(|| send_email::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// # Ok::<(), airlock::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct LogExecutor {
    arguments: bool,
    writer: Option<Arc<Mutex<dyn Write + Send>>>,
}

impl LogExecutor {
    /// Logs names and ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Logs the call with its argument values too, except those marked `#[redact]`.
    #[must_use]
    pub fn with_arguments(mut self) -> Self {
        self.arguments = true;
        self
    }

    /// Writes a line for each intent instead of a `tracing` event, and flushes after each. Clones share the writer. A
    /// line that can't be written fails its intent as `Unavailable`.
    #[must_use]
    pub fn to_writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.writer = Some(Arc::new(Mutex::new(writer)));
        self
    }

    fn log(&self, intent: &Intent) -> io::Result<()> {
        let (task, id, location) = (intent.name(), intent.id(), intent.location());
        if let Some(writer) = &self.writer {
            let call: &dyn fmt::Display = if self.arguments { intent } else { &task };
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            // In one piece: others may write to the same place.
            writer.write_all(format!("would dispatch {call} {id} ({location})\n").as_bytes())?;
            return writer.flush();
        }
        if self.arguments {
            tracing::info!(target: "airlock", task, %id, %location, call = %intent, "would dispatch");
        } else {
            tracing::info!(target: "airlock", task, %id, %location, "would dispatch");
        }
        Ok(())
    }
}

impl fmt::Debug for LogExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogExecutor")
            .field("arguments", &self.arguments)
            .field("writer", &self.writer.is_some())
            .finish()
    }
}

impl Executor for LogExecutor {
    fn name(&self) -> &str {
        "log"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                let logged = self.log(begun.intent()).map_err(DispatchError::unavailable);
                begun.settle(logged);
            }
        })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_local: true,
            no_deadline: true,
            runs_on_caller: true,
            records_only: true,
            records_some: true,
            ..Capabilities::default()
        }
    }
}
