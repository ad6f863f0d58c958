//! Judged, closed, and waiting for the word.

use std::fmt;

use super::hand_over::Flush;
use super::report::FlushReport;
use super::{Discarded, FlushError};
use crate::executors::Executor;
use crate::executors::FlushMode;
use crate::intent::Intent;

/// What may escape from a scope that has ended: judged, closed to new intents, not handed over yet.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// # fn commit() -> Result<(), airlock::Error> { Ok(()) }
/// let scope = airlock::scope().enter();
/// send_email::enqueue(42)?;
/// let sealed = scope.seal()?;     // found unfit to send? then the transaction is not even committed
/// commit()?;                      // failed? then `sealed` is dropped, and nothing has escaped
/// sealed.dispatch()?;
/// # Ok::<(), airlock::Error>(())
/// ```
#[must_use = "dropping it discards what it holds"]
pub struct Sealed {
    /// `None` once it is handed over or discarded.
    held: Option<Flush>,
}

impl Sealed {
    pub(crate) fn new(flush: Flush) -> Self {
        Self { held: Some(flush) }
    }

    /// What may escape, in order.
    #[must_use]
    pub fn intents(&self) -> &[Intent] {
        self.held.as_ref().map_or(&[], Flush::intents)
    }

    /// Hands it over, and waits for that on this thread.
    ///
    /// # Errors
    /// Something didn't go out, or may not have: the error says what, and owns it.
    pub fn dispatch(mut self) -> Result<FlushReport, FlushError> {
        let mut flush = self.take();
        flush.run_here()?;
        Ok(flush.report())
    }

    /// Hands it over, and awaits that.
    ///
    /// # Errors
    /// Something didn't go out, or may not have: the error says what, and owns it.
    pub async fn dispatch_async(mut self) -> Result<FlushReport, FlushError> {
        let mut flush = self.take();
        flush.run(FlushMode::Async).await?;
        Ok(flush.report())
    }

    /// Hands it over to another executor than the scope's, and awaits that.
    pub(crate) async fn dispatch_through(mut self, executor: &dyn Executor) -> Result<FlushReport, FlushError> {
        let mut flush = self.take();
        flush.run_with(executor, FlushMode::Async).await?;
        Ok(flush.report())
    }

    /// Lets nothing escape after all.
    pub fn discard(mut self) -> FlushReport {
        self.take().discard(Discarded::ByHand)
    }

    fn take(&mut self) -> Flush {
        self.held.take().unwrap_or_else(|| unreachable!("taken once, by methods that take `self`"))
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        if let Some(mut held) = self.held.take() {
            held.discard_dropped();
        }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("intents", &self.intents()).finish()
    }
}
