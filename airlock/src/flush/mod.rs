//! The end of a scope: what may escape, its hand-over, and the account of it.

mod abandoned;
mod ask;
#[cfg_attr(not(feature = "tokio"), path = "blocking_without_tokio.rs")]
mod blocking;
mod committing;
mod error;
mod hand_over;
mod outcome;
mod plain_calls;
mod report;
mod report_builder;
pub(crate) mod seal;
mod sealed;
mod transactional;
mod tree;
mod unsent;

pub(crate) use abandoned::note_abandoned;
pub(crate) use committing::{CommittingFlush, GivenBack};
pub use error::FlushError;
pub(crate) use hand_over::Flush;
pub use outcome::{Counts, Discarded, Outcome, Unattempted};
pub use report::{FlushReport, ReportEntry};
pub use sealed::Sealed;
pub(crate) use unsent::Unsent;

use blocking::block_on_flush;
use report_builder::ReportBuilder;
use seal::judge;
