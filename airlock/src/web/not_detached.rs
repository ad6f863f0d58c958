//! In place of `detached` without the feature `tokio`, and so without a runtime to go on with.

use super::future::HandOver;

/// Drops what a request had begun to hand over, which accounts for everything.
pub(super) fn go_on(hand_over: HandOver) {
    drop(hand_over);
}
