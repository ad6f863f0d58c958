//! What every system with a queue needs: its public executor, the wire format behind it, and sending.

mod config;
mod executor;
mod format;
#[cfg(feature = "_sql")]
mod insert;
pub(super) mod limits;
mod publish;

pub(super) use config::CommonConfig;
pub(super) use executor::{QueueExecutor, queue_executor};
pub(super) use format::Format;
