//! A thread that logs nothing. The client writes messages that come back into the log as a warning, and traces all
//! that it sends: headers, arguments and all. What of it matters is in the outcomes.

use tracing::Dispatch;
use tracing::dispatcher::{DefaultGuard, set_default};

/// From now on, until it ends.
pub(super) fn this_thread() {
    thread_local! {
        static QUIET: DefaultGuard = set_default(&Dispatch::none());
    }
    QUIET.with(|_| ());
}
