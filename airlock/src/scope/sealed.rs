//! Judged, closed, and waiting for the word.

use std::fmt;
use std::sync::Arc;

use super::buffer::Phase;
use super::dispatch::{self, Flight};
use super::frame::Frame;
use super::report::{Discarded, FlushReport, Outcome};
use super::tally::Tally;
use crate::error::FlushError;
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
    held: Option<Held>,
}

struct Held {
    frame: Arc<Frame>,
    intents: Vec<Intent>,
    special: bool,
    tally: Tally,
}

impl Sealed {
    pub(super) fn new(frame: &Arc<Frame>, intents: Vec<Intent>, special: bool, tally: Tally) -> Self {
        Self { held: Some(Held { frame: Arc::clone(frame), intents, special, tally }) }
    }

    /// See [`Flight::check`].
    pub(super) fn check(self) -> Result<Self, FlushError> {
        self.take_off().check()
    }

    /// What may escape, in order.
    #[must_use]
    pub fn intents(&self) -> &[Intent] {
        self.held.as_ref().map_or(&[], |held| &held.intents)
    }

    /// Hands it over, and waits for that on this thread.
    ///
    /// # Errors
    /// Something didn't go out, or may not have: the error says what, and owns it.
    pub fn dispatch(self) -> Result<FlushReport, FlushError> {
        dispatch::block_on(self.take_off().fly(FlushMode::Sync))
    }

    /// Hands it over, and awaits that.
    ///
    /// # Errors
    /// Something didn't go out, or may not have: the error says what, and owns it.
    pub async fn dispatch_async(self) -> Result<FlushReport, FlushError> {
        self.take_off().fly(FlushMode::Async).await
    }

    /// Lets nothing escape after all.
    pub fn discard(mut self) -> FlushReport {
        self.take().discard(Discarded::ByHand)
    }

    fn take_off(mut self) -> Flight {
        let held = self.take();
        Flight::new(held.frame, held.intents, held.special, held.tally)
    }

    fn take(&mut self) -> Held {
        self.held.take().unwrap_or_else(|| unreachable!("taken once, by methods that take `self`"))
    }
}

impl Held {
    fn discard(mut self, reason: Discarded) -> FlushReport {
        for intent in self.intents {
            self.tally.add(intent, || Outcome::Discarded { reason });
        }
        if let Some(core) = self.frame.as_scope() {
            core.buffer().conclude(Phase::Discarded);
        }
        self.tally.into_report()
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        if !held.intents.is_empty() {
            tracing::warn!(
                target: "airlock",
                scope = held.frame.as_scope().map(|core| tracing::field::display(core.info())),
                intents = held.intents.len(),
                "a sealed scope was dropped without being dispatched; its intents are discarded"
            );
        }
        held.discard(Discarded::Dropped);
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("intents", &self.intents()).finish()
    }
}
