//! The table of intents in the application's own database: `executor` writes to it, `format` is an intent as a row, and
//! `rows` what is done with them where there is a database.

mod error;
mod executor;
mod format;
mod report;
#[cfg(feature = "_sql")]
mod rows;
mod schema;
mod state;
mod wake;

pub use error::OutboxError;
pub use executor::Outbox;
pub use report::{OutboxFilter, OutboxRow, OutboxStats, QueueStats};
#[cfg(feature = "_sql")]
pub(crate) use rows::{Claim, ClaimedRow, ClaimedRows, RescuedRow, RowEnd, RowKey, Store};
pub use state::OutboxState;
pub(crate) use wake::{WakeListener, wake_workers};
