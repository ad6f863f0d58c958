//! A scope that was dropped with intents in it, noted for the test that looks for leaks.

use super::Discarded;
use crate::context::Frame;
use crate::runtime::panics::catch_panic;

/// Tells the hook, if there is one, of a scope that was dropped with intents in it. Those of a panic are none of its
/// business: the panic fails the test, or was meant.
pub(crate) fn note_abandoned(frame: &Frame, reason: Discarded, intents: usize) {
    let Some(scope) = frame.as_scope().filter(|_| reason == Discarded::Dropped) else { return };
    if let Some(on_abandoned) = &scope.settings().on_abandoned {
        // A drop doesn't panic.
        let _ = catch_panic(|| on_abandoned(scope.info(), intents));
    }
}
