//! The table of intents in the application's own database: `executor` writes to it, `store` is what workers do to its rows,
//! `admin` what people do. `statements` is all of its SQL, `format` an intent as a row.

#[cfg(feature = "_sql")]
mod admin;
#[cfg(feature = "_sql")]
mod claimed;
mod error;
mod executor;
mod format;
#[cfg(feature = "_sql")]
mod keys;
#[cfg(feature = "_sql")]
mod migrate;
mod report;
mod schema;
mod state;
#[cfg(feature = "_sql")]
mod statements;
#[cfg(feature = "_sql")]
mod store;
mod wake;

#[cfg(feature = "_sql")]
pub(crate) use claimed::ClaimedRow;
pub use error::OutboxError;
pub use executor::Outbox;
#[cfg(feature = "_sql")]
pub(crate) use keys::{RowEnd, RowKey};
pub use report::{OutboxFilter, OutboxRow, OutboxStats, QueueStats};
pub use state::OutboxState;
#[cfg(feature = "_sql")]
pub(crate) use store::{Claim, ClaimedRows, Store};
pub(crate) use wake::{WakeListener, wake_workers};
