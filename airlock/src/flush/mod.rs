//! The end of a scope: what may escape, its hand-over, and the account of it.

#[cfg(feature = "testing")]
mod abandoned;
mod blocking;
mod error;
mod hand_over;
mod outcome;
mod report;
pub(crate) mod seal;
mod sealed;
mod tally;
mod tree;
mod unsent;

#[cfg(feature = "testing")]
pub(crate) use abandoned::note_abandoned;
pub use error::FlushError;
pub(crate) use hand_over::Flight;
pub use outcome::{Counts, Discarded, Outcome, Unattempted};
pub use report::{FlushReport, ReportEntry};
pub use sealed::Sealed;
pub(crate) use unsent::Trouble;

use blocking::block_on_flush;
use seal::judge;
use tally::Tally;
