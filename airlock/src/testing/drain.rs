//! What was enqueued, run to its end.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::Future;

use super::capture::Captured;
use super::recording::{Recorded, survive};
use super::running::{run, run_async};
use super::text;
use super::worker::FailedRun;
use crate::dispatch::DispatchError;
use crate::intent::Intent;
use crate::task::TaskKind;

/// How many tasks one [`drain`] runs.
pub const MAX_DRAINED: usize = 1000;

/// What a [`drain`] ran: it can be asserted on.
#[derive(Debug, Default)]
pub struct Drained {
    ran: Vec<Intent>,
    elsewhere: Vec<Intent>,
    dropped: Vec<(Intent, String)>,
    /// Those of a worker.
    pub(super) failures: Vec<FailedRun>,
}

impl Drained {
    /// What ran, in order.
    #[must_use]
    pub fn ran(&self) -> &[Intent] {
        &self.ran
    }

    /// What has no body in this program, and would have gone to a worker elsewhere.
    #[must_use]
    pub fn elsewhere(&self) -> &[Intent] {
        &self.elsewhere
    }
}

impl Recorded for Drained {
    /// What ran, then what would have gone elsewhere.
    fn recorded(&self) -> Vec<Intent> {
        self.ran.iter().chain(&self.elsewhere).cloned().collect()
    }

    fn refused(&self) -> Vec<(Intent, String)> {
        self.dropped.clone()
    }
}

/// Tasks of a [`drain`] that failed, or too many of them.
pub struct DrainError {
    drained: Box<Drained>,
    failed: Vec<(Intent, DispatchError)>,
    waiting: usize,
}

impl DrainError {
    /// What ran, the failed ones included.
    #[must_use]
    pub fn drained(&self) -> &Drained {
        &self.drained
    }

    /// What failed, and how.
    #[must_use]
    pub fn failed(&self) -> &[(Intent, DispatchError)] {
        &self.failed
    }

    /// How many were waiting when the limit was reached.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

impl fmt::Display for DrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ran = self.drained.ran.len();
        let mut message = Vec::new();
        if self.waiting > 0 {
            message.push(format!(
                "{ran} tasks ran, and {} still wait; do they enqueue each other without end?",
                self.waiting
            ));
        }
        if !self.failed.is_empty() {
            let mut failed = format!("{} of {ran} tasks failed:", self.failed.len());
            for (intent, error) in &self.failed {
                // No values: an error may end up in any log.
                let place = format_args!("{} ({})", intent.name(), intent.location());
                text::line(&mut failed, 1, &format!("{}: {error}: {}", place, error.reason()));
            }
            message.push(failed);
        }
        f.write_str(&message.join("\n"))
    }
}

impl fmt::Debug for DrainError {
    /// As `Display`: an `unwrap` in a test prints it like this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for DrainError {}

/// Runs what was enqueued, and what that enqueues, one task after the other, each as a worker would: from its encoded
/// arguments, in an empty context, its own scopes ending with it. What they let out comes behind what waits.
///
/// Nothing leaves the test, whatever executors the tasks' scopes have. Options such as delays are ignored. A task that
/// fails doesn't keep the others from running.
///
/// ```
/// # #[airlock::task] fn notify(order_id: u64) { let _ = order_id; }
/// use airlock::testing::{capture, drain};
///
/// #[airlock::task]
/// #[airlock::scoped]
/// fn ship(order_id: u64) -> airlock::Result<()> {
///     notify::enqueue(order_id)?;
///     Ok(())
/// }
///
/// let captured = capture(|| ship::enqueue(42).is_ok());
/// let drained = drain(&captured)?;
/// airlock::assert_enqueued_in_order!(drained, [ship, notify { order_id: 42 }]);
/// # Ok::<(), airlock::testing::DrainError>(())
/// ```
///
/// # Errors
/// Tasks failed or panicked, an `async` one was among them (use [`drain_async`]), or after [`MAX_DRAINED`] tasks there
/// still were more.
pub fn drain(recorded: &(impl Recorded + ?Sized)) -> Result<Drained, DrainError> {
    let mut queue = PendingDrain::of(recorded);
    while let Some((intent, _)) = queue.next() {
        match survive(&intent) {
            Ok(arrived) => queue.ended(intent, run(crate::scope(), arrived)),
            Err(fault) => queue.failed(intent, DispatchError::rejected(fault)),
        }
    }
    queue.finish()
}

/// Like [`drain`], and awaits the tasks that are `async`.
///
/// # Errors
/// As [`drain`].
pub fn drain_async<R: Recorded + ?Sized>(recorded: &R) -> impl Future<Output = Result<Drained, DrainError>> + use<R> {
    let mut queue = PendingDrain::of(recorded);
    async move {
        while let Some((intent, _)) = queue.next() {
            match survive(&intent) {
                Ok(arrived) => {
                    let ran = run_async(crate::scope(), arrived).await;
                    queue.ended(intent, ran);
                }
                Err(fault) => queue.failed(intent, DispatchError::rejected(fault)),
            }
        }
        queue.finish()
    }
}

/// What is to run, and what has.
pub(super) struct PendingDrain {
    /// With the number of the run.
    waiting: VecDeque<(Intent, u32)>,
    runs: usize,
    pub(super) drained: Drained,
    failed: Vec<(Intent, DispatchError)>,
}

impl PendingDrain {
    pub(super) fn of(recorded: &(impl Recorded + ?Sized)) -> Self {
        let waiting = recorded.recorded().into_iter().map(|intent| (intent, 1)).collect();
        Self { waiting, runs: 0, drained: Drained::default(), failed: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Option<(Intent, u32)> {
        while self.runs < MAX_DRAINED {
            let (intent, attempt) = self.waiting.pop_front()?;
            if intent.task().kind != TaskKind::Elsewhere {
                self.runs += 1;
                return Some((intent, attempt));
            }
            self.drained.elsewhere.push(intent);
        }
        None
    }

    fn ended(&mut self, intent: Intent, ran: Captured<Result<(), DispatchError>>) {
        let (left, dropped) = (ran.intents().to_vec(), ran.refused());
        match ran.into_value() {
            Ok(()) => self.done(intent, left, dropped),
            Err(error) => {
                self.leave(left, dropped);
                self.failed(intent, error);
            }
        }
    }

    pub(super) fn done(&mut self, intent: Intent, left: Vec<Intent>, dropped: Vec<(Intent, String)>) {
        self.leave(left, dropped);
        self.drained.ran.push(intent);
    }

    fn leave(&mut self, left: Vec<Intent>, dropped: Vec<(Intent, String)>) {
        self.waiting.extend(left.into_iter().map(|intent| (intent, 1)));
        self.drained.dropped.extend(dropped);
    }

    /// It is to run again, after what waits already.
    pub(super) fn again(&mut self, intent: Intent, attempt: u32) {
        self.waiting.push_back((intent, attempt));
    }

    pub(super) fn failed(&mut self, intent: Intent, error: DispatchError) {
        self.drained.ran.push(intent.clone());
        self.failed.push((intent, error));
    }

    pub(super) fn finish(self) -> Result<Drained, DrainError> {
        let Self { waiting, drained, failed, .. } = self;
        if waiting.is_empty() && failed.is_empty() {
            return Ok(drained);
        }
        Err(DrainError { drained: Box::new(drained), failed, waiting: waiting.len() })
    }
}
